//! The referral desk, read. Rows are written with the decision that raised them, and closed by a change of their own.

use sqlx::QueryBuilder;

use super::{
    dialect::Db,
    facts::{cut, unreadable},
    fault::Fault,
    store::Store,
};
use crate::{
    audit::{ReferralFilter, StoredReferral},
    domain::{
        id::Id,
        referral::{Closed, Status},
    },
    pip::{Page, PageRequest, Unreadable},
};

/// A row of `referral`: id, index of the entry, due, closed at, closed by.
type Row = (String, i64, Option<String>, Option<String>, Option<String>);

const COLUMNS: &str = "SELECT f.id, f.seq, f.due, f.closed_at, f.closed_by FROM referral f";

/// What sorts after every day.
const NEVER: &str = "9999-12-31";

impl Store {
    pub(super) async fn referral_of(&self, id: &Id) -> Result<Option<StoredReferral>, Unreadable> {
        let mut query = QueryBuilder::<Db>::new(COLUMNS);
        query.push(" WHERE f.id = ").push_bind(id.as_str());
        let row: Option<Row> = self.ask(query.build_query_as().fetch_optional(&self.readers)).await?;
        match row {
            Some(row) => Ok(Some(self.with_entry(row).await?)),
            None => Ok(None),
        }
    }

    /// In the order of their days, those without one last.
    pub(super) async fn referrals_of(
        &self,
        filter: &ReferralFilter,
        page: &PageRequest,
    ) -> Result<Page<StoredReferral>, Unreadable> {
        let mut query = matching(filter, page);
        let rows: Vec<Row> = self.ask(query.build_query_as().fetch_all(&self.readers)).await?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            items.push(self.with_entry(row).await?);
        }
        Ok(cut(items, page, |referral| referral.id.to_string()))
    }

    async fn with_entry(&self, (id, seq, due, closed_at, closed_by): Row) -> Result<StoredReferral, Unreadable> {
        let damaged = || unreadable(Fault::Damaged("referral"));
        let closed = match (closed_at, closed_by) {
            (Some(at), Some(by)) => Some(Closed {
                at: at.parse().map_err(|_| damaged())?,
                determination: by.as_str().try_into().map_err(|_| damaged())?,
            }),
            _ => None,
        };
        Ok(StoredReferral {
            id: id.as_str().try_into().map_err(|_| damaged())?,
            due: due.map(|day| day.parse()).transpose().map_err(|_| damaged())?,
            closed,
            entry: self.at(seq).await?,
        })
    }
}

fn matching(filter: &ReferralFilter, page: &PageRequest) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new(COLUMNS);
    if let Some(role) = filter.to {
        query.push(" JOIN referral_addressee a ON a.referral = f.id AND a.role = ").push_bind(role.word());
    }
    query.push(" WHERE TRUE");
    match filter.status {
        Some((Status::Closed, _)) => {
            query.push(" AND f.closed_at IS NOT NULL");
        }
        Some((Status::Open, _)) => {
            query.push(" AND f.closed_at IS NULL");
        }
        Some((Status::Overdue, today)) => {
            query.push(" AND f.closed_at IS NULL AND f.due < ").push_bind(today.to_string());
        }
        None => {}
    }
    if let Some(document) = &filter.document {
        query.push(" AND f.document = ").push_bind(document.as_str());
    }
    if let Some(person) = &filter.person {
        query.push(" AND f.person = ").push_bind(person.as_str());
    }
    let day = format!("coalesce(f.due, '{NEVER}')");
    if let Some(after) = &page.after {
        query.push(format!(
            " AND ({day}, f.id) > (SELECT coalesce(p.due, '{NEVER}'), p.id FROM referral p WHERE p.id = "
        ));
        query.push_bind(after.as_str()).push(")");
    }
    query.push(format!(" ORDER BY {day}, f.id LIMIT ")).push_bind(i64::from(page.limit.max(1)) + 1);
    query
}
