//! What is due, what is held, and what was erased: the log's side of letting go.
//!
//! Erasing takes the groups of an entry, with their salts, and what the entry is found by; the leaf stays. It is an act
//! like any other: a change with an entry of its own, whose leaf says for good which groups of which entries went.
//!
//! What may go is read before the entry can be sealed, so between the reading and the writing somebody may place a
//! hold. The store therefore counts what bears on erasure (holds placed, referrals closed, erasures), and an erasure
//! names the count it was read at: at another count nothing is erased and the caller looks again.
//!
//! A determination is kept among the facts too. The record of one in force is not due; when its period has passed since it
//! went out of force, both go together.
//!
//! It deliberately does not know why a period is as long as it is ([`crate::domain::retention`]).
//!
//! Worked example: [`Retention::due`] names the refusal of Cllr B. One, read at count 7. Before the erasure is written,
//! information governance places a hold on the paper: count 8. The erasure answers [`super::Unmet::Moved`]; the next
//! reading does not name the refusal.
//!
//! The invariant: nothing that a hold covers is erased.
//!
//! Where next: [`crate::store::sqlite`].

use jiff::Timestamp;

use super::{EntryKind, StoredEntry};
use crate::{
    domain::{
        id::Id,
        retention::{Due, Ended, Erased},
        words::{HoldStatus, Outcome, RecordClass},
    },
    pip::{Page, PageRequest, Unreadable},
};

/// A hold as kept, with the entry that placed it.
#[derive(Clone, Debug)]
pub struct StoredHold {
    pub id: Id,
    pub released_at: Option<Timestamp>,
    pub entry: StoredEntry,
}

/// Which entries a class is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Members {
    /// Decisions and enquiries with these outcomes.
    Decisions(&'static [Outcome]),
    Kinds(&'static [EntryKind]),
    /// Every kind but these.
    AllBut(&'static [EntryKind]),
}

const DETERMINED: &[EntryKind] = &[EntryKind::Determination, EntryKind::Withdrawal, EntryKind::ReferralClosed];
/// The kinds that have a class of their own.
const CLASSED: &[EntryKind] = &[
    EntryKind::Decision,
    EntryKind::Enquiry,
    EntryKind::Determination,
    EntryKind::Withdrawal,
    EntryKind::ReferralClosed,
    EntryKind::RegisterWrite,
    EntryKind::DocumentWrite,
    EntryKind::LogRead,
];

/// Every entry is a member of exactly one class.
pub const fn members(class: RecordClass) -> Members {
    match class {
        RecordClass::Allow => Members::Decisions(&[Outcome::Allow]),
        RecordClass::RedactOrDeny => Members::Decisions(&[Outcome::Redact, Outcome::Deny]),
        RecordClass::Determination => Members::Kinds(DETERMINED),
        RecordClass::RegisterWrite => Members::Kinds(&[EntryKind::RegisterWrite]),
        RecordClass::DocumentWrite => Members::Kinds(&[EntryKind::DocumentWrite]),
        RecordClass::LogRead => Members::Kinds(&[EntryKind::LogRead]),
        RecordClass::Other => Members::AllBut(CLASSED),
    }
}

/// What a log must be able to tell and do for its entries to be let go.
#[async_trait::async_trait]
pub trait Retention: Send + Sync {
    /// How often something has happened that bears on erasure. Read before [`Retention::due`] and
    /// [`Retention::covering`], and given back with [`crate::pip::Change::Erase`].
    async fn retention_events(&self) -> Result<u64, Unreadable>;

    /// Entries that have something to erase, are due and are covered by no hold; in the order of their indexes, from
    /// after one on. Without a group is one of which nothing is left but the determination it recorded.
    async fn due(&self, due: &Due, after: Option<u64>, limit: u32) -> Result<Vec<Erased>, Unreadable>;

    /// A hold that covers an entry, if one does.
    async fn covering(&self, index: u64, ended: &Ended) -> Result<Option<Id>, Unreadable>;

    async fn hold(&self, id: &Id) -> Result<Option<StoredHold>, Unreadable>;

    /// Holds, newest first.
    async fn holds(&self, status: Option<HoldStatus>, page: &PageRequest) -> Result<Page<StoredHold>, Unreadable>;

    /// The act that last erased something of an entry.
    async fn erasure_of(&self, index: u64) -> Result<Option<StoredEntry>, Unreadable>;

    /// Rids the files of what deleting leaves behind in them; with `leisure` even where that keeps answers waiting.
    /// Whether nothing is left.
    async fn scrub(&self, leisure: bool) -> Result<bool, Unreadable>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_one_class() {
        let mut named: Vec<&str> = vec![EntryKind::Decision.word(), EntryKind::Enquiry.word()];
        for class in RecordClass::ALL {
            if let Members::Kinds(kinds) = members(*class) {
                named.extend(kinds.iter().map(|kind| kind.word()));
            }
        }
        let Members::AllBut(classed) = members(RecordClass::Other) else { panic!("the rest") };
        let mut classed: Vec<&str> = classed.iter().map(|kind| kind.word()).collect();
        named.sort_unstable();
        classed.sort_unstable();
        assert_eq!(named, classed);
        let outcomes = [RecordClass::Allow, RecordClass::RedactOrDeny].map(members);
        let outcomes = outcomes.map(|members| match members {
            Members::Decisions(outcomes) => outcomes.len(),
            _ => 0,
        });
        assert_eq!(outcomes.iter().sum::<usize>(), Outcome::ALL.len());
    }
}
