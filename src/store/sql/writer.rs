//! The one task that writes: it takes what waits, commits it together, and only then answers.

use std::{sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use sqlx::Connection as _;
use tokio::sync::mpsc;

use super::{
    batch::{Batch, Outcome},
    dialect::{self, BEGINS_AGAIN, Connection, answered},
    fault::{Fault, Refused},
    job::{Job, Verdict},
    place::Place,
};
use crate::{
    audit::entry::Hash,
    pip::{Indexed, Snapshot},
    telemetry::metrics,
};

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
        let began = Instant::now();
        let verdicts = match self.commit(&jobs).await {
            Ok(verdicts) => {
                let entered = jobs.iter().zip(&verdicts).filter(|(_, verdict)| verdict.is_ok());
                match entered.map(|(job, _)| job.records.len()).sum() {
                    // Somebody looked whether it could.
                    0 => {}
                    entries => metrics::committed(entries, began.elapsed()),
                }
                verdicts
            }
            Err(fault) => {
                self.close().await;
                let fault = Arc::new(fault);
                metrics::refused(jobs.iter().map(|job| job.records.len()).sum(), "unavailable");
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
        let (patience, in_force) = (self.place.patience, self.snapshot.load().facts_version);
        self.begin().await?;
        let (verdicts, outcome) = answered(patience, fill(self.connection().await?, jobs, in_force)).await?;
        let commit = sqlx::query("COMMIT").execute(self.connection().await?);
        if let Err(error) = answered(patience, commit).await
            && !self.took_effect(&outcome).await
        {
            return Err(Fault::Commit(error));
        }
        self.publish(outcome);
        Ok(verdicts)
    }

    /// Begins a transaction, on a new connection where the one at hand was lost since the last.
    async fn begin(&mut self) -> Result<(), Fault> {
        let is_new = self.connection.is_none();
        match self.begin_here().await {
            Err(_) if BEGINS_AGAIN && !is_new => {
                self.close().await;
                self.begin_here().await
            }
            begun => begun,
        }
    }

    async fn begin_here(&mut self) -> Result<(), Fault> {
        let patience = self.place.patience;
        let begin = sqlx::query(dialect::BEGIN).execute(self.connection().await?);
        answered(patience, begin).await?;
        Ok(())
    }

    pub(super) async fn connection(&mut self) -> Result<&mut Connection, Fault> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.place.writer().await.map_err(Fault::Closed)?,
        };
        Ok(self.connection.insert(connection))
    }

    /// Whether a commit that reported an error is on disk all the same. Where that cannot be found out, nobody is told
    /// that it is.
    pub(super) async fn took_effect(&mut self, outcome: &Outcome) -> bool {
        self.close().await;
        let Some(leaf) = outcome.last_leaf else { return false };
        let found = self.look_up(leaf).await;
        if found.is_err() {
            self.close().await;
        }
        found.unwrap_or(false)
    }

    /// On a new connection, which sees only what is, and behind the lock of the head: a commit still under way has it.
    async fn look_up(&mut self, leaf: Hash) -> Result<bool, Fault> {
        let patience = self.place.patience;
        self.begin().await?;
        let connection = self.connection().await?;
        answered(patience, async {
            sqlx::query(dialect::HEAD).execute(&mut *connection).await?;
            let there = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM log_leaf WHERE leaf_hash = $1)");
            let there = there.bind(leaf.as_slice()).fetch_one(&mut *connection).await?;
            sqlx::query("ROLLBACK").execute(connection).await?;
            Ok(there)
        })
        .await
    }

    fn publish(&self, outcome: Outcome) {
        let current = self.snapshot.load();
        let (facts_version, policies) = (outcome.head.facts_version, outcome.head.policies);
        let register = match outcome.register {
            Some(register) => Arc::new(Indexed::new(register)),
            None if (facts_version, &policies) == (current.facts_version, &current.policies) => return,
            None => Arc::clone(&current.register),
        };
        self.snapshot.store(Arc::new(Snapshot { facts_version, register, policies }));
    }

    async fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            // An error here has nobody left to tell: the database is as the last commit left it.
            let _ = answered(self.place.patience, connection.close()).await;
        }
    }
}

/// All of a transaction between its beginning and its commit.
async fn fill(connection: &mut Connection, jobs: &[Job], in_force: u64) -> Result<(Vec<Verdict>, Outcome), Fault> {
    let mut batch = Batch::begin(connection, jobs).await?;
    let mut verdicts = Vec::with_capacity(jobs.len());
    for job in jobs {
        verdicts.push(batch.admit(job).await?);
    }
    Ok((verdicts, batch.flush(in_force).await?))
}
