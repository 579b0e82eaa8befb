//! The question: who asks to do what with which document, and why (contract §4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    document::Document,
    id::Id,
    words::{Action, Capacity, Channel, DisputedBy, Ground, OnBehalfOf, PersonKind, Setting},
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    pub principal: Party,
    pub action: Action,
    pub document: Document,
    /// Left out: all parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<Id>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Party>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setting: Option<Setting>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attendees: Option<Vec<Party>>,
    #[serde(default)]
    pub purpose: Purpose,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routine: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disputed: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidentiality_requested: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disputed_by: Option<DisputedBy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_of: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circumstances_changed: Option<bool>,
    /// Who in a group asked for a briefing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_is_open: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_told: Option<bool>,
    /// When the request reached the council; due dates run from it, else from the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_received_at: Option<Timestamp>,
}

impl Request {
    /// A reading of a document, with nothing else said.
    pub fn reading(principal: Party, document: Document) -> Self {
        Self {
            principal,
            action: Action::Read,
            document,
            parts: None,
            recipient: None,
            setting: None,
            attendees: None,
            purpose: Purpose::default(),
            channel: None,
            routine: None,
            disputed: None,
            confidentiality_requested: None,
            disputed_by: None,
            repeat_of: None,
            circumstances_changed: None,
            requested_by: None,
            copy_is_open: None,
            author_told: None,
            request_received_at: None,
        }
    }
}

/// A principal, recipient or attendee: a person of the register (`type: person`), a group or body, or someone known
/// only by type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    #[serde(rename = "type")]
    pub kind: PartyType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// A legal adviser's undertaking not to disclose further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undertaking: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PartyType {
    Person(PersonWord),
    Typed(PersonKind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PersonWord {
    #[serde(rename = "person")]
    Person,
}

impl Party {
    /// The id of a person of the register, where the party is one.
    pub fn person(&self) -> Option<&Id> {
        matches!(self.kind, PartyType::Person(_)).then_some(self.id.as_ref()).flatten()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Purpose {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<Ground>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Id>,
    /// Evidence for a person to judge; never satisfies a rule (protocols §0.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<Behalf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provided_under: Option<Id>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behalf {
    #[serde(rename = "type")]
    pub kind: OnBehalfOf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
}
