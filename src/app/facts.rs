//! Writes of the council's facts: register and documents. Each is logged with what was written.

use serde_json::json;

use super::{App, Caller};
use crate::{
    audit::{AppendError, EntryKind, Unmet, Write, Written},
    pip::Change,
};

#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    #[error(transparent)]
    Unmet(Unmet),
    #[error("the log has too many entries waiting")]
    Busy,
    #[error("the write cannot be recorded")]
    Unrecorded(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl App {
    /// In force for every decision acknowledged after this returns.
    pub async fn write(&self, caller: &Caller, change: Change, if_version: Option<u64>) -> Result<Written, WriteError> {
        let kind = match change {
            Change::AdoptPolicies { .. } => EntryKind::PoliciesInForce,
            Change::PutDocument(_) | Change::DeleteDocument(_) => EntryKind::DocumentWrite,
            _ => EntryKind::RegisterWrite,
        };
        let entry = self.act(kind, caller, told(&change));
        self.store.write(Write { change, if_version }, entry).await.map_err(WriteError::from)
    }
}

impl From<AppendError> for WriteError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Precondition(unmet) => Self::Unmet(unmet),
            AppendError::Full => Self::Busy,
            other => Self::Unrecorded(other.into()),
        }
    }
}

/// The write, as the log keeps it.
fn told(change: &Change) -> serde_json::Value {
    match change {
        Change::ReplaceRegister(register) => json!({"replace_register": register}),
        Change::Import { from, register, documents } => {
            json!({"import": {"from": from, "register": register, "documents": documents}})
        }
        Change::PutGroup(group) => json!({"put_group": group}),
        Change::PutWard(ward) => json!({"put_ward": ward}),
        Change::PutBody(body) => json!({"put_body": body}),
        Change::PutPerson(person) => json!({"put_person": person}),
        Change::DeleteGroup(id) => json!({"delete_group": id}),
        Change::DeleteWard(id) => json!({"delete_ward": id}),
        Change::DeleteBody(id) => json!({"delete_body": id}),
        Change::DeletePerson(id) => json!({"delete_person": id}),
        Change::PutDocument(document) => json!({"put_document": document}),
        Change::DeleteDocument(id) => json!({"delete_document": id}),
        Change::Determine { id, entered, .. } => json!({"determine": id, "entered": entered}),
        Change::Withdraw(id) => json!({"withdraw": id}),
        Change::CloseReferral { referral, determination } => {
            json!({"close_referral": referral, "determination": determination})
        }
        Change::KeepCheckpoint { size, .. } => json!({"keep_checkpoint": size}),
        Change::OpenEpoch { epoch } => json!({"open_epoch": epoch}),
        Change::PlaceHold { id, .. } => json!({"place_hold": id}),
        Change::ReleaseHold(id) => json!({"release_hold": id}),
        Change::Erase { entries, .. } => json!({"erase": entries.len()}),
        Change::AdoptPolicies { hash, .. } => json!({"policies": hash}),
    }
}
