//! Reads the log for those entitled. Each read is itself logged before it is answered.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    App, Caller,
    again::{Lack, Made, NoPolicies},
};
use crate::{
    audit::{Answered, AppendError, EntryKind, LogFilter, StoredEntry},
    domain::{id::Id, retention::Erasing, words::ErasedUnder},
    pap::callers::{Circumstances, Errand},
    pip::{Page, PageRequest, Unreadable},
};

#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    #[error("the caller may not read this")]
    NotAllowed,
    /// Also what a caller is told who may not see the record: whether it exists is part of what is kept.
    #[error("there is no such decision")]
    NotFound,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the reading cannot be recorded")]
    Unrecorded(#[source] AppendError),
    /// What the answer would be made of is gone, or was made under policies not kept.
    #[error("what this would be told from is not kept")]
    NotKept,
    #[error("what this would be told from has been erased")]
    Erased(Gone),
}

/// When something was erased, and on what ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    pub at: Timestamp,
    pub under: ErasedUnder,
}

impl From<Lack> for HistoryError {
    fn from(_: Lack) -> Self {
        Self::NotKept
    }
}

impl From<NoPolicies> for HistoryError {
    fn from(error: NoPolicies) -> Self {
        match error {
            NoPolicies::Unreadable(error) => error.into(),
            NoPolicies::NotMet(_) | NoPolicies::Altered(_) | NoPolicies::Unloadable(..) => Self::NotKept,
        }
    }
}

impl App {
    /// One decision, read back.
    pub async fn read_decision(&self, caller: &Caller, id: &str) -> Result<StoredEntry, HistoryError> {
        let visible = self.find_decision(caller, id).await?;
        let kept = ["request", "answer"].iter().all(|group| visible.group(group).is_some());
        if kept { Ok(visible) } else { Err(self.not_kept(visible.position.index).await) }
    }

    /// One decision, whatever of it was erased.
    pub(super) async fn find_decision(&self, caller: &Caller, id: &str) -> Result<StoredEntry, HistoryError> {
        let entry = self.store.entry(id).await?.filter(|entry| entry.kind.is_answer());
        let circumstances = entry.as_ref().map(|entry| Circumstances {
            about_self: concerns(entry, caller),
            own: made_by(entry, caller),
            addressed: false,
            nobody_known: false,
        });
        let allowed = self.allows(caller, Errand::ReadDecision, circumstances.unwrap_or_default());
        let visible = entry.filter(|_| allowed).ok_or(HistoryError::NotFound)?;
        self.log_read(caller, json!({"decision": id})).await?;
        Ok(visible)
    }

    /// A decision with all it takes to make it again.
    pub(super) async fn made(&self, entry: &StoredEntry) -> Result<Made, HistoryError> {
        match Made::of(&entry.payload) {
            Ok(made) => Ok(made),
            Err(Lack::NotKept(_)) => Err(self.not_kept(entry.position.index).await),
            Err(lack) => Err(lack.into()),
        }
    }

    /// Why an entry cannot be told from: what became of it, where that is on record.
    pub(super) async fn not_kept(&self, index: u64) -> HistoryError {
        match self.store.erasure_of(index).await {
            Ok(Some(StoredEntry { at, erased: Some(Erasing { under, .. }), .. })) => {
                HistoryError::Erased(Gone { at, under })
            }
            Ok(_) => HistoryError::NotKept,
            Err(error) => error.into(),
        }
    }

    /// Decisions, newest first.
    pub async fn list_decisions(
        &self,
        caller: &Caller,
        filter: LogFilter,
        page: PageRequest,
    ) -> Result<Page<StoredEntry>, HistoryError> {
        let about_self = match (&filter.person, &caller.person) {
            // Others may have enquired about them, and that is not theirs to know.
            (Some(asked), Some(own)) => asked == own.as_str() && filter.kind == Answered::Decision,
            _ => false,
        };
        if !self.allows(caller, Errand::ListDecisions, Circumstances { about_self, ..Circumstances::default() }) {
            return Err(HistoryError::NotAllowed);
        }
        self.log_read(caller, json!({"list": describe(&filter)})).await?;
        Ok(self.store.decisions(&filter, &page).await?)
    }

    /// Enters a reading in the log.
    pub async fn log_read(&self, caller: &Caller, what: Value) -> Result<(), HistoryError> {
        let entry = self.act(EntryKind::LogRead, caller, what);
        self.store.append(entry).await.map(|_| ()).map_err(HistoryError::Unrecorded)
    }
}

/// Whether the entry was made at this caller's request.
pub(super) fn made_by(entry: &StoredEntry, caller: &Caller) -> bool {
    entry.group("caller").and_then(Value::as_str) == Some(&caller.name)
}

/// Whether an answer is about the caller and the caller's to know: what others asked beforehand is theirs.
fn concerns(entry: &StoredEntry, caller: &Caller) -> bool {
    is_about(entry, caller.person.as_ref()) && (entry.kind != EntryKind::Enquiry || made_by(entry, caller))
}

fn is_about(entry: &StoredEntry, person: Option<&Id>) -> bool {
    let principal = entry.group("request").and_then(|request| request.pointer("/principal/id")).and_then(Value::as_str);
    person.is_some_and(|person| principal == Some(person.as_str()))
}

fn describe(filter: &LogFilter) -> Value {
    json!({
        "person": filter.person, "document": filter.document, "outcome": filter.outcome, "rule": filter.rule,
        "from": filter.from, "to": filter.to, "kind": filter.kind.kind(),
    })
}
