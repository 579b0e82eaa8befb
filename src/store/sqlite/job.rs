//! What callers hand to the writer, and what it answers.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::change::Prepared;
use crate::{
    audit::{NewEntry, Unmet, entry::Sealed},
    store::OpenError,
};

/// Entries to append together, with the change they record if there is one.
pub(super) struct Job {
    pub records: Vec<Record>,
    pub change: Option<Conditional>,
    pub reply: oneshot::Sender<Verdict>,
}

/// An entry, its payload moved into the sealed half.
pub(super) struct Record {
    pub entry: NewEntry,
    pub sealed: Sealed,
}

/// A change, and the version it is for where the caller named one.
pub(super) struct Conditional {
    pub change: Prepared,
    pub if_version: Option<u64>,
}

pub(super) type Verdict = Result<Done, Refused>;

/// Durable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    /// The index of the first entry; the others follow.
    pub first: u64,
    pub epoch: u64,
    pub facts_version: u64,
    pub created: bool,
}

/// Not appended, nor anything changed.
#[derive(Debug)]
pub(super) enum Refused {
    Stale,
    Repeated { same_body: bool, seq: u64 },
    Unmet(Unmet),
    Unwritable(Arc<Fault>),
}

/// What stopped the writer. One fault may be the answer to a whole batch.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the database cannot be opened again")]
    Closed(#[source] OpenError),
    #[error("the database refused")]
    Database(#[source] sqlx::Error),
    #[error("the commit did not take effect")]
    Commit(#[source] sqlx::Error),
    #[error("a stored {0} cannot be read")]
    Damaged(&'static str),
    #[error("the log has an entry under this id already")]
    RepeatedId,
    #[error("the writer has ended")]
    Ended,
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Unwritable(Arc::new(fault))
    }
}
