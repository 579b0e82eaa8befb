//! What the council tells beside its source (`--map FILE`, TOML): all that a source does not say and the register needs.
//!
//! Keys are as the source has them: a committee's number, a group's title. What is not named here keeps the id made from
//! the source. `deploy/IMPORT.md` describes each table.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use figment::{
    Figment,
    providers::{Format, Toml},
};
use jiff::civil::Date;
use serde::Deserialize;

use super::Faults;
use crate::domain::{
    id::Id,
    register::Authority,
    words::{BodyKind, DocumentKind, MembershipRole, PersonKind},
};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mapping {
    pub authority: Option<Authority>,
    /// By committee id.
    pub bodies: BTreeMap<String, OfBody>,
    /// Kinds of body by the source's word: modern.gov's category, Popolo's classification. `ignore`: none.
    pub categories: BTreeMap<String, String>,
    /// By the source's id.
    pub people: BTreeMap<String, OfPerson>,
    /// What people are of whom nothing else tells it (Popolo).
    pub people_kind: Option<PersonKind>,
    /// By title of group or party.
    pub groups: BTreeMap<String, OfGroup>,
    /// By title.
    pub wards: BTreeMap<String, OfWard>,
    /// By the source's word for what somebody is on a body.
    pub roles: BTreeMap<String, OfRole>,
    pub meetings: Meetings,
    pub documents: Documents,
    /// Paragraphs of Schedule 12A by modern.gov's reference of a restriction.
    pub restrictions: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OfBody {
    pub id: Option<Id>,
    pub kind: Option<BodyKind>,
    pub parent: Option<Id>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OfPerson {
    pub id: Option<Id>,
    pub kind: Option<PersonKind>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OfGroup {
    pub id: Option<Id>,
    pub name: Option<String>,
    pub administration: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OfWard {
    pub id: Option<Id>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfRole {
    /// Left out: such people are no members.
    #[serde(default)]
    pub role: Option<MembershipRole>,
    #[serde(default)]
    pub voting: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Meetings {
    /// Who is listed at a committee's latest meeting since this day is its member.
    pub members_since: Option<Date>,
    /// Which words, beside `Confirmed`, mean that a meeting takes place or took place.
    pub statuses: Vec<String>,
    /// Whether what is not restricted is taken in public and what is restricted in private.
    pub public_unless_restricted: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Documents {
    pub kind: Option<DocumentKind>,
}

impl Mapping {
    pub fn read(file: Option<&Path>) -> Result<Self, Faults> {
        let Some(file) = file else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(file).map_err(|error| Faults::of(file.display(), error))?;
        let mapping: Self = Figment::from(Toml::string(&text)).extract().map_err(|error| {
            // Its own words for where a key is; there is only one file here.
            let told = error.to_string().replace("default.", "").replace(" in TOML source string", "");
            Faults::of(file.display(), told)
        })?;
        let mut faults = Faults::default();
        if mapping.meetings.members_since.is_none() && mapping.roles.values().any(|role| role.voting == Some(true)) {
            faults.add(
                file.display(),
                "roles with a vote want `meetings.members_since`, the day from which a list of members is to be believed",
            );
        }
        for (reference, paragraphs) in &mapping.restrictions {
            if paragraphs.is_empty() || paragraphs.iter().any(|paragraph| !(1..=7).contains(paragraph)) {
                faults.add(file.display(), format!("restrictions.\"{reference}\": expected paragraphs from 1 to 7"));
            }
        }
        for (category, kind) in &mapping.categories {
            if !["ignore", "group"].contains(&kind.as_str()) && kind.parse::<BodyKind>().is_err() {
                faults.add(
                    file.display(),
                    format!("categories.\"{category}\": expected a kind of body, `group` or `ignore`"),
                );
            }
        }
        faults.unless_any(mapping)
    }

    /// What somebody is on a body, by the source's word for it. Only plain words are understood unasked.
    pub fn role(&self, word: &str) -> Option<OfRole> {
        if let Some(role) = self.roles.get(word) {
            return Some(role.clone());
        }
        let role = match word.to_ascii_lowercase().replace(' ', "-").as_str() {
            "member" | "committee-member" => MembershipRole::Member,
            "chair" | "chairman" | "chairwoman" | "chairperson" => MembershipRole::Chair,
            "vice-chair" | "vice-chairman" | "vice-chairwoman" | "vice-chairperson" => MembershipRole::ViceChair,
            "substitute" | "substitute-member" => MembershipRole::Substitute,
            _ => return None,
        };
        Some(OfRole { role: Some(role), voting: None })
    }

    /// The kind of body that a category stands for.
    pub fn kind_of(&self, category: &str) -> Option<BodyKind> {
        self.categories.get(category).and_then(|kind| kind.parse().ok())
    }

    /// Every id that the council gives to something of the source.
    pub fn ids(&self) -> BTreeSet<String> {
        let people = self.people.values().map(|of| &of.id);
        let bodies = self.bodies.values().map(|of| &of.id);
        let groups = self.groups.values().map(|of| &of.id);
        let wards = self.wards.values().map(|of| &of.id);
        people.chain(bodies).chain(groups).chain(wards).flatten().map(ToString::to_string).collect()
    }
}
