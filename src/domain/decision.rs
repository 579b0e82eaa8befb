//! The answer, as it leaves the service (contract §4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    id::Id,
    question::Party,
    words::{
        Action, Determination, Effect, InformationType, Layer, ObligationType, Outcome, PartOutcome, ReferralRole,
        TestResult,
    },
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub id: String,
    pub outcome: Outcome,
    /// Exactly when the outcome is not `allow` and a referral is required: what is withheld waits for a person.
    pub held: bool,
    pub document: Id,
    pub principal: Party,
    pub action: Action,
    #[serde(flatten)]
    pub verdict: Verdict,
    pub profile: String,
    pub policy_bundle: String,
    pub facts_version: u64,
    pub decided_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogPosition>,
}

/// Where the answer stands in the decision log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogPosition {
    pub index: u64,
    pub epoch: u64,
    pub leaf_hash: String,
    pub receipt: String,
}

/// What the policies said of every part, and all that goes with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub parts: Vec<PartVerdict>,
    pub reasons: Vec<Reason>,
    pub tested: Vec<Tested>,
    pub referral: Referral,
    pub obligations: Vec<Duty<ObligationType>>,
    pub information: Vec<Duty<InformationType>>,
    pub conflicts: Vec<Conflict>,
    pub human_review: HumanReview,
    /// Where determinations contradict one another: which stands, and which it sets aside (contract §5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<Superseded>,
}

impl Verdict {
    /// The strongest layer of which a rule gave or withheld something; `None` where nothing gave.
    pub fn deciding_layer(&self) -> Option<Layer> {
        let decided = |reason: &&Reason| matches!(reason.effect, Effect::Permit | Effect::Forbid | Effect::Redact);
        let of = |layer| self.reasons.iter().filter(decided).any(|reason| reason.layer == layer);
        [Layer::Statute, Layer::CommonLaw, Layer::Protocol].into_iter().find(|layer| of(*layer))
    }

    /// Everything it leaves to a person: the first referral and those beside it.
    pub fn referrals(&self) -> impl Iterator<Item = &Referral> {
        std::iter::once(&self.referral).filter(|referral| referral.required).chain(&self.referral.also)
    }

    /// Gives each an id, under which it waits on the referral desk.
    pub fn name_referrals(&mut self, mut fresh: impl FnMut() -> Option<Id>) {
        if self.referral.required {
            self.referral.id = fresh();
        }
        for referral in &mut self.referral.also {
            referral.id = fresh();
        }
    }
}

/// Two determinations of one question, of which one stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superseded {
    pub question: Determination,
    pub standing: Id,
    pub set_aside: Id,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PartVerdict {
    pub id: Id,
    pub outcome: PartOutcome,
    /// Ids of the rules that decided. Empty: no rule permits.
    pub because: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redaction: Option<Redaction>,
}

/// What to take out, and what to print in its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Redaction {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    pub rule: String,
    pub policy: String,
    pub layer: Layer,
    pub effect: Effect,
    pub citation: Citation,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    pub instrument: String,
    pub provision: String,
    #[serde(default)]
    pub url: Option<String>,
}

/// A rule that was tried on a part, and what it lacked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    pub layer: Layer,
    pub rule: String,
    pub part: Id,
    pub result: TestResult,
    pub missing: Vec<String>,
}

/// Who must decide where the rules leave it to a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Referral {
    pub required: bool,
    /// Under which it waits on the referral desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<ReferralRole>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Determination>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would_help: Vec<String>,
    /// The day by which it should be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<jiff::civil::Date>,
    /// Other rules that refer the same answer, each with its own addressees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Referral>,
}

/// An obligation or a piece of information.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Duty<T> {
    #[serde(rename = "type")]
    pub kind: T,
    pub rule: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<DutyProperties>,
}

/// The value of an obligation that has one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DutyProperties {
    /// Working days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<jiff::civil::Date>,
    /// The latest day that can be argued for, where the law leaves room (CD-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<jiff::civil::Date>,
}

/// A protocol bar that yielded to a statutory right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    pub part: Id,
    pub protocol: RuleAndCitation,
    pub statute: RuleAndCitation,
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleAndCitation {
    pub rule: String,
    pub citation: Citation,
}

/// Whether UK GDPR Arts 22A–22D want a person to look (F-21, F-22).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HumanReview {
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
