//! The facts of one case, as the policies may read them. Mirrors `policies/council.cedarschema`.
//!
//! A case is kept with its decision in the log: with the policies of the bundle it names, it is decided and explained
//! again exactly.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::domain::{
    decision::Superseded,
    document::Part,
    id::Id,
    question::Request,
    words::{
        BodyKind, BusinessStatus, DamageLevel, DecisionMaker, Determination, Employment, Ground, InterestKind,
        ItemOpenness, PersonKind, Post, Regime,
    },
};

/// Everything one decision rests on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Case {
    pub request: Request,
    pub now: Timestamp,
    pub today: Date,
    pub facts_version: u64,
    pub principal: PersonFacts,
    /// The person acted for.
    pub named: Option<PersonFacts>,
    pub recipient: Option<RecipientFacts>,
    pub attendees: Option<Vec<AttendeeFacts>>,
    /// The same paper as others would ask for it themselves, where a rule looks at their own access.
    pub others: Others,
    /// The parts asked for, each with what it inherits.
    pub parts: Vec<PartFacts>,
    /// What the decision named in `provided_under` gave the same person of the same document.
    pub provided: Option<Provided>,
    /// Names the answer may use: bodies by id.
    pub body_names: BTreeMap<Id, String>,
}

/// Questions a decision depends on: whether someone else would be given the paper on asking.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Others {
    /// The person acted for.
    pub named: Option<Box<Case>>,
    pub recipient: Option<Box<Case>>,
    pub attendees: Vec<Case>,
    /// A councillor with no office, ward, group or portfolio, in an assistant's place.
    pub any_member: Option<Box<Case>>,
}

/// What an earlier decision gave.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Provided {
    pub parts: BTreeSet<Id>,
    /// The ground on which it was asked for.
    pub ground: Option<Ground>,
}

/// A person at the time of the decision: only what is then in force.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PersonFacts {
    pub id: String,
    pub kind: PersonKind,
    pub group: Option<Id>,
    pub in_administration: bool,
    pub group_leader: bool,
    pub wards: BTreeSet<Id>,
    pub portfolios: BTreeSet<Id>,
    /// Current member, chair or vice-chair with a vote.
    pub bodies: BTreeSet<Id>,
    /// Substitute, or without a vote.
    pub doubtful_bodies: BTreeSet<Id>,
    pub chairs: BTreeSet<Id>,
    /// Matters within the terms of reference of the person's own bodies.
    pub remit: BTreeSet<Id>,
    /// The same, of the bodies chaired.
    pub chaired_remit: BTreeSet<Id>,
    /// The same, of the bodies the profile names and of forums.
    pub named_remit: BTreeSet<Id>,
    pub executive_member: bool,
    pub scrutiny_member: bool,
    pub scrutiny_sub_member: bool,
    pub scrutiny_remit: BTreeSet<Id>,
    pub scrutiny_programme: BTreeSet<Id>,
    pub any_scrutiny_programme: BTreeSet<Id>,
    /// The overview and scrutiny committees the person belongs to.
    pub scrutiny_bodies: BTreeSet<Id>,
    pub reviewing: BTreeSet<Id>,
    pub posts: BTreeSet<Post>,
    pub employment: Option<Employment>,
    pub service: Option<Id>,
    pub assists_group: Option<Id>,
    pub assists_person: Option<Id>,
    pub outside_appointments: BTreeSet<Id>,
}

/// Someone a paper would go to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecipientFacts {
    pub person: PersonFacts,
    pub undertaking: Option<bool>,
}

/// Someone present.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AttendeeFacts {
    pub person: PersonFacts,
}

/// One part, the business it serves, and what is recorded about it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartFacts {
    pub part: Part,
    /// One entry for each piece of business; a single `None` where it serves none or that is unknown.
    pub business: Vec<Option<BusinessFacts>>,
    pub interests: InterestFacts,
    pub recorded: Recorded,
    /// Whether a need to know is recorded for the recipient.
    pub recipient_need: bool,
}

/// A piece of business, measured at the time of the decision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BusinessFacts {
    pub regime: Regime,
    pub body: Option<Id>,
    pub body_kind: Option<BodyKind>,
    pub status: BusinessStatus,
    pub decision: Option<Id>,
    pub made_by: Option<DecisionMaker>,
    pub meeting_fixed: bool,
    pub private: Option<bool>,
    pub convened: Option<bool>,
    pub available_to_members: Option<bool>,
    pub concluded: Option<bool>,
    pub item_was_open: Option<ItemOpenness>,
    pub clear_days_to_meeting: Option<i64>,
    pub hours_since: Option<i64>,
    pub years_since: Option<i64>,
}

/// Kinds of interest that cover a matter of the part, by what is certain about them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct InterestFacts {
    pub plain: BTreeSet<InterestKind>,
    pub dispensed: BTreeSet<InterestKind>,
    pub connected: BTreeSet<InterestKind>,
    pub unregistered: BTreeSet<InterestKind>,
    pub sensitive: BTreeSet<InterestKind>,
    pub affecting: BTreeSet<InterestKind>,
    pub untested: BTreeSet<InterestKind>,
}

/// Determinations in force that bind this question, after precedence.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Recorded {
    pub yes: BTreeSet<Determination>,
    pub no: BTreeSet<Determination>,
    /// Of those, given by the last post on the profile's route.
    pub final_: BTreeSet<Determination>,
    /// Questions that two posts of equal standing have answered differently.
    pub contested: BTreeSet<Determination>,
    pub damage_level: Option<DamageLevel>,
    /// Conditions under which a yes was given (CL-13).
    pub conditions: BTreeMap<Determination, String>,
    /// Where one determination superseded another: both, for the answer to name.
    pub superseded: Vec<Superseded>,
}
