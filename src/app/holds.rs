//! Holds: what has been asked for, complained of or sued over is not erased while they last.
//!
//! A hold is placed on a matter, so it covers what comes later too. It ends only when somebody releases it, and keeps
//! for a while after (the schedule says how long, by its kind). What it says stands in the entry that placed it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{App, Caller, Idempotency, facts::WriteError, history::HistoryError, new_id};
use crate::{
    audit::{AppendError, EntryKind, NewEntry, Unmet, Write, retention::StoredHold},
    domain::{
        hold::{Placing, Scope},
        id::Id,
        words::HoldStatus,
    },
    pip::{Change, Page, PageRequest},
};

#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// Pointer and what was expected.
    #[error("the scope names nothing that can be held")]
    Scope(&'static str, &'static str),
    #[error("the hold has been released already")]
    Released,
    #[error("the idempotency key was used with another body")]
    KeyReused,
    #[error(transparent)]
    Read(#[from] HistoryError),
    #[error(transparent)]
    Write(WriteError),
}

/// A hold, with what was said when it was placed.
pub struct Hold {
    pub id: Id,
    pub placed: Placing,
    pub placed_at: Timestamp,
    pub placed_by: Value,
    pub released_at: Option<Timestamp>,
    /// Until when it still keeps what it covers, once it is released.
    pub keeps_until: Option<Timestamp>,
}

impl App {
    pub async fn place_hold(
        &self,
        caller: &Caller,
        placing: Placing,
        idempotency: Option<Idempotency>,
    ) -> Result<Hold, HoldError> {
        self.check_scope(&placing.scope).await?;
        let name = new_id();
        let id = Id::try_from(name.clone()).map_err(|error| HoldError::Write(WriteError::Unrecorded(error.into())))?;
        let entry = NewEntry {
            id: name,
            payload: vec![("caller", json!(caller.name)), ("hold", json!(placing))],
            idempotency: idempotency.map(|sent| sent.of(caller, None)),
            ..self.act(EntryKind::Hold, caller, json!(null))
        };
        let change = Change::PlaceHold { id: id.clone(), kind: placing.kind, scope: placing.scope };
        let id = match self.store.write(Write { change, if_version: None }, entry).await {
            Ok(_) => id,
            Err(AppendError::Repeated { same_body: true, first }) => {
                Id::try_from(first.id).map_err(|_| HistoryError::NotKept)?
            }
            Err(AppendError::Repeated { same_body: false, .. }) => return Err(HoldError::KeyReused),
            Err(other) => return Err(HoldError::Write(other.into())),
        };
        Ok(self.hold(&id).await?)
    }

    pub async fn release_hold(&self, caller: &Caller, id: Id) -> Result<(), HoldError> {
        let entry = self.act(EntryKind::HoldReleased, caller, json!({"hold": id}));
        let write = Write { change: Change::ReleaseHold(id), if_version: None };
        match self.store.write(write, entry).await {
            Ok(_) => Ok(()),
            Err(AppendError::Precondition(Unmet::Closed)) => Err(HoldError::Released),
            Err(other) => Err(HoldError::Write(other.into())),
        }
    }

    pub async fn read_hold(&self, caller: &Caller, id: &Id) -> Result<Hold, HistoryError> {
        let hold = self.hold(id).await?;
        self.log_read(caller, json!({"hold": id})).await?;
        Ok(hold)
    }

    /// Holds, newest first. One whose record has been erased is in no list.
    pub async fn list_holds(
        &self,
        caller: &Caller,
        status: Option<HoldStatus>,
        page: PageRequest,
    ) -> Result<Page<Hold>, HistoryError> {
        self.log_read(caller, json!({"holds": {"status": status}})).await?;
        let page = self.store.holds(status, &page).await?;
        Ok(Page {
            items: page.items.into_iter().filter_map(|stored| self.told_hold(stored)).collect(),
            next: page.next,
        })
    }

    async fn hold(&self, id: &Id) -> Result<Hold, HistoryError> {
        if let Some(hold) = self.store.hold(id).await?.and_then(|stored| self.told_hold(stored)) {
            return Ok(hold);
        }
        match self.store.entry(id.as_str()).await?.filter(|entry| entry.kind == EntryKind::Hold) {
            Some(entry) => Err(self.not_kept(entry.position.index).await),
            None => Err(HistoryError::NotFound),
        }
    }

    fn told_hold(&self, stored: StoredHold) -> Option<Hold> {
        let placed: Placing = serde_json::from_value(stored.entry.group("hold")?.clone()).ok()?;
        let after = self.retention.after.period(placed.kind);
        Some(Hold {
            id: stored.id,
            placed,
            placed_at: stored.entry.at,
            placed_by: stored.entry.group("caller").cloned().unwrap_or_default(),
            released_at: stored.released_at,
            keeps_until: stored.released_at.and_then(|released| after.from(released)),
        })
    }

    /// A decision must be there to be kept. People and papers need not be: they may have left the register.
    async fn check_scope(&self, scope: &Scope) -> Result<(), HoldError> {
        if let (Some(from), Some(to)) = (scope.from, scope.to)
            && to < from
        {
            return Err(HoldError::Scope("/scope/to", "is before `from`"));
        }
        let Some(id) = &scope.decision else { return Ok(()) };
        let entry = self.store.entry(id.as_str()).await.map_err(HistoryError::from)?;
        match entry.filter(|entry| entry.kind.is_answer()) {
            None => Err(HoldError::Scope("/scope/decision", "is not a decision on record")),
            Some(entry) if entry.payload.is_empty() => {
                Err(HoldError::Scope("/scope/decision", "is a decision that is no longer kept"))
            }
            Some(_) => Ok(()),
        }
    }
}

impl Hold {
    pub fn status(&self) -> HoldStatus {
        if self.released_at.is_some() { HoldStatus::Released } else { HoldStatus::Open }
    }

    /// As it leaves the service.
    pub fn to_json(&self) -> Value {
        let placed = &self.placed;
        json!({
            "id": self.id, "status": self.status(), "kind": placed.kind, "reference": placed.reference,
            "reason": placed.reason, "scope": placed.scope, "placed_at": self.placed_at, "placed_by": self.placed_by,
            "released_at": self.released_at, "keeps_until": self.keeps_until,
        })
    }
}
