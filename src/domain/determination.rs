//! What a person or body decided: the human half (contract §5).
//!
//! `answer: true` means the thing named is so. A determination binds what it names: where `person`, `parts`,
//! `action`, `recipient`, `interest` or `document_version` is set, it must match.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    id::Id,
    words::{Action, DamageLevel, Determination as Kind, Post},
};

/// As entered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entered {
    pub kind: Kind,
    pub answer: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<DamageLevel>,
    #[serde(default)]
    pub person: Option<Id>,
    #[serde(default)]
    pub document: Option<Id>,
    #[serde(default)]
    pub parts: Option<Vec<Id>>,
    pub decided_by: DecidedBy,
    pub decided_at: Timestamp,
    #[serde(default)]
    pub valid_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditions: Option<String>,
    pub reasons: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interest: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_version: Option<Id>,
}

impl Entered {
    /// Whether it is about this person, or about what would be given to this person.
    pub fn concerns(&self, person: &Id) -> bool {
        [&self.person, &self.recipient].into_iter().flatten().any(|concerned| concerned == person)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DecidedBy {
    Person { person: Id, post: Post },
    Body { body: Id },
}

/// As kept: an entered determination with the record of its entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Determination {
    pub id: Id,
    #[serde(flatten)]
    pub entered: Entered,
    /// The caller who entered it, beside who decided.
    pub entered_by: String,
    pub recorded_at: Timestamp,
    #[serde(default)]
    pub withdrawn_at: Option<Timestamp>,
}

impl Determination {
    /// Decided, not withdrawn and not past its validity.
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.withdrawn_at.is_none()
            && self.entered.decided_at <= now
            && self.entered.valid_until.is_none_or(|until| now <= until)
    }
}

impl Kind {
    /// The answer that closes: kinds that speak against access close with `true`, the rest with `false`
    /// (contract §5, precedence).
    pub fn closing_answer(self) -> bool {
        matches!(
            self,
            Self::ReasonDoubted
                | Self::Fishing
                | Self::ImproperPurpose
                | Self::Refusal
                | Self::Burden
                | Self::Doubt
                | Self::RedactionDecided
                | Self::AdministrationOnly
                | Self::InterestKind
                | Self::Prejudicial
                | Self::ConfidentialNature
                | Self::DataProtectionBarred
                | Self::DpBreachLikely
                | Self::BreachOfConfidence
                | Self::SensitiveAgreed
                | Self::DisclosesExempt
        )
    }

    /// Kinds that answer one question between them: a director's doubt or refusal is about need to know.
    pub fn question(self) -> Self {
        match self {
            Self::Doubt | Self::Refusal => Self::NeedToKnow,
            other => other,
        }
    }
}
