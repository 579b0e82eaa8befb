//! The decision log: an append-only record of every answer and every act, made durable before the answer leaves.
//!
//! An entry has two halves. The *leaf* is small, canonical (RFC 8785) and holds nothing personal: kind, id, time,
//! outcome, bundle, facts version, and one salted commitment for each group of personal content. The *payload* is
//! that content, kept beside its salts; erasing a payload and its salt leaves the leaf, and everything later built
//! over leaves, intact. The caller gets a signed [`receipt`], so an entry that vanished could be shown to have
//! existed.
//!
//! It deliberately does not know what a decision means, nor which database keeps it: [`DecisionLog`] is the port,
//! [`crate::store`] implements it.
//!
//! Worked example: Cllr B. One is refused Appendix B. The entry's leaf says "decision, deny, bundle sha256:…, facts
//! 41, commitments {request: …, answer: …}"; its payload holds the request and the answer. The append checks, inside
//! its transaction, that the facts are still at version 41; were they at 42 it would answer `Stale` and the decision
//! would be made again.
//!
//! The invariant: no answer leaves before its entry is durable. Where next: [`crate::store`].

use std::{collections::BTreeMap, ops::Range};

use jiff::{Timestamp, civil::Date};
use serde_json::Value;

use self::{
    entry::{Group, Hash},
    merkle::{Node, Peaks},
    retention::Retention,
};
use crate::{
    domain::{
        decision::LogPosition,
        id::Id,
        referral::{Closed, Raised, Status},
        retention::Erasing,
        words::{Action, Outcome, ReferralRole},
    },
    pip::{Change, FactSource, Page, PageRequest, Unreadable},
};

pub mod accounted;
pub mod checkpoint;
pub mod entry;
pub mod export;
pub mod key;
pub mod merkle;
pub mod publish;
pub mod receipt;
pub mod retention;
pub mod sheet;
pub mod statistics;
pub mod verify;
pub mod witness;

/// What kind of act an entry records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    Decision,
    /// The same question, asked to know the answer: nothing was given.
    Enquiry,
    /// Of one document, what everyone would get.
    Audience,
    Determination,
    Withdrawal,
    RegisterWrite,
    DocumentWrite,
    /// Someone read the log.
    LogRead,
    /// A caller was refused by the service's own rules (for instance a determination without the post).
    Refusal,
    /// A determination answered a referral.
    ReferralClosed,
    /// Policies came into force that the log had not met before: what versions up to 0.4 recorded.
    PoliciesKept,
    /// Policies came into force.
    PoliciesInForce,
    /// Nothing happened: so that silence can be told from a gap.
    Heartbeat,
    /// The log goes on after a restored backup.
    EpochOpened,
    /// What a scope covers is not to be erased.
    Hold,
    HoldReleased,
    /// Groups of other entries were erased; the leaf says which.
    Erasure,
    /// Somebody's wish to have something erased was refused.
    ErasureRefused,
}

/// An act to record.
#[derive(Clone, Debug)]
pub struct NewEntry {
    pub kind: EntryKind,
    /// The id of the act: for a decision, its decision id.
    pub id: String,
    pub at: Timestamp,
    pub outcome: Option<Outcome>,
    pub policy_bundle: String,
    /// The version of the facts a decision rests on; checked inside the append. `None` for other acts.
    pub facts_version: Option<u64>,
    /// Groups of personal content, each erasable by itself: name and value.
    pub payload: Vec<(&'static str, Value)>,
    /// What a decision is found by. Erased with the payload.
    pub search: Option<SearchKeys>,
    pub idempotency: Option<IdempotencyKey>,
    /// For an erasure, what it takes: it stays in the leaf.
    pub erased: Option<Erasing>,
}

/// What a decision can be searched by.
#[derive(Clone, Debug)]
pub struct SearchKeys {
    /// The principal's id in the register, or its type.
    pub person: String,
    pub document: String,
    pub action: Action,
    /// Rule ids that decided or referred.
    pub rules: Vec<String>,
    /// What it left to a person.
    pub referrals: Vec<Raised>,
}

/// A referral as kept, with the entry of the decision that raised it.
#[derive(Clone, Debug)]
pub struct StoredReferral {
    pub id: Id,
    pub due: Option<Date>,
    pub closed: Option<Closed>,
    pub entry: StoredEntry,
}

/// Which referrals to list.
#[derive(Clone, Debug, Default)]
pub struct ReferralFilter {
    /// With the day it is asked on.
    pub status: Option<(Status, Date)>,
    pub to: Option<ReferralRole>,
    pub document: Option<Id>,
    pub person: Option<String>,
}

/// A caller's `Idempotency-Key`: the same key and body return the first answer.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    /// The key as sent, prefixed with the caller's name: two callers never share a key.
    pub key: String,
    /// SHA-256 of method, path and body.
    pub body_hash: [u8; 32],
}

/// An entry as kept.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    pub position: LogPosition,
    pub kind: EntryKind,
    pub id: String,
    pub at: Timestamp,
    pub outcome: Option<Outcome>,
    /// The groups not yet erased.
    pub payload: Vec<(String, Value)>,
    /// For an erasure, what it took.
    pub erased: Option<Erasing>,
}

impl StoredEntry {
    pub fn group(&self, name: &str) -> Option<&Value> {
        self.payload.iter().find(|(group, _)| group == name).map(|(_, value)| value)
    }
}

/// The log as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub epoch: u64,
    pub peaks: Peaks,
}

/// An entry as its halves are kept, unchecked: for whoever checks.
#[derive(Clone, Debug)]
pub struct RawEntry {
    pub index: u64,
    pub epoch: u64,
    pub leaf: Vec<u8>,
    pub leaf_hash: Vec<u8>,
    /// The groups not yet erased.
    pub groups: Vec<Group>,
}

/// A checkpoint as signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCheckpoint {
    pub epoch: u64,
    pub size: u64,
    pub note: String,
}

/// What those who run the log watch of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Writes that wait for a commit, and how many may.
    pub waiting: u64,
    pub may_wait: u64,
    pub size: u64,
    /// Entries of which something was erased.
    pub erased: u64,
    pub holds: u64,
    pub referrals_open: u64,
    pub referrals_overdue: u64,
    /// When the register was last written.
    pub register_written: Option<Timestamp>,
}

/// Answers of which kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answered {
    #[default]
    Decision,
    Enquiry,
}

impl Answered {
    pub fn kind(self) -> EntryKind {
        match self {
            Self::Decision => EntryKind::Decision,
            Self::Enquiry => EntryKind::Enquiry,
        }
    }
}

impl EntryKind {
    /// Whether it holds an answer to somebody's question.
    pub fn is_answer(self) -> bool {
        matches!(self, Self::Decision | Self::Enquiry)
    }
}

/// Which decisions to list.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    pub kind: Answered,
    pub person: Option<String>,
    pub document: Option<String>,
    pub outcome: Option<Outcome>,
    pub rule: Option<String>,
    /// Inclusive.
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
}

/// Why an entry was not appended. In every case nothing was.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The facts moved on after they were gathered: gather and decide again.
    #[error("the facts changed while the decision was being made")]
    Stale,
    /// The key was used before: with the same body (the first entry is given) or with another.
    #[error("the idempotency key was used before")]
    Repeated { same_body: bool, first: Box<StoredEntry> },
    /// A precondition of a write does not hold.
    #[error("the precondition does not hold")]
    Precondition(#[from] Unmet),
    /// Too many entries are waiting.
    #[error("the log has too many entries waiting")]
    Full,
    /// The store cannot make the entry durable.
    #[error("the log cannot be written")]
    Unwritable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What a write asked for that was not so.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unmet {
    #[error("there is no such object")]
    NotFound,
    /// The referral has been answered already, or the hold released.
    #[error("it is closed already")]
    Closed,
    /// Something that bears on erasure has happened since it was looked at.
    #[error("what may be erased has changed")]
    Moved,
    /// `If-Match` named another version than the one in force.
    #[error("the facts are at another version")]
    Version,
    /// The register must first be written whole.
    #[error("the register has not been written yet")]
    NoRegister,
}

/// A write, with the version it must apply to where the caller named one.
#[derive(Clone, Debug)]
pub struct Write {
    pub change: Change,
    pub if_version: Option<u64>,
}

/// What a write did.
#[derive(Clone, Debug)]
pub struct Written {
    pub position: LogPosition,
    pub facts_version: u64,
    /// The object did not exist before.
    pub created: bool,
}

/// The log as it is kept, for whoever may open the database: it takes no lock, no key and no register to read it, so
/// it can be read beside a running service.
#[async_trait::async_trait]
pub trait LogReader: Send + Sync {
    /// Entries from an index on, in their order, as they are kept.
    async fn raw(&self, from: u64, limit: u32) -> Result<Vec<RawEntry>, Unreadable>;

    /// How long the log is.
    async fn head(&self) -> Result<Head, Unreadable>;

    /// The hashes of perfect subtrees, in the order asked. Asking for one that the tree does not have is an error.
    async fn hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Unreadable>;

    /// The newest checkpoint that was kept.
    async fn checkpoint(&self) -> Result<Option<KeptCheckpoint>, Unreadable>;

    /// From the first to the last index whose entry is of this time, the end exclusive; empty if there is none.
    async fn indexes(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<Range<u64>, Unreadable>;

    /// The acts that erased something of entries from the first to the last index, the end exclusive, each with its own
    /// index.
    async fn erasures(&self, of: Range<u64>) -> Result<Vec<(u64, Erasing)>, Unreadable>;

    /// The policies of a bundle the log has met, by their paths.
    async fn policies(&self, hash: &str) -> Result<Option<BTreeMap<String, String>>, Unreadable>;
}

/// The log, and the facts whose writes are logged in the same transaction.
#[async_trait::async_trait]
pub trait DecisionLog: FactSource + LogReader + Retention {
    /// Returns once the entry is durable.
    async fn append(&self, entry: NewEntry) -> Result<LogPosition, AppendError>;

    /// Appends several entries in one transaction: all or none, in order.
    async fn append_all(&self, entries: Vec<NewEntry>) -> Result<Vec<LogPosition>, AppendError>;

    /// Makes a change to the facts and logs it, both or neither; in force for every later snapshot when it returns.
    async fn write(&self, write: Write, entry: NewEntry) -> Result<Written, AppendError>;

    /// Makes a change that is no entry: keeps a checkpoint.
    async fn keep(&self, change: Change) -> Result<(), AppendError>;

    async fn entry(&self, id: &str) -> Result<Option<StoredEntry>, Unreadable>;

    /// The entry first recorded under an idempotency key, with the hash of its body.
    async fn repeated(&self, key: &str) -> Result<Option<(StoredEntry, [u8; 32])>, Unreadable>;

    /// Decisions, newest first.
    async fn decisions(&self, filter: &LogFilter, page: &PageRequest) -> Result<Page<StoredEntry>, Unreadable>;

    async fn referral(&self, id: &Id) -> Result<Option<StoredReferral>, Unreadable>;

    /// Referrals, those due first and those without a day last; closed ones by their id.
    async fn referrals(&self, filter: &ReferralFilter, page: &PageRequest) -> Result<Page<StoredReferral>, Unreadable>;

    /// The name the log has had since its first entry.
    fn origin(&self) -> &str;

    /// The public key of the receipts, in base64.
    fn receipt_key(&self) -> String;

    /// The receipt of an entry, as it was given when the entry was appended.
    fn receipt(&self, epoch: u64, index: u64, leaf_hash: &[u8]) -> String;

    /// Counts decisions for a report.
    async fn counted(&self, asked: &statistics::Asked) -> Result<statistics::Counts, Unreadable>;

    /// Counts what is open; overdue as of this day.
    async fn standing(&self, today: Date) -> Result<Standing, Unreadable>;

    /// Whether an entry could be made durable now.
    async fn ready(&self) -> Result<(), Unreadable>;
}
