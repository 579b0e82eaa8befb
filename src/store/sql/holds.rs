//! Holds: placed, released, read, and which entries they cover.
//!
//! A hold on a person, a document or a decision covers every entry whose kept content names it anywhere, whether or not
//! the entry is found by it. That may be more than was meant; less would destroy what has been asked for.

use jiff::Timestamp;
use sqlx::QueryBuilder;

use super::{
    dialect::{Connection, Db},
    erasure::count_event,
    facts::{cut, unreadable},
    fault::{Fault, Refused},
    store::Store,
};
use crate::{
    audit::{
        StoredEntry, Unmet,
        retention::{Retention, StoredHold},
    },
    domain::{
        hold::Scope,
        id::Id,
        retention::{Due, Ended, Erased},
        words::{HoldKind, HoldStatus},
    },
    pip::{Page, PageRequest, Unreadable},
};

/// A row of `log_hold`: id, when it was released.
type Row = (String, Option<i64>);

#[async_trait::async_trait]
impl Retention for Store {
    async fn retention_events(&self) -> Result<u64, Unreadable> {
        self.events().await
    }

    async fn due(&self, due: &Due, after: Option<u64>, limit: u32) -> Result<Vec<Erased>, Unreadable> {
        self.due_of(due, after, limit).await
    }

    async fn covering(&self, index: u64, ended: &Ended) -> Result<Option<Id>, Unreadable> {
        let mut query = QueryBuilder::<Db>::new("SELECT h.id FROM log_hold h JOIN log_leaf l ON l.seq = ");
        query.push_bind(index.cast_signed()).push(" WHERE ");
        keeping(&mut query, ended);
        query.push(" AND ");
        is_covered(&mut query);
        query.push(" ORDER BY h.id LIMIT 1");
        let id: Option<String> = self.ask(query.build_query_scalar().fetch_optional(&self.readers)).await?;
        id.map(|id| Id::try_from(id).map_err(|_| damaged())).transpose()
    }

    async fn hold(&self, id: &Id) -> Result<Option<StoredHold>, Unreadable> {
        let row = sqlx::query_as("SELECT id, released_at FROM log_hold WHERE id = $1").bind(id.as_str());
        let row: Option<Row> = self.ask(row.fetch_optional(&self.readers)).await?;
        match row {
            Some(row) => self.stored_hold(row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn holds(&self, status: Option<HoldStatus>, page: &PageRequest) -> Result<Page<StoredHold>, Unreadable> {
        let mut query = QueryBuilder::<Db>::new("SELECT id, released_at FROM log_hold WHERE TRUE");
        match status {
            Some(HoldStatus::Open) => query.push(" AND released_at IS NULL"),
            Some(HoldStatus::Released) => query.push(" AND released_at IS NOT NULL"),
            None => &mut query,
        };
        if let Some(after) = &page.after {
            query.push(" AND id < ").push_bind(after.as_str());
        }
        // Ids are in the order of time.
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(page.limit.max(1)) + 1);
        let rows: Vec<Row> = self.ask(query.build_query_as().fetch_all(&self.readers)).await?;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows {
            items.push(self.stored_hold(row).await?);
        }
        Ok(cut(items, page, |hold| hold.id.to_string()))
    }

    async fn erasure_of(&self, index: u64) -> Result<Option<StoredEntry>, Unreadable> {
        self.last_erasure_of(index).await
    }

    async fn scrub(&self, leisure: bool) -> Result<bool, Unreadable> {
        self.place.scrub(leisure).await.map_err(unreadable)
    }
}

impl Store {
    async fn stored_hold(&self, (id, released_at): Row) -> Result<StoredHold, Unreadable> {
        let seq = sqlx::query_scalar("SELECT seq FROM log_leaf WHERE entry_id = $1").bind(&id);
        let seq: i64 = self.ask(seq.fetch_one(&self.readers)).await?;
        let released_at = released_at.map(Timestamp::from_microsecond).transpose().map_err(|_| damaged())?;
        Ok(StoredHold { id: Id::try_from(id).map_err(|_| damaged())?, released_at, entry: self.at(seq).await? })
    }
}

fn damaged() -> Unreadable {
    unreadable(Fault::Damaged("hold"))
}

/// Whether hold `h` still keeps what it covers.
pub(super) fn keeping(query: &mut QueryBuilder<Db>, ended: &Ended) {
    query.push("(h.released_at IS NULL OR NOT (FALSE");
    for (kind, until) in ended {
        query.push(" OR (h.kind = ").push_bind(kind.word());
        query.push(" AND h.released_at <= ").push_bind(until.as_microsecond()).push(")");
    }
    query.push("))");
}

/// Whether hold `h` covers entry `l`: it is the entry's own, or the entry is all that the scope says.
pub(super) fn is_covered(query: &mut QueryBuilder<Db>) {
    query.push("(h.id = l.entry_id OR ((h.decision = l.entry_id OR ");
    is_named(query, "h.decision");
    query.push(") AND ");
    is_named(query, "h.document");
    query.push(" AND ");
    is_named(query, "h.person");
    query.push(
        " AND (h.rule IS NULL
               OR EXISTS (SELECT 1 FROM log_search_rule r WHERE r.seq = l.seq AND r.rule = h.rule))
          AND (h.begins IS NULL OR l.at >= h.begins) AND (h.ends IS NULL OR l.at < h.ends)))",
    );
}

/// Whether a column of `h` is empty or names something that the payload of entry `l` names too, or the determination
/// kept with it. An id needs no escape in JSON, so that it is named exactly where it stands between quotes.
fn is_named(query: &mut QueryBuilder<Db>, column: &'static str) {
    query.push("(").push(column).push(" IS NULL OR EXISTS (SELECT 1 FROM log_payload p WHERE p.seq = l.seq");
    query.push(" AND replace(p.body, '\"' || ").push(column).push(" || '\"', '') <> p.body)");
    query.push(" OR EXISTS (SELECT 1 FROM determination d WHERE d.id = l.entry_id");
    query.push(" AND replace(d.body, '\"' || ").push(column).push(" || '\"', '') <> d.body))");
}

pub(super) async fn place_hold(
    connection: &mut Connection,
    id: &Id,
    kind: HoldKind,
    scope: &Scope,
) -> Result<bool, Refused> {
    sqlx::query(
        "INSERT INTO log_hold (id, kind, decision, document, person, rule, begins, ends)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id.as_str())
    .bind(kind.word())
    .bind(scope.decision.as_ref().map(Id::as_str))
    .bind(scope.document.as_ref().map(Id::as_str))
    .bind(scope.person.as_ref().map(Id::as_str))
    .bind(scope.rule.as_deref())
    .bind(scope.begins().map(Timestamp::as_microsecond))
    .bind(scope.ends().map(Timestamp::as_microsecond))
    .execute(&mut *connection)
    .await?;
    count_event(connection).await?;
    Ok(true)
}

pub(super) async fn release_hold(connection: &mut Connection, id: &Id, at: Timestamp) -> Result<bool, Refused> {
    let there = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM log_hold WHERE id = $1)").bind(id.as_str());
    if !there.fetch_one(&mut *connection).await? {
        return Err(Refused::Unmet(Unmet::NotFound));
    }
    let release = "UPDATE log_hold SET released_at = $1 WHERE id = $2 AND released_at IS NULL";
    let release = sqlx::query(release).bind(at.as_microsecond()).bind(id.as_str());
    match release.execute(connection).await?.rows_affected() {
        0 => Err(Refused::Unmet(Unmet::Closed)),
        _ => Ok(false),
    }
}
