//! What a decision left to a person: a question on somebody's desk until a determination answers it (contract §5).

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{determination::Determination, id::Id, words::ReferralRole};

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

/// Whether it still waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Open,
    Overdue,
    Closed,
}

impl Status {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Closed => "closed",
        }
    }

    /// Of a referral on a day. The day it is due is not yet too late.
    pub fn of(due: Option<Date>, closed: Option<&Closed>, today: Date) -> Self {
        match (closed, due) {
            (Some(_), _) => Self::Closed,
            (None, Some(due)) if due < today => Self::Overdue,
            (None, _) => Self::Open,
        }
    }
}

impl std::str::FromStr for Status {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        [Self::Open, Self::Overdue, Self::Closed].into_iter().find(|status| status.word() == word).ok_or(())
    }
}

/// Why a determination does not answer a referral: the member of the determination, and what was expected.
pub type Mismatch = (&'static str, &'static str);

/// Whether a determination answers the question put: the same paper and person, the question asked, somebody it was
/// put to.
pub fn mismatches(
    raised: &Raised,
    question: Option<super::words::Determination>,
    answer: &Determination,
    now: Timestamp,
) -> Vec<Mismatch> {
    use super::determination::DecidedBy;
    let entered = &answer.entered;
    let mut found = Vec::new();
    let mut expect = |holds: bool, pointer, text| {
        if !holds {
            found.push((pointer, text));
        }
    };
    expect(answer.in_force(now), "/determination", "must be a determination in force");
    expect(
        entered.document.as_ref().is_none_or(|id| *id == raised.document),
        "/determination",
        "is about another document",
    );
    expect(
        entered.person.as_ref().is_none_or(|id| id.as_str() == raised.person),
        "/determination",
        "is about another person",
    );
    expect(
        question.is_none_or(|asked| entered.kind.question() == asked.question()),
        "/determination",
        "answers another question",
    );
    let asked = match &entered.decided_by {
        DecidedBy::Person { post, .. } => raised.to.iter().any(|role| role.word() == post.word()),
        DecidedBy::Body { .. } => {
            raised.to.iter().any(|role| matches!(role, ReferralRole::Body | ReferralRole::Executive))
        }
    };
    expect(asked, "/determination", "was not decided by anyone the referral is addressed to");
    found
}
