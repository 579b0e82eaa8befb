//! Lets go of what the log need not keep: by the schedule, and on a person's decision.
//!
//! Each erasure is an entry. It goes through the writer like any change, in batches small enough that nobody waits
//! long for an answer, and each batch is whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{App, Caller, Idempotency, facts::WriteError, history::HistoryError};
use crate::{
    audit::{AppendError, EntryKind, NewEntry, StoredEntry, Unmet, Write},
    domain::{
        decision::LogPosition,
        id::Id,
        retention::{Due, Erased, Erasing, ErasureRequest, Groups},
        words::{ErasedUnder, ErasureOutcome, RecordClass},
    },
    pip::{Change, Unreadable},
};

/// How many entries one transaction erases at most.
const BATCH: u32 = 500;
/// How many bytes of a leaf may name what was erased: a leaf has to fit where 65,535 bytes do.
const LEAF_BYTES: usize = 48_000;
/// How often an erasure is tried again because something that bears on it has happened meanwhile.
const ATTEMPTS: usize = 8;
/// Groups without any of which a decision can no longer be found and read.
const NEEDED: [&str; 3] = ["answer", "caller", "request"];

#[derive(Debug, thiserror::Error)]
pub enum EraseError {
    /// Pointer and what was expected.
    #[error("the request names nothing that can be erased")]
    Unknown(&'static str, &'static str),
    /// Somebody has asked for it, complains or goes to law.
    #[error("a hold covers it")]
    Held(Id),
    #[error("the idempotency key was used with another body")]
    KeyReused,
    #[error("what may be erased keeps changing")]
    Unsettled,
    #[error(transparent)]
    Read(#[from] HistoryError),
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<Unreadable> for EraseError {
    fn from(error: Unreadable) -> Self {
        Self::Read(error.into())
    }
}

/// What was done about a request, with its place in the log.
pub struct Erasure {
    id: String,
    request: Value,
    recorded_at: jiff::Timestamp,
    recorded_by: Value,
    log: LogPosition,
}

impl App {
    /// Erases groups of one decision because somebody decided so, or records that it was refused.
    pub async fn erase(
        &self,
        caller: &Caller,
        request: ErasureRequest,
        idempotency: Option<Idempotency>,
    ) -> Result<Erasure, EraseError> {
        for _ in 0..ATTEMPTS {
            if let Some(sent) = &idempotency {
                match self.store.repeated(&sent.of(caller, None).key).await? {
                    Some((first, hash)) if hash == sent.body_hash => return first_erasure(first),
                    Some(_) => return Err(EraseError::KeyReused),
                    None => {}
                }
            }
            match self.try_to_erase(caller, &request, idempotency.as_ref()).await {
                Err(EraseError::Unsettled) => {}
                done => return done,
            }
        }
        Err(EraseError::Unsettled)
    }

    async fn try_to_erase(
        &self,
        caller: &Caller,
        request: &ErasureRequest,
        idempotency: Option<&Idempotency>,
    ) -> Result<Erasure, EraseError> {
        let as_of = self.store.retention_events().await?;
        let entry = self.store.entry(request.decision.as_str()).await?;
        let entry = entry.filter(|entry| entry.kind.is_answer() || entry.kind == EntryKind::Audience);
        let entry = entry.ok_or(EraseError::Unknown("/decision", "is not a decision on record"))?;
        let index = entry.position.index;
        if entry.payload.is_empty() {
            return Err(self.not_kept(index).await.into());
        }
        let groups = wanted(&entry, &request.groups)?;
        let told = json!({
            "decision": request.decision, "groups": groups, "outcome": request.outcome, "basis": request.basis,
            "authorised_by": request.authorised_by,
        });
        let act = |kind, erased| NewEntry {
            payload: vec![("caller", json!(caller.name)), ("erasure", told.clone())],
            idempotency: idempotency.map(|sent| sent.of(caller, None)),
            erased,
            ..self.act(kind, caller, json!(null))
        };
        if request.outcome == ErasureOutcome::Refused {
            let entry = act(EntryKind::ErasureRefused, None);
            let (id, at) = (entry.id.clone(), entry.at);
            let log = self.store.append(entry).await.map_err(unsettled)?;
            return Ok(Erasure { id, request: told, recorded_at: at, recorded_by: json!(caller.name), log });
        }
        if let Some(hold) = self.store.covering(index, &self.retention.after.ended(self.clock.now())).await? {
            let refusal = json!({"erasure": request.decision, "hold": hold});
            self.store.append(self.act(EntryKind::Refusal, caller, refusal)).await.map_err(WriteError::from)?;
            return Err(EraseError::Held(hold));
        }
        let findable = !groups.iter().any(|group| NEEDED.contains(&group.as_str()));
        let erasing = Erasing { under: ErasedUnder::Request, entries: vec![Erased { index, groups }] };
        let entry = act(EntryKind::Erasure, Some(erasing));
        let (id, at) = (entry.id.clone(), entry.at);
        let log = self.record(entry, as_of, findable).await?;
        self.scrub(false).await;
        Ok(Erasure { id, request: told, recorded_at: at, recorded_by: json!(caller.name), log })
    }

    /// Erases what is due, or only counts it: how many entries of each class.
    pub async fn erase_due(&self, dry_run: bool) -> Result<BTreeMap<RecordClass, u64>, EraseError> {
        let mut counts = BTreeMap::new();
        for due in self.retention.due(self.clock.now()) {
            counts.insert(due.class, self.erase_class(&due, dry_run).await?);
        }
        Ok(counts)
    }

    async fn erase_class(&self, due: &Due, dry_run: bool) -> Result<u64, EraseError> {
        let (mut count, mut after, mut attempts) = (0, None, 0);
        loop {
            let as_of = self.store.retention_events().await?;
            let mut entries = self.store.due(due, after, BATCH).await?;
            fit_a_leaf(&mut entries);
            let Some(last) = entries.last().map(|entry| entry.index) else { return Ok(count) };
            let found = entries.len() as u64;
            if !dry_run {
                match self.erase_batch(due.class, as_of, entries).await {
                    Err(EraseError::Unsettled) if attempts < ATTEMPTS => {
                        attempts += 1;
                        continue;
                    }
                    done => done?,
                };
            }
            (count, after, attempts) = (count + found, Some(last), 0);
        }
    }

    async fn erase_batch(&self, class: RecordClass, as_of: u64, entries: Vec<Erased>) -> Result<(), EraseError> {
        let service = Caller::service();
        let what = json!({"class": class, "period": self.retention.period(class), "entries": entries.len()});
        let entry = NewEntry {
            payload: vec![("caller", json!(service.name)), ("erasure", what)],
            erased: Some(Erasing { under: ErasedUnder::Schedule, entries }),
            ..self.act(EntryKind::Erasure, &service, json!(null))
        };
        self.record(entry, as_of, false).await.map(|_| ())
    }

    /// What the leaf says is what is erased.
    async fn record(&self, entry: NewEntry, as_of: u64, findable: bool) -> Result<LogPosition, EraseError> {
        let entries = entry.erased.as_ref().map(|erasing| erasing.entries.clone()).unwrap_or_default();
        let change = Change::Erase { by: entry.id.clone(), as_of, entries, findable };
        let written = self.store.write(Write { change, if_version: None }, entry).await.map_err(unsettled)?;
        Ok(written.position)
    }

    /// Rids the files of what the erased left in them. What was erased is erased, whatever becomes of this.
    pub async fn scrub(&self, leisure: bool) -> bool {
        let clean = self.store.scrub(leisure).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "the files were not rid of what was erased");
            false
        });
        if !clean {
            tracing::warn!("fragments of what was erased may be left in the files until they are rewritten");
        }
        clean
    }
}

/// What happened meanwhile asks for another look: something that bears on erasure, or the same request.
fn unsettled(error: AppendError) -> EraseError {
    match error {
        AppendError::Precondition(Unmet::Moved) | AppendError::Repeated { .. } => EraseError::Unsettled,
        other => EraseError::Write(other.into()),
    }
}

/// The groups asked for, all of them still kept.
fn wanted(entry: &StoredEntry, groups: &Groups) -> Result<Vec<String>, EraseError> {
    let kept: BTreeSet<&String> = entry.payload.iter().map(|(name, _)| name).collect();
    match groups {
        Groups::Every(_) => Ok(kept.into_iter().cloned().collect()),
        Groups::Named(named) if named.iter().all(|name| kept.contains(name)) => Ok(named.iter().cloned().collect()),
        Groups::Named(_) => Err(EraseError::Unknown("/groups", "names a group that is not kept of this decision")),
    }
}

/// Leaves for the next batch what one leaf cannot name.
fn fit_a_leaf(entries: &mut Vec<Erased>) {
    let mut bytes = 0;
    let fitting = entries.iter().take_while(|entry| {
        // `{"groups":[…],"index":…},` with twenty digits, and quotes and a comma for each group.
        bytes += 43 + entry.groups.iter().map(|group| group.len() + 3).sum::<usize>();
        bytes <= LEAF_BYTES
    });
    let fitting = fitting.count().max(1);
    entries.truncate(fitting);
}

/// What was done when the same request came first.
fn first_erasure(first: StoredEntry) -> Result<Erasure, EraseError> {
    let request = first.group("erasure").cloned().ok_or(HistoryError::NotKept)?;
    let recorded_by = first.group("caller").cloned().unwrap_or_default();
    Ok(Erasure { id: first.id, request, recorded_at: first.at, recorded_by, log: first.position })
}

impl Erasure {
    /// As it leaves the service.
    pub fn to_json(&self) -> Value {
        let mut told = json!({
            "id": self.id, "recorded_at": self.recorded_at, "recorded_by": self.recorded_by, "log": self.log,
        });
        if let (Some(told), Some(request)) = (told.as_object_mut(), self.request.as_object()) {
            told.extend(request.clone());
        }
        told
    }
}
