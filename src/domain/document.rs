//! A document and its parts: metadata only, never content (contract §3).
//!
//! A part inherits every member it does not set and may set any of them. Objects are replaced whole, never merged.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    business::Business,
    fact::Fact,
    id::Id,
    words::{Access, Balance, ClassifiedBy, ConfidentialLimb, DocumentKind, DraftKind, Proceedings, Tag},
};

/// The one part of a document that names none.
pub const WHOLE: &str = "document";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub id: Id,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Id>,
    #[serde(flatten)]
    pub facts: Facts,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub id: Id,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    #[serde(flatten)]
    pub facts: Facts,
}

macro_rules! facts {
    ($($(#[$meta:meta])* $member:ident: $type:ty),+ $(,)?) => {
        /// What a document, or one part of it, is known to be. Every member may be unknown.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        pub struct Facts {
            $($(#[$meta])* #[serde(default, skip_serializing_if = "Fact::is_unknown")] pub $member: Fact<$type>,)+
        }

        impl Facts {
            /// These facts, with each unknown one taken from what they inherit.
            pub fn inheriting(&self, from: &Self) -> Self {
                Self { $($member: self.$member.or(&from.$member).clone(),)+ }
            }
        }
    };
}

facts! {
    title: String,
    kind: DocumentKind,
    held_by: Holder,
    held_by_executive: bool,
    /// `false`: group or private material held on behalf of others.
    council_business: bool,
    business: Vec<Business>,
    published_at: Timestamp,
    /// Absent: publication, or a public meeting being convened, shows availability.
    available_to_members_at: Timestamp,
    draft: DraftKind,
    taken_into_consideration: bool,
    /// A background paper is a listed one unless this is `false`.
    listed_background_paper: bool,
    matters: Vec<Id>,
    wards: Vec<Id>,
    service: Id,
    group_internal_of: Id,
    given_to_group: Id,
    administration_only: bool,
    personal_record: bool,
    third_party_personal: bool,
    staff_matter: bool,
    /// Absent: a tag `personal` or `commercial`, or `third_party_personal`, shows it.
    sensitive_in_fact: bool,
    environmental: bool,
    appointment: bool,
    proceedings: Proceedings,
    author: OneOrMany,
    subject_person: OneOrMany,
    given_in_confidence_by: OneOrMany,
    confidentiality_requested: bool,
    /// Who was there when it was said.
    privy: Vec<Id>,
    classification: Classification,
    tags: Vec<Tag>,
}

/// Who holds the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Holder {
    Council(TheCouncil),
    Group { group: Id },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TheCouncil {
    #[serde(rename = "council")]
    Council,
}

/// One id or several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    One(Id),
    Many(Vec<Id>),
}

impl OneOrMany {
    pub fn ids(&self) -> &[Id] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(ids) => ids,
        }
    }
}

/// With `determined_by` and `determined_at` it is the record of that officer's or body's opinion; a label alone
/// settles nothing (S-100B-6 note).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classification {
    pub access: Access,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exempt: Vec<Exemption>,
    /// Absent: not yet balanced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_interest: Option<Balance>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidential: Option<Confidential>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub determined_by: Option<ClassifiedBy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub determined_at: Option<Timestamp>,
}

/// One claim under Schedule 12A Part 1 (England).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// 1 to 7.
    pub paragraph: u8,
    /// Terms proposed by or to the authority in negotiations for a contract (S-100F-3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negotiation_terms: Option<bool>,
    /// Must be registered under the Acts of paragraph 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrable: Option<bool>,
    /// The council's own development under reg 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reg3_self_grant: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confidential {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limb: Option<ConfidentialLimb>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permitted_recipients: Option<Vec<Id>>,
}

impl Document {
    /// A body that only names a registered document.
    pub fn is_reference(&self) -> bool {
        self.version.is_none() && self.parts.is_empty() && self.facts == Facts::default()
    }

    /// Every part with what it inherits; a document without parts has one, called `document`.
    pub fn whole_parts(&self) -> Vec<Part> {
        if self.parts.is_empty() {
            let id = Id::try_from(WHOLE).unwrap_or_else(|_| self.id.clone());
            return vec![Part { id, locator: None, facts: self.facts.clone() }];
        }
        self.parts.iter().map(|part| Part { facts: part.facts.inheriting(&self.facts), ..part.clone() }).collect()
    }
}
