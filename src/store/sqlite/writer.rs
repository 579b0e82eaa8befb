//! The one task that writes: it takes what waits, commits it together, and only then answers.

use std::{fs::File, sync::Arc};

use arc_swap::ArcSwap;
use sqlx::{Connection, SqliteConnection};
use tokio::sync::mpsc;

use super::{
    batch::{Batch, Outcome},
    fault::{Fault, Refused},
    job::{Job, Verdict},
    place::Place,
};
use crate::pip::{Indexed, Snapshot};

/// How many jobs share a commit at most. With more the commit itself becomes what is waited for.
const BATCH: usize = 256;

pub(super) struct Writer {
    pub place: Place,
    /// `None` after a fault: the next batch begins on a new connection, which undoes what the last left open.
    pub connection: Option<SqliteConnection>,
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    /// Held until the connection is closed.
    pub lock: File,
}

impl Writer {
    /// Until every sender is gone and what they sent is committed.
    pub async fn run(mut self, mut queue: mpsc::Receiver<Job>) {
        let mut jobs = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut jobs, BATCH).await > 0 {
            // Nobody would hear the answer.
            jobs.retain(|job: &Job| !job.reply.is_closed());
            if !jobs.is_empty() {
                self.answer(std::mem::take(&mut jobs)).await;
            }
        }
        self.close().await;
        drop(self.lock);
    }

    async fn answer(&mut self, jobs: Vec<Job>) {
        let verdicts = match self.commit(&jobs).await {
            Ok(verdicts) => verdicts,
            Err(fault) => {
                self.close().await;
                let fault = Arc::new(fault);
                jobs.iter().map(|_| Err(Refused::Unwritable(Arc::clone(&fault)))).collect()
            }
        };
        for (job, verdict) in jobs.into_iter().zip(verdicts) {
            // Whoever went away meanwhile finds the entry in the log.
            let _ = job.reply.send(verdict);
        }
    }

    /// One transaction. What it changed is in force before anyone is answered.
    async fn commit(&mut self, jobs: &[Job]) -> Result<Vec<Verdict>, Fault> {
        let in_force = self.snapshot.load().facts_version;
        let mut batch = Batch::begin(self.connection().await?, jobs).await?;
        let mut verdicts = Vec::with_capacity(jobs.len());
        for job in jobs {
            verdicts.push(batch.admit(job).await?);
        }
        let outcome = batch.flush(in_force).await?;
        if let Err(error) = sqlx::query("COMMIT").execute(self.connection().await?).await
            && !self.took_effect(&outcome).await
        {
            return Err(Fault::Commit(error));
        }
        self.publish(outcome);
        Ok(verdicts)
    }

    async fn connection(&mut self) -> Result<&mut SqliteConnection, Fault> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.place.writer().await.map_err(Fault::Closed)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Whether a commit that reported an error is on disk all the same. Looked up on a new connection, which sees
    /// only what is.
    async fn took_effect(&mut self, outcome: &Outcome) -> bool {
        self.close().await;
        let (Some(leaf), Ok(connection)) = (outcome.last_leaf, self.connection().await) else { return false };
        let there = "SELECT EXISTS (SELECT 1 FROM log_leaf WHERE leaf_hash = ?)";
        sqlx::query_scalar(there).bind(leaf.as_slice()).fetch_one(connection).await.unwrap_or(false)
    }

    fn publish(&self, outcome: Outcome) {
        let current = self.snapshot.load();
        let facts_version = outcome.head.facts_version;
        let register = match outcome.register {
            Some(register) => Arc::new(Indexed::new(register)),
            None if facts_version == current.facts_version => return,
            None => Arc::clone(&current.register),
        };
        self.snapshot.store(Arc::new(Snapshot { facts_version, register }));
    }

    async fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            // An error here has nobody left to tell: the file is as the last commit left it.
            let _ = connection.close().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use tokio::sync::oneshot;

    use super::*;
    use crate::{
        audit::{EntryKind, NewEntry, entry},
        store::sqlite::{job::Record, place},
    };

    /// A writer on a new database, and how many commits it has made.
    async fn writer(directory: &tempfile::TempDir) -> (Writer, Arc<AtomicUsize>) {
        let place = Place::find(&directory.path().join("a.db"), Duration::from_secs(1)).expect("made");
        let lock = place.lock().await.expect("locked");
        let mut connection = place.writer().await.expect("open");
        place::prepare(&mut connection).await.expect("migrated");
        let commits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&commits);
        connection.lock_handle().await.expect("a handle").set_commit_hook(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            true
        });
        let empty = Snapshot { facts_version: 0, register: Arc::new(Indexed::new(None)) };
        let snapshot = Arc::new(ArcSwap::from_pointee(empty));
        (Writer { place, connection: Some(connection), snapshot, lock }, commits)
    }

    fn job(id: &str) -> (Job, oneshot::Receiver<Verdict>) {
        let entry = NewEntry {
            kind: EntryKind::LogRead,
            id: id.to_owned(),
            at: jiff::Timestamp::UNIX_EPOCH,
            outcome: None,
            policy_bundle: "sha256:0a".to_owned(),
            facts_version: None,
            payload: vec![("request", serde_json::json!({"by": "b1"}))],
            search: None,
            idempotency: None,
            erased: None,
        };
        let sealed = entry::seal(&entry).expect("sealed");
        let (reply, answer) = oneshot::channel();
        (Job { records: vec![Record { entry, sealed }], change: None, reply }, answer)
    }

    #[tokio::test]
    async fn what_waits_together_is_committed_together() {
        let directory = tempfile::tempdir().expect("a directory");
        let (writer, commits) = writer(&directory).await;
        let (queue, jobs) = mpsc::channel(400);
        let mut answers = Vec::new();
        for at in 0..300 {
            let (job, answer) = job(&format!("e-{at}"));
            queue.try_send(job).map_err(|_| ()).expect("room");
            answers.push(answer);
        }
        drop(queue);
        writer.run(jobs).await;
        for (at, answer) in (0..).zip(answers) {
            assert_eq!(answer.await.expect("answered").expect("durable").first, at);
        }
        assert_eq!(commits.load(Ordering::SeqCst), 2, "256 entries, then 44");
    }

    #[tokio::test]
    async fn an_entry_that_nobody_waits_for_any_more_is_left_out() {
        let directory = tempfile::tempdir().expect("a directory");
        let (mut writer, commits) = writer(&directory).await;
        let ((gone, no_answer), (waiting, answer)) = (job("e-0"), job("e-1"));
        let (queue, jobs) = mpsc::channel(4);
        drop(no_answer);
        queue.try_send(gone).map_err(|_| ()).expect("room");
        queue.try_send(waiting).map_err(|_| ()).expect("room");
        let place = writer.place.clone();
        writer.connection = None;
        drop(queue);
        writer.run(jobs).await;
        assert_eq!(answer.await.expect("answered").expect("durable").first, 0);
        let mut reader = place.writer().await.expect("open");
        let ids: Vec<String> =
            sqlx::query_scalar("SELECT entry_id FROM log_leaf").fetch_all(&mut reader).await.expect("readable");
        assert_eq!(ids, ["e-1"]);
        assert_eq!(commits.load(Ordering::SeqCst), 0, "the connection that was lost was replaced");
    }

    #[tokio::test]
    async fn a_commit_of_unclear_outcome_is_looked_up() {
        let directory = tempfile::tempdir().expect("a directory");
        let (mut writer, _) = writer(&directory).await;
        let ((first, _first), (second, _second)) = (job("e-0"), job("e-1"));
        let leaves = [&first, &second].map(|job| job.records.first().expect("one").sealed.leaf_hash);
        writer.commit(&[first]).await.expect("durable");
        let mut outcomes = Vec::new();
        for last_leaf in [Some(leaves[0]), Some(leaves[1]), None] {
            let head = super::super::batch::Head { size: 1, epoch: 1, facts_version: 0, peaks: Default::default() };
            outcomes.push(writer.took_effect(&Outcome { head, last_leaf, register: None }).await);
        }
        assert_eq!(outcomes, [true, false, false]);
    }

    #[tokio::test]
    async fn facts_that_moved_on_unseen_are_read_again() {
        let directory = tempfile::tempdir().expect("a directory");
        let (mut writer, _) = writer(&directory).await;
        let authority = r#"{"id": "exampleton", "name": "Exampleton Council", "governance": "executive"}"#;
        let connection = writer.connection().await.expect("open");
        sqlx::query("INSERT INTO register_authority VALUES (1, ?)")
            .bind(authority)
            .execute(connection)
            .await
            .expect("in");
        let connection = writer.connection().await.expect("open");
        sqlx::query("UPDATE log_head SET facts_version = 1").execute(connection).await.expect("counted");
        let (job, _answer) = job("e-0");
        writer.commit(&[job]).await.expect("durable");
        let snapshot = writer.snapshot.load();
        assert_eq!(snapshot.facts_version, 1);
        assert!(snapshot.register.register.is_some());
    }
}
