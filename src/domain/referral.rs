//! What a decision left to a person: a question on somebody's desk until a determination answers it (contract §5).

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    determination::{DecidedBy, Determination},
    id::Id,
    words::{Action, Determination as Kind, ReferralRole},
};

pub use super::words::ReferralStatus as Status;

/// As the desk looks it up. What is asked stands in the answer that raised it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    pub id: Id,
    pub document: Id,
    /// The principal's id in the register, or its type.
    pub person: String,
    pub to: Vec<ReferralRole>,
    pub due: Option<Date>,
}

/// How it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub at: Timestamp,
    pub determination: Id,
}

impl Status {
    /// Of a referral on a day. The day it is due is not yet too late.
    pub fn of(due: Option<Date>, closed: Option<&Closed>, today: Date) -> Self {
        match (closed, due) {
            (Some(_), _) => Self::Closed,
            (None, Some(due)) if due < today => Self::Overdue,
            (None, _) => Self::Open,
        }
    }
}

/// Why a determination does not answer a referral: the member of the determination, and what was expected.
pub type Mismatch = (&'static str, &'static str);

/// What a referral asked, for a determination to fit.
pub struct Question<'a> {
    pub raised_at: Timestamp,
    pub document: &'a Id,
    pub version: Option<&'a Id>,
    pub parts: &'a [&'a Id],
    /// About whom: on a relay the recipient, else whoever asked (contract §5).
    pub person: Option<&'a Id>,
    pub action: Action,
    pub recipient: Option<&'a Id>,
    pub kind: Option<Kind>,
    pub to: &'a [ReferralRole],
}

/// Whether a determination answers the question put: given since, about the same paper and person, by somebody it was
/// put to. A body answers where the question is one bodies decide, which was checked when it was recorded.
pub fn mismatches(asked: &Question<'_>, answer: &Determination, now: Timestamp) -> Vec<Mismatch> {
    let entered = &answer.entered;
    let same = |named: &Option<Id>, asked: Option<&Id>| named.as_ref().is_none_or(|id| Some(id) == asked);
    let (document, version) = (&entered.document, &entered.document_version);
    let part = entered.parts.as_ref().is_none_or(|parts| parts.iter().any(|part| asked.parts.contains(&part)));
    let addressed = match &entered.decided_by {
        DecidedBy::Person { post, .. } => asked.to.iter().any(|role| role.word() == post.word()),
        DecidedBy::Body { .. } => true,
    };
    let expected = [
        (answer.in_force(now), "must be a determination in force"),
        (answer.recorded_at >= asked.raised_at, "was recorded before the referral was raised"),
        (same(document, Some(asked.document)), "is about another document"),
        (same(version, asked.version) || asked.version.is_none(), "is about another version of the document"),
        (part, "is about other parts"),
        (same(&entered.person, asked.person), "is about another person"),
        (entered.action.is_none_or(|action| action == asked.action), "is about another action"),
        (same(&entered.recipient, asked.recipient), "is about another recipient"),
        (asked.kind.is_none_or(|kind| entered.kind.question() == kind.question()), "answers another question"),
        (addressed, "was not decided by anyone the referral is addressed to"),
    ];
    expected.into_iter().filter(|(holds, _)| !holds).map(|(_, told)| ("/determination", told)).collect()
}
