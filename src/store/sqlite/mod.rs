//! The store in one SQLite file, for one host: the simplest way to run the service.
//!
//! Reads go to a few connections that cannot write. Everything written goes through one task with the one writing
//! connection, which commits what waits together (*group commit*): a decision pays for a share of one `fsync`.
//!
//! It does not know what a decision says or a policy means, and keeps no copy of anything but the register in force.
//!
//! Worked example: while the disk takes a commit, eleven decisions about Appendix B and a write of Cllr B. One arrive.
//! They are the next transaction: ten decisions take indexes 1234 to 1243, the write takes 1244 and makes the facts
//! version 42; the eleventh decision, behind the write and gathered at 41, is `Stale` and disturbs nobody. One
//! commit, then version 42 is in force, then all twelve are answered.
//!
//! The invariants: indexes have no gap, because they are counted from the head inside the transaction; nobody is
//! answered before the commit; one process writes, because it holds the lock beside the file. A commit of unclear
//! outcome is looked up on a new connection before anyone is answered. If even that fails the answer is
//! `Unwritable`, and should the entry be there after all, nobody was told an outcome; the next batch sees that the
//! facts moved on and reads the register again.
//!
//! Where next: `writer.rs`, then `batch.rs`.

use std::{path::Path, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::mpsc;

use self::{job::Job, place::Place, writer::Writer};
use super::{OpenError, Options};
use crate::{
    audit::key::Signer,
    pip::{Indexed, Snapshot},
};

mod batch;
mod change;
mod facts;
mod fault;
mod job;
mod log;
mod place;
mod reader;
mod referrals;
mod rows;
mod tree;
mod writer;

/// Opens the log in a file to be read, whoever has the lock. Nothing is made, locked or brought forward.
pub async fn read(file: &Path, patience: Duration) -> Result<SqlitePool, OpenError> {
    place::beside(file, patience).await
}

/// Facts and log in one file. When it is dropped, what was queued is still committed, then the file is let go.
pub struct SqliteStore {
    readers: SqlitePool,
    snapshot: Arc<ArcSwap<Snapshot>>,
    queue: mpsc::Sender<Job>,
    signer: Arc<Signer>,
    origin: String,
}

impl SqliteStore {
    pub async fn open(file: &Path, options: Options) -> Result<Self, OpenError> {
        let place = Place::find(file, options.patience)?;
        let lock = place.lock().await?;
        let mut connection = place.writer().await?;
        place::prepare(&mut connection).await?;
        let origin = tree::origin(&mut connection, &options.origin).await.map_err(place::unopenable)?;
        let snapshot = Arc::new(ArcSwap::from_pointee(snapshot(&mut connection).await?));
        let readers = place.readers(options.readers).await?;
        let (queue, jobs) = mpsc::channel(options.queue.max(1));
        let writer = Writer { place, connection: Some(connection), snapshot: Arc::clone(&snapshot), lock };
        tokio::spawn(writer.run(jobs));
        Ok(Self { readers, snapshot, queue, signer: options.signer, origin })
    }
}

async fn snapshot(connection: &mut SqliteConnection) -> Result<Snapshot, OpenError> {
    let version: i64 = sqlx::query_scalar("SELECT facts_version FROM log_head")
        .fetch_one(&mut *connection)
        .await
        .map_err(place::unopenable)?;
    let register = facts::load_register(connection).await.map_err(place::unopenable)?;
    Ok(Snapshot { facts_version: version.cast_unsigned(), register: Arc::new(Indexed::new(register)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{AppendError, DecisionLog, EntryKind, NewEntry};

    fn entry(id: &str) -> NewEntry {
        NewEntry {
            kind: EntryKind::LogRead,
            id: id.to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            outcome: None,
            policy_bundle: "sha256:0a".to_owned(),
            facts_version: None,
            payload: Vec::new(),
            search: None,
            idempotency: None,
        }
    }

    #[tokio::test]
    async fn one_more_than_the_queue_holds_is_refused_at_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = Place::find(&directory.path().join("a.db"), Duration::from_secs(1)).expect("made");
        place::prepare(&mut place.writer().await.expect("open")).await.expect("migrated");
        let empty = Snapshot { facts_version: 0, register: Arc::new(Indexed::new(None)) };
        // A writer that never comes to it.
        let (queue, jobs) = mpsc::channel(1);
        let store = SqliteStore {
            readers: place.readers(1).await.expect("open"),
            snapshot: Arc::new(ArcSwap::from_pointee(empty)),
            queue,
            signer: Arc::new(Signer::fleeting().expect("a key")),
            origin: "log".to_owned(),
        };
        let (mut waits, refused) = (store.append(entry("e-0")), store.append(entry("e-1")));
        tokio::select! {
            biased;
            answer = &mut waits => unreachable!("nobody writes, but {answer:?}"),
            answer = refused => assert!(matches!(answer, Err(AppendError::Full)), "{answer:?}"),
        }
        assert!(store.ready().await.is_err(), "a full store is not ready");
        drop(jobs);
        assert!(matches!(waits.await, Err(AppendError::Unwritable(_))), "the writer has ended");
    }
}
