//! The rows of log entries, many to a statement: a statement of its own for each would cost more than the disk.

use std::collections::{HashMap, HashSet};

use sqlx::{QueryBuilder, query_builder::Separated};

use super::{
    change::ROWS,
    dialect::{Connection, Db},
    fault::Fault,
    job::{Job, Record},
};
use crate::{audit::entry::Hash, domain::referral::Raised};

/// An entry with its index.
pub(super) type Numbered<'j> = (u64, &'j Record);

/// The ids that the jobs name and the log has.
pub(super) async fn taken_ids(connection: &mut Connection, jobs: &[Job]) -> Result<HashSet<String>, sqlx::Error> {
    let ids: Vec<&str> = records(jobs).map(|record| record.entry.id.as_str()).collect();
    let mut taken = HashSet::new();
    for ids in ids.chunks(ROWS) {
        let mut query = among("SELECT entry_id FROM log_leaf WHERE entry_id IN (", ids);
        let query = query.build_query_scalar::<String>().persistent(false);
        taken.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(taken)
}

/// The idempotency keys that the jobs name and the log has, each with its body and its entry.
pub(super) async fn taken_keys(
    connection: &mut Connection,
    jobs: &[Job],
) -> Result<HashMap<String, (Hash, u64)>, Fault> {
    let keys = records(jobs).filter_map(|record| record.entry.idempotency.as_ref());
    let keys: Vec<&str> = keys.map(|key| key.key.as_str()).collect();
    let mut taken = HashMap::new();
    for keys in keys.chunks(ROWS) {
        let mut query = among("SELECT key, body_hash, seq FROM log_idempotency WHERE key IN (", keys);
        let query = query.build_query_as::<(String, Vec<u8>, i64)>().persistent(false);
        for (key, hash, seq) in query.fetch_all(&mut *connection).await? {
            let hash = Hash::try_from(hash).map_err(|_| Fault::Damaged("idempotency key"))?;
            taken.insert(key, (hash, seq.cast_unsigned()));
        }
    }
    Ok(taken)
}

/// Writes all there is to entries but the head.
pub(super) async fn insert(
    connection: &mut Connection,
    epoch: u64,
    entries: &[Numbered<'_>],
) -> Result<(), sqlx::Error> {
    insert_leaves(connection, epoch, entries).await?;
    insert_payloads(connection, entries).await?;
    insert_search(connection, entries).await?;
    insert_rules(connection, entries).await?;
    insert_referrals(connection, entries).await?;
    insert_keys(connection, entries).await
}

async fn insert_leaves(connection: &mut Connection, epoch: u64, entries: &[Numbered<'_>]) -> Result<(), sqlx::Error> {
    let into = "INSERT INTO log_leaf (seq, epoch, kind, leaf, leaf_hash, entry_id, at, outcome) ";
    insert_all(connection, into, entries, |mut row, (seq, record)| {
        row.push_bind(seq.cast_signed()).push_bind(epoch.cast_signed()).push_bind(record.entry.kind.word());
        row.push_bind(&*record.sealed.leaf).push_bind(record.sealed.leaf_hash.as_slice());
        row.push_bind(record.entry.id.as_str()).push_bind(record.entry.at.as_microsecond());
        row.push_bind(record.entry.outcome.map(|outcome| outcome.word()));
    })
    .await
}

async fn insert_payloads(connection: &mut Connection, entries: &[Numbered<'_>]) -> Result<(), sqlx::Error> {
    let groups = entries.iter().flat_map(|(seq, record)| record.sealed.groups.iter().map(move |group| (*seq, group)));
    let into = "INSERT INTO log_payload (seq, grp, salt, body) ";
    insert_all(connection, into, &groups.collect::<Vec<_>>(), |mut row, (seq, group)| {
        row.push_bind(seq.cast_signed()).push_bind(group.name.as_str());
        row.push_bind(group.salt.as_slice()).push_bind(group.body.as_str());
    })
    .await
}

async fn insert_search(connection: &mut Connection, entries: &[Numbered<'_>]) -> Result<(), sqlx::Error> {
    let keys = entries.iter().filter_map(|(seq, record)| Some((*seq, record.entry.search.as_ref()?)));
    let into = "INSERT INTO log_search (seq, person, document, action) ";
    insert_all(connection, into, &keys.collect::<Vec<_>>(), |mut row, (seq, keys)| {
        row.push_bind(seq.cast_signed()).push_bind(keys.person.as_str());
        row.push_bind(keys.document.as_str()).push_bind(keys.action.word());
    })
    .await
}

async fn insert_rules(connection: &mut Connection, entries: &[Numbered<'_>]) -> Result<(), sqlx::Error> {
    let searched = entries.iter().filter_map(|(seq, record)| Some((*seq, record.entry.search.as_ref()?)));
    // A rule may have decided several parts: it is one row.
    let rules: HashSet<(u64, &str)> =
        searched.flat_map(|(seq, keys)| keys.rules.iter().map(move |rule| (seq, rule.as_str()))).collect();
    let into = "INSERT INTO log_search_rule (seq, rule) ";
    insert_all(connection, into, &rules.into_iter().collect::<Vec<_>>(), |mut row, (seq, rule)| {
        row.push_bind(seq.cast_signed()).push_bind(*rule);
    })
    .await
}

async fn insert_referrals(connection: &mut Connection, entries: &[Numbered<'_>]) -> Result<(), sqlx::Error> {
    let searched = entries.iter().filter_map(|(seq, record)| Some((*seq, record.entry.search.as_ref()?)));
    let raised: Vec<(u64, &Raised)> =
        searched.flat_map(|(seq, keys)| keys.referrals.iter().map(move |raised| (seq, raised))).collect();
    let into = "INSERT INTO referral (id, seq, document, person, due) ";
    insert_all(connection, into, &raised, |mut row, (seq, raised)| {
        row.push_bind(raised.id.as_str()).push_bind(seq.cast_signed());
        row.push_bind(raised.document.as_str()).push_bind(raised.person.as_str());
        row.push_bind(raised.due.map(|day| day.to_string()));
    })
    .await?;
    let addressed: HashSet<(&str, &str)> =
        raised.iter().flat_map(|(_, raised)| raised.to.iter().map(|role| (raised.id.as_str(), role.word()))).collect();
    let into = "INSERT INTO referral_addressee (referral, role) ";
    insert_all(connection, into, &addressed.into_iter().collect::<Vec<_>>(), |mut row, (referral, role)| {
        row.push_bind(*referral).push_bind(*role);
    })
    .await
}

async fn insert_keys(connection: &mut Connection, entries: &[Numbered<'_>]) -> Result<(), sqlx::Error> {
    let mut named = HashSet::new();
    let keys = entries.iter().filter_map(|(seq, record)| Some((*seq, record.entry.idempotency.as_ref()?)));
    let firsts = keys.filter(|(_, key)| named.insert(key.key.as_str()));
    let into = "INSERT INTO log_idempotency (key, body_hash, seq) ";
    insert_all(connection, into, &firsts.collect::<Vec<_>>(), |mut row, (seq, key)| {
        row.push_bind(key.key.as_str()).push_bind(key.body_hash.as_slice()).push_bind(seq.cast_signed());
    })
    .await
}

async fn insert_all<T>(
    connection: &mut Connection,
    into: &'static str,
    items: &[T],
    mut bind: impl FnMut(Separated<'_, Db, &'static str>, &T),
) -> Result<(), sqlx::Error> {
    for items in items.chunks(ROWS) {
        let mut insert = QueryBuilder::<Db>::new(into);
        insert.push_values(items, &mut bind);
        // Few batches are alike in length, so keeping the statement would only push out those that are.
        insert.build().persistent(items.len() == 1).execute(&mut *connection).await?;
    }
    Ok(())
}

fn records(jobs: &[Job]) -> impl Iterator<Item = &Record> {
    jobs.iter().flat_map(|job| &job.records)
}

fn among(select: &'static str, values: &[&str]) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new(select);
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(*value);
    }
    query.push(")");
    query
}
