//! What is due, and its erasure.
//!
//! Only what a hold covers is worked out slowly, by looking into payloads, and that on a connection that reads. The
//! transaction that erases asks whether anything has happened since, and whether what an entry determined is in force;
//! no more.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::QueryBuilder;

use super::{
    change::ROWS,
    dialect::{Connection, Db, ENDED, UNHURRIED},
    facts::unreadable,
    fault::Refused,
    holds::{is_covered, keeping},
    store::Store,
};
use crate::{
    audit::{
        EntryKind, StoredEntry, Unmet,
        retention::{Members, members},
    },
    domain::{
        retention::{Due, Erased},
        words::RecordClass,
    },
    pip::Unreadable,
};

impl Store {
    pub(super) async fn events(&self) -> Result<u64, Unreadable> {
        let events = sqlx::query_scalar("SELECT events FROM log_retention").fetch_one(&self.readers);
        let events: i64 = self.ask(events).await?;
        Ok(events.cast_unsigned())
    }

    pub(super) async fn due_of(&self, due: &Due, after: Option<u64>, limit: u32) -> Result<Vec<Erased>, Unreadable> {
        let mut query = QueryBuilder::<Db>::new("SELECT l.seq FROM log_leaf l WHERE ");
        of_class(&mut query, due.class);
        query.push(" AND l.at <= ").push_bind(due.until.as_microsecond());
        query.push(" AND l.seq > ").push_bind(after.map_or(-1, u64::cast_signed));
        has_something(&mut query, due.class);
        query.push(" AND NOT EXISTS (SELECT 1 FROM referral f WHERE f.seq = l.seq AND f.closed_at >= ");
        query.push_bind(second(due.until)).push(")");
        query.push(" AND NOT EXISTS (SELECT 1 FROM determination d WHERE d.id = l.entry_id AND ");
        in_force_at(&mut query, due.until);
        query.push(")");
        query.push(" AND NOT EXISTS (SELECT 1 FROM log_hold h WHERE h.id = l.entry_id AND (h.released_at IS NULL");
        query.push(" OR h.released_at > ").push_bind(due.until.as_microsecond()).push("))");
        query.push(" AND NOT EXISTS (SELECT 1 FROM log_hold h WHERE ");
        keeping(&mut query, &due.ended);
        query.push(" AND ");
        is_covered(&mut query);
        query.push(") ORDER BY l.seq LIMIT ").push_bind(i64::from(limit));
        // Looking for what holds name takes as long as it takes; nobody waits for it.
        let mut unhurried = self.ask(self.readers.begin()).await?;
        self.ask(sqlx::query(UNHURRIED).execute(&mut *unhurried)).await?;
        let indexes: Vec<i64> = query.build_query_scalar().fetch_all(&mut *unhurried).await.map_err(unreadable)?;
        drop(unhurried);
        self.groups_of(&indexes).await
    }

    async fn groups_of(&self, indexes: &[i64]) -> Result<Vec<Erased>, Unreadable> {
        let mut groups: BTreeMap<i64, Vec<String>> = indexes.iter().map(|seq| (*seq, Vec::new())).collect();
        for indexes in indexes.chunks(ROWS) {
            let mut query = among("SELECT seq, grp FROM log_payload WHERE seq IN (", indexes);
            query.push(" ORDER BY seq, grp");
            let rows: Vec<(i64, String)> =
                self.ask(query.build_query_as().persistent(false).fetch_all(&self.readers)).await?;
            for (seq, group) in rows {
                groups.entry(seq).or_default().push(group);
            }
        }
        Ok(groups.into_iter().map(|(seq, groups)| Erased { index: seq.cast_unsigned(), groups }).collect())
    }

    pub(super) async fn last_erasure_of(&self, index: u64) -> Result<Option<StoredEntry>, Unreadable> {
        let last = "SELECT l.seq FROM log_erased e JOIN log_leaf l ON l.entry_id = e.erasure
                    WHERE e.seq = $1 ORDER BY l.seq DESC LIMIT 1";
        let last = sqlx::query_scalar(last).bind(index.cast_signed());
        let last: Option<i64> = self.ask(last.fetch_optional(&self.readers)).await?;
        match last {
            Some(seq) => self.at(seq).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Which entries are of a class.
fn of_class(query: &mut QueryBuilder<Db>, class: RecordClass) {
    let (column, not, words): (_, _, Vec<&'static str>) = match members(class) {
        Members::Decisions(outcomes) => {
            query.push("l.kind IN (").push_bind(EntryKind::Decision.word()).push(", ");
            query.push_bind(EntryKind::Enquiry.word()).push(") AND ");
            ("l.outcome", "", outcomes.iter().map(|outcome| outcome.word()).collect())
        }
        Members::Kinds(kinds) => ("l.kind", "", kinds.iter().map(|kind| kind.word()).collect()),
        Members::AllBut(kinds) => ("l.kind", " NOT", kinds.iter().map(|kind| kind.word()).collect()),
    };
    query.push(column).push(not).push(" IN (");
    let mut list = query.separated(", ");
    for word in words {
        list.push_bind(word);
    }
    query.push(")");
}

/// What can go of an entry: its payload, and a determination whose payload an earlier version erased without it.
fn has_something(query: &mut QueryBuilder<Db>, class: RecordClass) {
    query.push(" AND (EXISTS (SELECT 1 FROM log_payload p WHERE p.seq = l.seq)");
    if class == RecordClass::Determination {
        query.push(" OR EXISTS (SELECT 1 FROM determination d WHERE d.id = l.entry_id)");
    }
    query.push(")");
}

/// Whether determination `d` was still in force at a time or after it.
fn in_force_at(query: &mut QueryBuilder<Db>, at: Timestamp) {
    query.push("(").push(ENDED).push(" IS NULL OR ").push(ENDED).push(" >= ").push_bind(second(at)).push(")");
}

/// Whole seconds without a zone sort before every written time of that second.
fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Something has happened that bears on erasure.
pub(super) async fn count_event(connection: &mut Connection) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE log_retention SET events = events + 1").execute(connection).await.map(|_| ())
}

/// Takes groups of entries with their salts, and what the entries are found by unless they can still be told. Answers
/// whether a determination went too.
pub(super) async fn erase(
    connection: &mut Connection,
    by: &str,
    at: Timestamp,
    as_of: u64,
    entries: &[Erased],
    findable: bool,
) -> Result<bool, Refused> {
    let claim = sqlx::query("UPDATE log_retention SET events = events + 1 WHERE events = $1").bind(as_of.cast_signed());
    if claim.execute(&mut *connection).await?.rows_affected() == 0 {
        return Err(moved());
    }
    let groups: Vec<(i64, &str)> = entries
        .iter()
        .flat_map(|entry| entry.groups.iter().map(|group| (entry.index.cast_signed(), group.as_str())))
        .collect();
    let indexes: Vec<i64> = entries.iter().map(|entry| entry.index.cast_signed()).collect();
    // First the record: SQLite lets nothing go without it.
    record(connection, by, &indexes, &groups).await?;
    take(connection, &groups).await?;
    if findable {
        return Ok(false);
    }
    let mut determinations = 0;
    for indexes in indexes.chunks(ROWS) {
        // Decisions turn on it, so its record stays.
        if are_in_force(connection, indexes, at).await? {
            return Err(moved());
        }
        determinations += forget(connection, indexes).await?;
    }
    Ok(determinations > 0)
}

/// Somebody else was there first: what the leaf says would not be so.
const fn moved() -> Refused {
    Refused::Unmet(Unmet::Moved)
}

/// Says what goes by an erasure, whose leaf will name the same.
async fn record(
    connection: &mut Connection,
    by: &str,
    indexes: &[i64],
    groups: &[(i64, &str)],
) -> Result<(), sqlx::Error> {
    for indexes in indexes.chunks(ROWS) {
        let mut note = QueryBuilder::<Db>::new("INSERT INTO log_erased (seq, erasure) ");
        note.push_values(indexes, |mut row, seq| {
            row.push_bind(*seq).push_bind(by);
        });
        note.build().persistent(false).execute(&mut *connection).await?;
    }
    for groups in groups.chunks(ROWS) {
        let mut note = QueryBuilder::<Db>::new("INSERT INTO log_erased_group (erasure, seq, grp) ");
        note.push_values(groups, |mut row, (seq, group)| {
            row.push_bind(by).push_bind(*seq).push_bind(*group);
        });
        note.build().persistent(false).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Takes groups with their salts, all of them or none.
async fn take(connection: &mut Connection, groups: &[(i64, &str)]) -> Result<(), Refused> {
    for groups in groups.chunks(ROWS) {
        let mut delete = QueryBuilder::<Db>::new("DELETE FROM log_payload WHERE (seq, grp) IN (");
        delete.push_values(groups, |mut row, (seq, group)| {
            row.push_bind(*seq).push_bind(*group);
        });
        delete.push(")");
        let deleted = delete.build().persistent(false).execute(&mut *connection).await?.rows_affected();
        if deleted != groups.len() as u64 {
            return Err(moved());
        }
    }
    Ok(())
}

/// Whether a determination that one of the entries records is in force.
async fn are_in_force(connection: &mut Connection, indexes: &[i64], at: Timestamp) -> Result<bool, sqlx::Error> {
    let recorded = "SELECT d.id FROM determination d JOIN log_leaf l ON l.entry_id = d.id WHERE l.seq IN (";
    let mut query = among(recorded, indexes);
    query.push(" AND ");
    in_force_at(&mut query, at);
    query.push(" LIMIT 1");
    let found: Option<String> = query.build_query_scalar().persistent(false).fetch_optional(connection).await?;
    Ok(found.is_some())
}

/// Deletes what entries are found by and what they made; answers how many determinations went. The rules that decided,
/// which name nobody, stay as long as there is something that a hold on a rule could cover.
async fn forget(connection: &mut Connection, indexes: &[i64]) -> Result<u64, sqlx::Error> {
    for (statement, rest) in [
        ("DELETE FROM log_search WHERE seq IN (", ""),
        ("DELETE FROM log_idempotency WHERE seq IN (", ""),
        ("UPDATE referral SET document = NULL, person = NULL WHERE seq IN (", ""),
        (
            "DELETE FROM log_search_rule WHERE seq IN (",
            " AND NOT EXISTS (SELECT 1 FROM log_payload p WHERE p.seq = log_search_rule.seq)",
        ),
        ("DELETE FROM log_hold WHERE id IN (SELECT entry_id FROM log_leaf WHERE seq IN (", ")"),
    ] {
        delete_among(connection, statement, indexes, rest).await?;
    }
    let recorded = "DELETE FROM determination WHERE id IN (SELECT l.entry_id FROM log_leaf l WHERE l.seq IN (";
    let whole = " AND NOT EXISTS (SELECT 1 FROM log_payload p WHERE p.seq = l.seq))";
    delete_among(connection, recorded, indexes, whole).await
}

async fn delete_among(
    connection: &mut Connection,
    statement: &'static str,
    indexes: &[i64],
    rest: &'static str,
) -> Result<u64, sqlx::Error> {
    let mut statement = among(statement, indexes);
    statement.push(rest);
    Ok(statement.build().persistent(false).execute(connection).await?.rows_affected())
}

fn among(statement: &'static str, indexes: &[i64]) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new(statement);
    let mut list = query.separated(", ");
    for index in indexes {
        list.push_bind(*index);
    }
    query.push(")");
    query
}
