//! The facts, read: the register from memory, the rest by id or page from a connection that cannot write.

use std::{str::FromStr, sync::Arc};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::QueryBuilder;

use super::{
    dialect::{BODY, Connection, Db},
    fault::Fault,
    store::Store,
};
use crate::{
    audit::DecisionLog,
    domain::{
        determination::Determination,
        document::Document,
        id::Id,
        register::{Authority, Register},
    },
    pip::{DeterminationFilter, DocumentFilter, FactSource, Maker, Page, PageRequest, Snapshot, Unreadable},
};

/// A row of `determination`: the body as entered, and when it was withdrawn.
type DeterminationRow = (String, Option<String>);

#[async_trait::async_trait]
impl FactSource for Store {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    async fn current(&self) -> Result<Arc<Snapshot>, Unreadable> {
        let head = sqlx::query_as("SELECT facts_version, policies FROM log_head").fetch_one(&self.readers);
        let (version, policies): (i64, Option<String>) = self.ask(head).await?;
        let known = self.snapshot();
        if (version.cast_unsigned(), &policies) != (known.facts_version, &known.policies) {
            // Whatever the writer does, it takes up what others wrote.
            self.ready().await?;
        }
        Ok(self.snapshot())
    }

    async fn document(&self, id: &Id) -> Result<Option<Document>, Unreadable> {
        let body = sqlx::query_scalar("SELECT body FROM document WHERE id = $1").bind(id.as_str());
        let body: Option<String> = self.ask(body.fetch_optional(&self.readers)).await?;
        body.map(|body| parse("document", &body)).transpose().map_err(unreadable)
    }

    async fn determinations_about(&self, document: &Id) -> Result<Vec<Determination>, Unreadable> {
        let about = "SELECT body, withdrawn_at FROM determination WHERE document = $1 OR document IS NULL ORDER BY id";
        let rows: Vec<DeterminationRow> =
            self.ask(sqlx::query_as(about).bind(document.as_str()).fetch_all(&self.readers)).await?;
        rows.into_iter().map(determination).collect::<Result<_, _>>().map_err(unreadable)
    }

    async fn determination(&self, id: &Id) -> Result<Option<Determination>, Unreadable> {
        let row = sqlx::query_as("SELECT body, withdrawn_at FROM determination WHERE id = $1").bind(id.as_str());
        let row: Option<DeterminationRow> = self.ask(row.fetch_optional(&self.readers)).await?;
        row.map(determination).transpose().map_err(unreadable)
    }

    async fn list_documents(&self, filter: &DocumentFilter, page: &PageRequest) -> Result<Page<Document>, Unreadable> {
        let mut query = QueryBuilder::<Db>::new("SELECT body FROM document WHERE TRUE");
        if let Some(kind) = filter.kind {
            query.push(" AND kind = ").push_bind(kind.word());
        }
        if let Some(body) = &filter.body {
            query.push(" AND id IN (SELECT document FROM document_business WHERE body = ").push_bind(body.as_str());
            query.push(")");
        }
        by_id(&mut query, page);
        let rows: Vec<String> = self.ask(query.build_query_scalar().fetch_all(&self.readers)).await?;
        let items: Vec<Document> =
            rows.iter().map(|body| parse("document", body)).collect::<Result<_, _>>().map_err(unreadable)?;
        Ok(cut(items, page, |document| document.id.to_string()))
    }

    async fn list_determinations(
        &self,
        filter: &DeterminationFilter,
        page: &PageRequest,
    ) -> Result<Page<Determination>, Unreadable> {
        let mut query = QueryBuilder::<Db>::new("SELECT body, withdrawn_at FROM determination WHERE TRUE");
        if let Some(document) = &filter.document {
            query.push(" AND document = ").push_bind(document.as_str());
        }
        if let Some(person) = &filter.person {
            query.push(" AND person = ").push_bind(person.as_str());
        }
        if let Some(kind) = filter.kind {
            query.push(" AND kind = ").push_bind(kind.word());
        }
        if let Some(Maker { caller, person }) = &filter.made_by {
            query.push(format_args!(" AND ({BODY} ->> 'entered_by' = ")).push_bind(caller.as_str());
            if let Some(person) = person {
                query.push(format_args!(" OR {BODY} -> 'decided_by' ->> 'person' = ")).push_bind(person.as_str());
            }
            query.push(")");
        }
        by_id(&mut query, page);
        let rows: Vec<DeterminationRow> = self.ask(query.build_query_as().fetch_all(&self.readers)).await?;
        let items: Vec<Determination> =
            rows.into_iter().map(determination).collect::<Result<_, _>>().map_err(unreadable)?;
        Ok(cut(items, page, |determination| determination.id.to_string()))
    }
}

/// The register as it stands in this transaction.
pub(super) async fn load_register(connection: &mut Connection) -> Result<Option<Register>, Fault> {
    let authority: Option<String> =
        sqlx::query_scalar("SELECT body FROM register_authority").fetch_optional(&mut *connection).await?;
    let Some(authority) = authority else { return Ok(None) };
    let authority: Authority = parse("authority", &authority)?;
    let mut register = Register { authority, groups: vec![], wards: vec![], bodies: vec![], people: vec![] };
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT collection, body FROM register_object ORDER BY position").fetch_all(connection).await?;
    for (collection, body) in rows {
        match collection.as_str() {
            "groups" => register.groups.push(parse("group", &body)?),
            "wards" => register.wards.push(parse("ward", &body)?),
            "bodies" => register.bodies.push(parse("body", &body)?),
            _ => register.people.push(parse("person", &body)?),
        }
    }
    Ok(Some(register))
}

/// What the parser says of a body is dropped: it may quote it.
pub(super) fn parse<T: DeserializeOwned>(what: &'static str, body: &str) -> Result<T, Fault> {
    serde_json::from_str(body).map_err(|_| Fault::Damaged(what))
}

fn determination((body, withdrawn_at): DeterminationRow) -> Result<Determination, Fault> {
    let mut determination: Determination = parse("determination", &body)?;
    let withdrawn_at = withdrawn_at.as_deref().map(Timestamp::from_str).transpose();
    determination.withdrawn_at = withdrawn_at.map_err(|_| Fault::Damaged("withdrawal"))?;
    Ok(determination)
}

/// The rest of a list in the order of ids: one row more than the page, to know whether there is another.
fn by_id(query: &mut QueryBuilder<Db>, page: &PageRequest) {
    if let Some(after) = &page.after {
        query.push(" AND id > ").push_bind(after.as_str());
    }
    query.push(" ORDER BY id LIMIT ").push_bind(i64::from(page.limit.max(1)) + 1);
}

/// Makes a page of what was read for it.
pub(super) fn cut<T>(mut items: Vec<T>, page: &PageRequest, id: impl Fn(&T) -> String) -> Page<T> {
    let limit = usize::try_from(page.limit.max(1)).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    let next = if more { items.last().map(id) } else { None };
    Page { items, next }
}

pub(super) fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Unreadable {
    Unreadable(error.into())
}
