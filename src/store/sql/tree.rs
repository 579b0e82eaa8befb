//! The tree over the leaves, as rows: a hash for each perfect subtree, and the head's peaks.

use std::collections::HashMap;

use sqlx::{Pool, QueryBuilder};

use super::{
    change::ROWS,
    dialect::{BEGIN, Connection, Db},
    fault::{Fault, Refused},
};
use crate::audit::{
    entry::Hash,
    merkle::{Node, Peaks},
};

/// Leaves read at a time while a tree is grown over a log that has none.
const STRIDE: i64 = 10_000;

/// The peaks as the head keeps them, one after the other.
pub(super) fn peaks(size: u64, bytes: &[u8]) -> Result<Peaks, Fault> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    let whole = Peaks::new(size, hashes.to_vec()).filter(|_| rest.is_empty());
    whole.ok_or(Fault::Damaged("head of the log"))
}

/// Appends leaves to the tree, in the transaction that appends their entries.
pub(super) async fn grow(
    connection: &mut Connection,
    peaks: &mut Peaks,
    leaves: impl Iterator<Item = Hash>,
) -> Result<(), sqlx::Error> {
    let made: Vec<(Node, Hash)> = leaves.flat_map(|leaf| peaks.push(leaf)).collect();
    for made in made.chunks(ROWS) {
        let mut insert = QueryBuilder::<Db>::new("INSERT INTO log_node (place, hash) ");
        insert.push_values(made, |mut row, (node, hash)| {
            row.push_bind(node.place().cast_signed()).push_bind(hash.as_slice());
        });
        insert.build().persistent(made.len() == 1).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A log kept before there was a tree gets one, over all its entries.
pub(super) async fn grow_over_existing(connection: &mut Connection) -> Result<(), Fault> {
    let grown = "SELECT peaks IS NOT NULL FROM log_head";
    let grown: Option<bool> = sqlx::query_scalar(grown).fetch_optional(&mut *connection).await?;
    if grown != Some(false) {
        return Ok(());
    }
    sqlx::query(BEGIN).execute(&mut *connection).await?;
    let mut peaks = Peaks::default();
    loop {
        let leaves = "SELECT leaf_hash FROM log_leaf WHERE seq >= $1 ORDER BY seq LIMIT $2";
        let leaves = sqlx::query_scalar(leaves).bind(peaks.size().cast_signed()).bind(STRIDE);
        let leaves: Vec<Vec<u8>> = leaves.fetch_all(&mut *connection).await?;
        let leaves: Vec<Hash> = leaves
            .into_iter()
            .map(|leaf| leaf.try_into().map_err(|_| Fault::Damaged("leaf hash")))
            .collect::<Result<_, _>>()?;
        if leaves.is_empty() {
            break;
        }
        grow(connection, &mut peaks, leaves.into_iter()).await?;
    }
    let keep = sqlx::query("UPDATE log_head SET peaks = $1").bind(peaks.hashes().concat());
    keep.execute(&mut *connection).await?;
    sqlx::query("COMMIT").execute(connection).await?;
    Ok(())
}

/// The log's name: the one it was given first.
pub(super) async fn origin(connection: &mut Connection, given: &str) -> Result<String, sqlx::Error> {
    let name = sqlx::query("UPDATE log_head SET origin = $1 WHERE origin IS NULL").bind(given);
    name.execute(&mut *connection).await?;
    sqlx::query_scalar("SELECT origin FROM log_head").fetch_one(connection).await
}

/// The hashes of perfect subtrees, in the order asked.
pub(super) async fn hashes(readers: &Pool<Db>, nodes: &[Node]) -> Result<Vec<Hash>, Fault> {
    let mut found: HashMap<Node, Hash> = HashMap::with_capacity(nodes.len());
    for (of_leaves, select) in [
        (true, "SELECT seq, leaf_hash FROM log_leaf WHERE seq IN ("),
        (false, "SELECT place, hash FROM log_node WHERE place IN ("),
    ] {
        let key = |node: &Node| if of_leaves { node.index } else { node.place() };
        let wanted: HashMap<u64, Node> =
            nodes.iter().filter(|node| (node.level == 0) == of_leaves).map(|node| (key(node), *node)).collect();
        let keys: Vec<u64> = wanted.keys().copied().collect();
        for keys in keys.chunks(ROWS) {
            let mut query = QueryBuilder::<Db>::new(select);
            let mut list = query.separated(", ");
            for key in keys {
                list.push_bind(key.cast_signed());
            }
            query.push(")");
            let rows = query.build_query_as::<(i64, Vec<u8>)>().persistent(false).fetch_all(readers).await?;
            for (key, hash) in rows {
                let hash = Hash::try_from(hash).map_err(|_| Fault::Damaged("hash of the tree"))?;
                if let Some(node) = wanted.get(&key.cast_unsigned()) {
                    found.insert(*node, hash);
                }
            }
        }
    }
    let at = |node: &Node| found.get(node).copied().ok_or(Fault::Damaged("tree"));
    nodes.iter().map(at).collect()
}

/// Keeps a checkpoint; one of the same size is kept as it was first signed.
pub(super) async fn keep_checkpoint(
    connection: &mut Connection,
    epoch: u64,
    size: u64,
    note: &str,
) -> Result<bool, Refused> {
    let keep = "INSERT INTO log_checkpoint (epoch, size, note) SELECT $1, $2, $3
                WHERE NOT EXISTS (SELECT 1 FROM log_checkpoint WHERE epoch = $1 AND size = $2)";
    let keep = sqlx::query(keep).bind(epoch.cast_signed()).bind(size.cast_signed()).bind(note);
    Ok(keep.execute(connection).await?.rows_affected() == 1)
}
