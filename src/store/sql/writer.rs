//! The one task that writes: it takes what waits, commits it together, and only then answers.

use std::sync::Arc;

use arc_swap::ArcSwap;
use sqlx::Connection as _;
use tokio::sync::mpsc;

use super::{
    batch::{Batch, Outcome},
    dialect::Connection,
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
    pub connection: Option<Connection>,
    pub snapshot: Arc<ArcSwap<Snapshot>>,
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
    pub(super) async fn commit(&mut self, jobs: &[Job]) -> Result<Vec<Verdict>, Fault> {
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

    pub(super) async fn connection(&mut self) -> Result<&mut Connection, Fault> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.place.writer().await.map_err(Fault::Closed)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Whether a commit that reported an error is on disk all the same. Looked up on a new connection, which sees
    /// only what is.
    pub(super) async fn took_effect(&mut self, outcome: &Outcome) -> bool {
        self.close().await;
        let (Some(leaf), Ok(connection)) = (outcome.last_leaf, self.connection().await) else { return false };
        let there = "SELECT EXISTS (SELECT 1 FROM log_leaf WHERE leaf_hash = $1)";
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
