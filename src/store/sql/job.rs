//! What callers hand to the writer, and what it answers.

use tokio::sync::oneshot;

use super::{change::Prepared, fault::Refused};
use crate::audit::{NewEntry, entry::Sealed};

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
