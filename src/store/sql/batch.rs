//! One transaction: which of the waiting jobs may enter it, and their rows.

use std::collections::{HashMap, HashSet};

use super::{
    change::Prepared,
    dialect::{self, Connection},
    facts::load_register,
    fault::{Fault, Refused},
    job::{Conditional, Done, Job, Record, Verdict},
    rows, tree,
};
use crate::{
    audit::{EntryKind, NewEntry, Unmet, entry::Hash, merkle::Peaks},
    domain::register::Register,
};

/// An open transaction, and what the log will be when it commits.
pub(super) struct Batch<'c, 'j> {
    connection: &'c mut Connection,
    head: Head,
    began_at: u64,
    /// Every idempotency key the jobs name that is taken, before or in this batch.
    keys: HashMap<String, (Hash, u64)>,
    /// Every id the jobs name that is taken.
    ids: HashSet<String>,
    rows: Vec<(u64, &'j Record)>,
    admitted: bool,
    register_changed: bool,
}

#[derive(Clone)]
pub(super) struct Head {
    pub size: u64,
    pub epoch: u64,
    pub facts_version: u64,
    pub peaks: Peaks,
    /// The hash of those in force.
    pub policies: Option<String>,
}

/// A row of `log_head`: size, epoch, facts version, peaks, policies.
type HeadRow = (i64, i64, i64, Vec<u8>, Option<String>);

/// What is in force once the transaction has committed.
pub(super) struct Outcome {
    pub head: Head,
    /// By which a commit of unclear outcome is looked up.
    pub last_leaf: Option<Hash>,
    /// Where it is not the one in force before.
    pub register: Option<Option<Register>>,
}

impl<'c, 'j> Batch<'c, 'j> {
    /// In a transaction that has just begun: the head is read first, and locked where others may write too.
    pub async fn begin(connection: &'c mut Connection, jobs: &'j [Job]) -> Result<Self, Fault> {
        let (size, epoch, version, peaks, policies): HeadRow =
            sqlx::query_as(dialect::HEAD).fetch_one(&mut *connection).await?;
        let head = Head {
            size: size.cast_unsigned(),
            epoch: epoch.cast_unsigned(),
            facts_version: version.cast_unsigned(),
            peaks: tree::peaks(size.cast_unsigned(), &peaks)?,
            policies,
        };
        let keys = rows::taken_keys(connection, jobs).await?;
        let ids = rows::taken_ids(connection, jobs).await?;
        let began_at = head.facts_version;
        Ok(Self { connection, head, began_at, keys, ids, rows: Vec::new(), admitted: false, register_changed: false })
    }

    /// Lets a job in or refuses it; either way the others are not touched. A fault is the whole batch's.
    pub async fn admit(&mut self, job: &'j Job) -> Result<Verdict, Fault> {
        if let Some(refused) = self.refusal(job) {
            return Ok(Err(refused));
        }
        let created = match &job.change {
            None => false,
            Some(change) => match self.change(change).await? {
                Ok(created) => created,
                Err(refused) => return Ok(Err(refused)),
            },
        };
        Ok(Ok(self.take(job, created)))
    }

    fn refusal(&self, job: &Job) -> Option<Refused> {
        let mut keys = job.records.iter().filter_map(|record| record.entry.idempotency.as_ref());
        let repeated = keys.find_map(|key| Some((key, self.keys.get(&key.key)?)));
        if let Some((key, (hash, seq))) = repeated {
            return Some(Refused::Repeated { same_body: *hash == key.body_hash, seq: *seq });
        }
        if job.records.iter().any(|record| self.is_stale(&record.entry)) {
            return Some(Refused::Stale);
        }
        let mut named = HashSet::new();
        let taken = |id| !named.insert(id) || self.ids.contains(id);
        job.records.iter().map(|record| &record.entry.id).any(taken).then(|| Fault::RepeatedId.into())
    }

    /// Whether an entry rests on facts or policies that are not in force any more.
    fn is_stale(&self, entry: &NewEntry) -> bool {
        let facts = entry.facts_version.is_some_and(|at| at != self.head.facts_version);
        let rests_on_policies = entry.facts_version.is_some() || entry.kind == EntryKind::Determination;
        let others = self.head.policies.as_ref().is_some_and(|in_force| *in_force != entry.policy_bundle);
        facts || (rests_on_policies && others)
    }

    async fn change(&mut self, write: &Conditional) -> Result<Result<bool, Refused>, Fault> {
        if write.if_version.is_some_and(|version| version != self.head.facts_version) {
            return Ok(Err(Refused::Unmet(Unmet::Version)));
        }
        // So that a change which fails half-way leaves nothing, and the rest of the batch as it was.
        sqlx::query("SAVEPOINT change").execute(&mut *self.connection).await?;
        let applied = write.change.apply(&mut *self.connection).await;
        if let Ok(applied) = applied {
            self.head.facts_version += u64::from(write.change.is_of_facts(applied));
            // Whoever opens an epoch is alone with the log: no other entry is in this batch.
            if let Prepared::OpenEpoch(epoch) = write.change {
                self.head.epoch = epoch;
            }
            self.register_changed |= write.change.is_of_register();
            if let Prepared::AdoptPolicies { hash, .. } = &write.change {
                self.head.policies = Some(hash.clone());
            }
        } else {
            sqlx::query("ROLLBACK TO change").execute(&mut *self.connection).await?;
        }
        sqlx::query("RELEASE change").execute(&mut *self.connection).await?;
        Ok(applied)
    }

    fn take(&mut self, job: &'j Job, created: bool) -> Done {
        let first = self.head.size;
        for (seq, record) in (first..).zip(&job.records) {
            self.ids.insert(record.entry.id.clone());
            if let Some(key) = &record.entry.idempotency {
                // Where the entries of one job share a key, it stands for the first of them.
                self.keys.entry(key.key.clone()).or_insert((key.body_hash, seq));
            }
            self.rows.push((seq, record));
        }
        self.head.size += job.records.len() as u64;
        self.admitted = true;
        Done { first, epoch: self.head.epoch, facts_version: self.head.facts_version, created }
    }

    /// Writes the rows, ready to commit. `in_force` is the version that everyone now sees: where it is not the one
    /// this transaction began with, the register is read again whatever the jobs were.
    pub async fn flush(mut self, in_force: u64) -> Result<Outcome, Fault> {
        rows::insert(self.connection, self.head.epoch, &self.rows).await?;
        let leaves = self.rows.iter().map(|(_, record)| record.sealed.leaf_hash);
        tree::grow(self.connection, &mut self.head.peaks, leaves).await?;
        if self.admitted {
            sqlx::query("UPDATE log_head SET size = $1, epoch = $2, facts_version = $3, peaks = $4, policies = $5")
                .bind(self.head.size.cast_signed())
                .bind(self.head.epoch.cast_signed())
                .bind(self.head.facts_version.cast_signed())
                .bind(self.head.peaks.hashes().concat())
                .bind(&self.head.policies)
                .execute(&mut *self.connection)
                .await?;
        }
        let register = match self.register_changed || self.began_at != in_force {
            true => Some(load_register(self.connection).await?),
            false => None,
        };
        let last_leaf = self.rows.last().map(|(_, record)| record.sealed.leaf_hash);
        Ok(Outcome { head: self.head, last_leaf, register })
    }
}
