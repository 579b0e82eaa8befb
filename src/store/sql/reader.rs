//! What the log holds, read with nothing but connections that read: no lock, no key, no register.
//!
//! The store reads through it, and so does whoever reads beside a running service. It does not check what it gives:
//! halves of entries are for whoever checks them.

use std::{
    collections::{BTreeMap, HashMap},
    future::Future,
    ops::Range,
    time::Duration,
};

use jiff::Timestamp;
use sqlx::{Pool, QueryBuilder};

use super::{
    dialect::{Db, answered},
    facts::{parse, unreadable},
    fault::Fault,
    store::Store,
    tree,
};
use crate::{
    audit::{
        Head, KeptCheckpoint, LogReader, RawEntry,
        entry::{Group, Hash, Leaf},
        merkle::Node,
    },
    domain::retention::Erasing,
    pip::Unreadable,
};

/// A row of `log_leaf`: index, epoch, leaf, leaf hash.
pub(super) type LeafRow = (i64, i64, Vec<u8>, Vec<u8>);

/// A row of `log_payload`: index, group, salt, body.
type PayloadRow = (i64, String, Vec<u8>, String);

/// Connections that read, and how long to wait for what they give.
pub struct Reader {
    pub(super) readers: Pool<Db>,
    pub(super) patience: Duration,
}

impl Reader {
    async fn ask<T, E>(&self, query: impl Future<Output = Result<T, E>>) -> Result<T, Unreadable>
    where
        E: std::error::Error + From<sqlx::Error> + Send + Sync + 'static,
    {
        answered(self.patience, query).await.map_err(unreadable)
    }

    /// The groups not yet erased, by the index of their entry.
    pub(super) async fn groups(&self, rows: &[LeafRow]) -> Result<HashMap<i64, Vec<Group>>, Unreadable> {
        let mut groups: HashMap<i64, Vec<Group>> = HashMap::new();
        for rows in rows.chunks(super::change::ROWS) {
            let mut query = QueryBuilder::<Db>::new("SELECT seq, grp, salt, body FROM log_payload WHERE seq IN (");
            let mut list = query.separated(", ");
            for (seq, ..) in rows {
                list.push_bind(*seq);
            }
            query.push(") ORDER BY seq, grp");
            let query = query.build_query_as::<PayloadRow>().persistent(false);
            for (seq, name, salt, body) in self.ask(query.fetch_all(&self.readers)).await? {
                let salt = salt.try_into().map_err(|_| unreadable(Fault::Damaged("salt")))?;
                groups.entry(seq).or_default().push(Group { name, salt, body });
            }
        }
        Ok(groups)
    }
}

impl Store {
    pub(super) fn reader(&self) -> Reader {
        Reader { readers: self.readers.clone(), patience: self.place.patience }
    }
}

#[async_trait::async_trait]
impl LogReader for Reader {
    async fn raw(&self, from: u64, limit: u32) -> Result<Vec<RawEntry>, Unreadable> {
        let rows = "SELECT seq, epoch, leaf, leaf_hash FROM log_leaf WHERE seq >= $1 ORDER BY seq LIMIT $2";
        let rows = sqlx::query_as(rows).bind(from.cast_signed()).bind(i64::from(limit));
        let rows: Vec<LeafRow> = self.ask(rows.fetch_all(&self.readers)).await?;
        let mut groups = self.groups(&rows).await?;
        let raw = |(seq, epoch, leaf, leaf_hash): LeafRow| RawEntry {
            index: seq.cast_unsigned(),
            epoch: epoch.cast_unsigned(),
            leaf,
            leaf_hash,
            groups: groups.remove(&seq).unwrap_or_default(),
        };
        Ok(rows.into_iter().map(raw).collect())
    }

    async fn head(&self) -> Result<Head, Unreadable> {
        let head = sqlx::query_as("SELECT size, epoch, peaks FROM log_head");
        let (size, epoch, peaks): (i64, i64, Vec<u8>) = self.ask(head.fetch_one(&self.readers)).await?;
        let peaks = tree::peaks(size.cast_unsigned(), &peaks).map_err(unreadable)?;
        Ok(Head { epoch: epoch.cast_unsigned(), peaks })
    }

    async fn hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Unreadable> {
        self.ask(tree::hashes(&self.readers, nodes)).await
    }

    async fn checkpoint(&self) -> Result<Option<KeptCheckpoint>, Unreadable> {
        let newest = "SELECT epoch, size, note FROM log_checkpoint ORDER BY epoch DESC, size DESC LIMIT 1";
        let newest: Option<(i64, i64, String)> = self.ask(sqlx::query_as(newest).fetch_optional(&self.readers)).await?;
        let kept = |(epoch, size, note): (i64, i64, String)| KeptCheckpoint {
            epoch: epoch.cast_unsigned(),
            size: size.cast_unsigned(),
            note,
        };
        Ok(newest.map(kept))
    }

    async fn indexes(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<Range<u64>, Unreadable> {
        let mut query = QueryBuilder::<Db>::new("SELECT min(seq), max(seq) FROM log_leaf WHERE TRUE");
        if let Some(from) = from {
            query.push(" AND at >= ").push_bind(from.as_microsecond());
        }
        if let Some(to) = to {
            query.push(" AND at < ").push_bind(to.as_microsecond());
        }
        let found: (Option<i64>, Option<i64>) = self.ask(query.build_query_as().fetch_one(&self.readers)).await?;
        Ok(match found {
            (Some(first), Some(last)) => first.cast_unsigned()..last.cast_unsigned() + 1,
            _ => 0..0,
        })
    }

    async fn erasures(&self, of: Range<u64>) -> Result<Vec<(u64, Erasing)>, Unreadable> {
        let acts = "SELECT l.seq, l.leaf FROM log_leaf l
                    WHERE l.entry_id IN (SELECT erasure FROM log_erased WHERE seq >= $1 AND seq < $2) ORDER BY l.seq";
        let acts = sqlx::query_as(acts).bind(of.start.cast_signed()).bind(of.end.cast_signed());
        let acts: Vec<(i64, Vec<u8>)> = self.ask(acts.fetch_all(&self.readers)).await?;
        // An act that cannot be read accounts for nothing.
        let took = |leaf: &[u8]| serde_json::from_slice::<Leaf>(leaf).ok()?.erased;
        Ok(acts.into_iter().filter_map(|(seq, leaf)| Some((seq.cast_unsigned(), took(&leaf)?))).collect())
    }

    async fn policies(&self, hash: &str) -> Result<Option<BTreeMap<String, String>>, Unreadable> {
        let kept = sqlx::query_scalar("SELECT files FROM policy_bundle WHERE hash = $1").bind(hash);
        let kept: Option<String> = self.ask(kept.fetch_optional(&self.readers)).await?;
        kept.map(|files| parse("bundle", &files)).transpose().map_err(unreadable)
    }
}

#[async_trait::async_trait]
impl LogReader for Store {
    async fn raw(&self, from: u64, limit: u32) -> Result<Vec<RawEntry>, Unreadable> {
        self.reader().raw(from, limit).await
    }

    async fn head(&self) -> Result<Head, Unreadable> {
        self.reader().head().await
    }

    async fn hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Unreadable> {
        self.reader().hashes(nodes).await
    }

    async fn checkpoint(&self) -> Result<Option<KeptCheckpoint>, Unreadable> {
        self.reader().checkpoint().await
    }

    async fn indexes(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<Range<u64>, Unreadable> {
        self.reader().indexes(from, to).await
    }

    async fn erasures(&self, of: Range<u64>) -> Result<Vec<(u64, Erasing)>, Unreadable> {
        self.reader().erasures(of).await
    }

    async fn policies(&self, hash: &str) -> Result<Option<BTreeMap<String, String>>, Unreadable> {
        self.reader().policies(hash).await
    }
}
