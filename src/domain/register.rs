//! The register: the council's own facts, never asserted by whoever asks for a decision (contract §2).
//!
//! Closed-world: an absent list is empty, an absent `term` or `to` is open-ended. Dated facts count only while in
//! force; dates are Europe/London days, both ends inclusive. What a message may hold is fixed by
//! `schemas/register.json`, which has refused unknown members before these types are read.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    id::Id,
    words::{
        BodyKind, Employment, Governance, InterestHolder, InterestKind, InterestRelation, MembershipRole, PersonKind,
        Post,
    },
};

/// The whole register, as written by `PUT /v1/register`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Register {
    pub authority: Authority,
    #[serde(default)]
    pub groups: Vec<Group>,
    #[serde(default)]
    pub wards: Vec<Ward>,
    #[serde(default)]
    pub bodies: Vec<Body>,
    #[serde(default)]
    pub people: Vec<Person>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Authority {
    pub id: Id,
    pub name: String,
    pub governance: Governance,
}

/// A political group. Its members' allegiance is special category data (F-22).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    pub id: Id,
    pub name: String,
    #[serde(default)]
    pub administration: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ward {
    pub id: Id,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    pub id: Id,
    pub name: String,
    pub kind: BodyKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Id>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms_of_reference: Vec<Id>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub work_programme: Vec<WorkProgrammeItem>,
}

/// A review in a scrutiny body's programme of work (R-17-3 limb ii).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkProgrammeItem {
    pub id: Id,
    pub title: String,
    #[serde(default)]
    pub matters: Vec<Id>,
    #[serde(flatten)]
    pub period: Period,
}

/// From and to, both inclusive; absent means open-ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Period {
    #[serde(default)]
    pub from: Option<Date>,
    #[serde(default)]
    pub to: Option<Date>,
}

impl Period {
    pub fn covers(&self, day: Date) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Person {
    pub id: Id,
    pub name: String,
    pub kind: PersonKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term: Option<Period>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Id>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub group_leader: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wards: Vec<Id>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub portfolios: Vec<Id>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memberships: Vec<Membership>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviewing: Vec<Review>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interests: Vec<Interest>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dispensations: Vec<Dispensation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employment: Option<Employment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub posts: Vec<Post>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assists: Option<Assists>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outside_appointments: Vec<Id>,
}

/// Whom an assistant works for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assists {
    Group(Id),
    Person(Id),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Membership {
    pub body: Id,
    #[serde(default = "Membership::plain_member")]
    pub role: MembershipRole,
    /// Left out: no vote is shown, so nothing opens on it.
    #[serde(default)]
    pub voting: bool,
    #[serde(flatten)]
    pub period: Period,
}

impl Membership {
    const fn plain_member() -> MembershipRole {
        MembershipRole::Member
    }
}

/// A decision the person is recorded as reviewing or scrutinising (R-17-3 limb i).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Review {
    pub decision: Id,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_by: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interest {
    pub id: Id,
    pub kind: InterestKind,
    pub holder: InterestHolder,
    pub matter: Id,
    pub relation: InterestRelation,
    #[serde(default)]
    pub registered: bool,
    #[serde(default)]
    pub sensitive: bool,
}

/// Relief from LA 2011 s31(4); it concerns taking part, not papers (L-33-1, I-4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dispensation {
    pub interest: Id,
    #[serde(flatten)]
    pub period: Period,
}
