//! What the service does for its log without being asked: it beats, signs, sends checkpoints out, and looks through
//! what it keeps.
//!
//! Looking through is for what no question would find: each round takes up the next entries, hashes their leaves, opens
//! their payloads, looks for the act that erased what is not there, and compares them with the tree. What does not fit is
//! told by its index, and the service is not ready any more.

use std::{ops::Range, sync::Arc, time::Duration};

use serde_json::Value;

use super::{
    App,
    evidence::{CheckpointError, Signed},
};
use crate::{
    audit::{
        EntryKind, NewEntry, RawEntry,
        accounted::Missing,
        entry::{self, Hash},
        merkle::{self, Node, Span},
    },
    pip::Unreadable,
    publish::Publisher,
};

/// Entries looked through in a round: a power of two, so that they are one perfect subtree.
const STRIDE: u64 = 1024;

/// What looking through found.
#[derive(Debug, thiserror::Error)]
pub enum Found {
    #[error("entry {index} is not as it was appended")]
    Altered { index: u64 },
    #[error("entry {index} has lost its `{group}`, which no act erased")]
    Lost { index: u64, group: String },
    #[error("entries {from} to {to} are not those that the tree was grown over")]
    Otherwise { from: u64, to: u64 },
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// Until the service ends.
pub async fn rounds(app: Arc<App>, publisher: Publisher, every: Duration) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut next = 0;
    loop {
        ticks.tick().await;
        let done = match app.heartbeat().await {
            Ok(signed) => {
                let grew = async |from, to| app.consistent(from, to).await.ok().flatten();
                let cosigned = publisher.publish(&signed.note, signed.checkpoint.size, grew).await;
                app.keep_outside(&signed, cosigned).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::error!(error = %error, "the log could not be signed");
        }
        match app.look_through(next).await {
            Ok(after) => next = after,
            Err(error) => {
                tracing::error!(error = %error, "the log was looked through");
                next += STRIDE;
            }
        }
    }
}

impl App {
    /// Records that the service is there, then signs: without it, silence could not be told from a gap.
    pub async fn heartbeat(&self) -> Result<Signed, CheckpointError> {
        let entry = NewEntry { payload: Vec::new(), ..self.of_the_service(EntryKind::Heartbeat, Value::Null) };
        self.store.append(entry).await.map_err(CheckpointError::Unkept)?;
        self.checkpoint().await
    }

    /// Looks through entries from an index on; gives where to go on, the beginning after the end.
    pub async fn look_through(&self, from: u64) -> Result<u64, Found> {
        let found = self.compare(from).await;
        if !matches!(found, Ok(_) | Err(Found::Unreadable(_))) {
            self.checkpoints.unsound();
        }
        found
    }

    async fn compare(&self, from: u64) -> Result<u64, Found> {
        let size = self.store.head().await?.peaks.size();
        let from = if from >= size { 0 } else { from - from % STRIDE };
        let to = (from + STRIDE).min(size);
        let (mut leaves, mut missing) = (Vec::new(), Missing::default());
        while from + (leaves.len() as u64) < to {
            let at = from + leaves.len() as u64;
            let limit = u32::try_from(to - at).unwrap_or(u32::MAX).min(128);
            let page = self.store.raw(at, limit).await?;
            if page.is_empty() {
                return Err(Found::Otherwise { from, to });
            }
            for (index, raw) in (at..).zip(&page) {
                leaves.push(leaf(raw, &mut missing).filter(|_| raw.index == index).ok_or(Found::Altered { index })?);
            }
        }
        self.account(from..to, missing).await?;
        let nodes = Span(from..to).nodes();
        let kept = self.store.hashes(&nodes).await?;
        let mut rest = leaves.as_slice();
        for (node, kept) in nodes.iter().zip(kept) {
            let (of_node, after) = rest.split_at_checked(1 << node.level).unwrap_or((rest, &[]));
            rest = after;
            if node.level > 0 && merkle::fold(&perfect(of_node)) != Some(kept) {
                let Node { level, index } = *node;
                return Err(Found::Otherwise { from: index << level, to: (index + 1) << level });
            }
        }
        Ok(if to == size { 0 } else { to })
    }

    /// Looks for the acts that erased what entries lack.
    async fn account(&self, of: Range<u64>, mut missing: Missing) -> Result<(), Found> {
        if missing.first().is_some() {
            for (_, act) in self.store.erasures(of).await? {
                missing.erased(&act);
            }
        }
        match missing.first() {
            Some((index, group)) => Err(Found::Lost { index, group: group.to_owned() }),
            None => Ok(()),
        }
    }
}

/// The hash of an entry's leaf, if both its halves are as they were appended; what it lacks is noted.
fn leaf(raw: &RawEntry, missing: &mut Missing) -> Option<Hash> {
    let (leaf, _) = entry::unseal(&raw.leaf, &raw.leaf_hash, &raw.groups).ok()?;
    missing.note(raw.index, &leaf, |name| raw.groups.iter().any(|group| group.name == name)).ok()?;
    raw.leaf_hash.as_slice().try_into().ok()
}

/// The peaks of leaves.
fn perfect(leaves: &[Hash]) -> Vec<Hash> {
    let mut peaks = merkle::Peaks::default();
    for leaf in leaves {
        peaks.push(*leaf);
    }
    peaks.hashes().to_vec()
}
