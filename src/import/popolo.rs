//! Popolo: `persons`, `organizations`, `memberships`, `posts` and `areas` in one JSON file (<http://www.popoloproject.com>).
//!
//! | Popolo | Becomes |
//! |---|---|
//! | organization, `classification` `party`, `faction` or `political group` | a group |
//! | organization whose classification is a kind of body (`committee`, `sub-committee`, `council` …) or mapped to one | a body |
//! | area named by a membership or post | a ward |
//! | person | a person, if a ward, the mapping or the register tells which kind |
//! | membership in a group, or `on_behalf_of_id`, not ended | the person's group |
//! | membership with an area, its own or its post's | a councillor's ward, while it lasts, and term |
//! | membership in a body | a membership; without a vote, which Popolo does not tell |
//!
//! A date such as `2026-05` or `2026` is taken for the last day it could mean where something begins and for the first
//! where it ends, so that nothing lasts longer than told. Members of other names are not read.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Faults, Found, Item, List, Members, Memberships, mapping::Mapping, values};
use crate::domain::words::BodyKind;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Source {
    persons: Vec<Person>,
    organizations: Vec<Organization>,
    memberships: Vec<Membership>,
    posts: Vec<Post>,
    areas: Vec<Area>,
}

#[derive(Debug, Deserialize)]
struct Person {
    id: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Organization {
    id: String,
    name: String,
    classification: Option<String>,
    parent_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Membership {
    person_id: Option<String>,
    /// An organization may be a member, too: of no concern to a register of people.
    member_id: Option<String>,
    organization_id: Option<String>,
    role: Option<String>,
    post_id: Option<String>,
    area_id: Option<String>,
    on_behalf_of_id: Option<String>,
    start_date: Option<String>,
    end_date: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Post {
    id: String,
    organization_id: Option<String>,
    area_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Area {
    id: String,
    name: String,
}

/// What a person's memberships come to.
#[derive(Default)]
struct Standing {
    wards: Vec<String>,
    groups: BTreeSet<String>,
    terms: Vec<(Option<Date>, Option<Date>)>,
    memberships: Vec<Value>,
}

/// What the file tells.
pub fn read(name: &str, text: &str, map: &Mapping) -> Result<Found, Faults> {
    let source: Source = serde_json::from_str(text.strip_prefix('\u{feff}').unwrap_or(text))
        .map_err(|error| Faults::of(name, format!("is not Popolo: {error}")))?;
    if source.persons.is_empty() && source.organizations.is_empty() {
        return Err(Faults::of(name, "is not Popolo: expected `persons` or `organizations`"));
    }
    let mut reading = Reading { name, map, found: Found::default(), faults: Faults::default() };
    reading.found.authority = map.authority.as_ref().map(|authority| json!(authority));
    reading.found.kinds = Some(&["councillor", "elected_mayor", "co_opted_member"]);
    reading.ids("persons", source.persons.iter().map(|one| &one.id));
    reading.ids("organizations", source.organizations.iter().map(|one| &one.id));
    reading.ids("posts", source.posts.iter().map(|one| &one.id));
    reading.ids("areas", source.areas.iter().map(|one| &one.id));
    reading.organizations(&source);
    let standing = reading.memberships(&source);
    reading.persons(&source, standing);
    let bodies = reading.found.lists.get(&List::Bodies).into_iter().flatten().map(|body| body.id.clone()).collect();
    reading.found.memberships = Memberships::In(bodies);
    reading.faults.unless_any(reading.found)
}

struct Reading<'a> {
    name: &'a str,
    map: &'a Mapping,
    found: Found,
    faults: Faults,
}

impl Reading<'_> {
    fn fault(&mut self, pointer: &str, message: impl std::fmt::Display) {
        self.faults.add(format!("{} {pointer}", self.name), message);
    }

    fn ids<'i>(&mut self, list: &str, ids: impl Iterator<Item = &'i String>) {
        let mut seen = BTreeSet::new();
        for (at, id) in ids.enumerate() {
            let pointer = format!("/{list}/{at}/id");
            if let Err(expected) = values::id(id) {
                self.fault(&pointer, expected);
            }
            if !seen.insert(id) {
                self.fault(&pointer, format!("`{}` stands twice", values::short(id)));
            }
        }
    }

    fn is_group(&self, organization: &Organization) -> bool {
        let word = organization.classification.as_deref().unwrap_or_default();
        match self.map.categories.get(word) {
            Some(mapped) => mapped == "group",
            None => ["party", "faction", "political group"].contains(&word.to_lowercase().as_str()),
        }
    }

    fn kind(&self, organization: &Organization) -> Option<BodyKind> {
        let of = self.map.bodies.get(&organization.id).and_then(|of| of.kind);
        let word = organization.classification.as_deref().unwrap_or_default();
        let told = word.trim().to_lowercase().replace([' ', '-'], "_").parse().ok();
        let unmapped = !self.map.categories.contains_key(word);
        of.or(self.map.kind_of(word)).or(told.filter(|_| unmapped))
    }

    fn organizations(&mut self, source: &Source) {
        for (at, organization) in source.organizations.iter().enumerate() {
            let here = format!("{} /organizations/{at}", self.name);
            let mut told = Members::from_iter([("name".to_owned(), json!(organization.name))]);
            if self.is_group(organization) {
                if let Some(of) = self.map.groups.get(&organization.name) {
                    told.extend(of.administration.map(|is| ("administration".to_owned(), json!(is))));
                }
                let id = organization.id.clone();
                self.found.add(List::Groups, Item { id, at: here, told, at_first: Members::new() });
                continue;
            }
            let word = organization.classification.as_deref().unwrap_or_default();
            if self.map.categories.get(word).is_some_and(|mapped| mapped == "ignore") {
                continue;
            }
            if let Some(kind) = self.kind(organization) {
                told.insert("kind".to_owned(), json!(kind));
            }
            if let Some(parent) = &organization.parent_id
                && source.organizations.iter().any(|other| other.id == *parent && self.kind(other).is_some())
            {
                told.insert("parent".to_owned(), json!(parent));
            }
            let id = organization.id.clone();
            self.found.add(List::Bodies, Item { id, at: here, told, at_first: Members::new() });
        }
    }

    fn memberships(&mut self, source: &Source) -> BTreeMap<String, Standing> {
        let mut all: BTreeMap<String, Standing> = BTreeMap::new();
        let mut wards = BTreeSet::new();
        for (at, membership) in source.memberships.iter().enumerate() {
            let pointer = format!("/memberships/{at}");
            let Some(person) = membership.person_id.as_ref() else {
                if membership.member_id.is_none() {
                    self.fault(&format!("{pointer}/person_id"), "expected the id of a person");
                }
                continue;
            };
            if !source.persons.iter().any(|one| one.id == *person) {
                self.fault(&format!("{pointer}/person_id"), format!("there is no person `{}`", values::short(person)));
                continue;
            }
            let from = self.day(&pointer, "start_date", membership.start_date.as_deref(), true);
            let to = self.day(&pointer, "end_date", membership.end_date.as_deref(), false);
            if let (Some(from), Some(to)) = (from, to)
                && to < from
            {
                self.fault(&format!("{pointer}/end_date"), format!("{to} is before start_date, {from}"));
            }
            let post = membership.post_id.as_ref().and_then(|id| source.posts.iter().find(|post| post.id == *id));
            if membership.post_id.is_some() && post.is_none() {
                self.fault(&format!("{pointer}/post_id"), "there is no such post");
            }
            let standing = all.entry(person.clone()).or_default();
            if let Some(area) = membership.area_id.as_ref().or(post.and_then(|post| post.area_id.as_ref())) {
                match source.areas.iter().find(|one| one.id == *area) {
                    Some(found) => {
                        if wards.insert(area.clone()) {
                            let told = Members::from_iter([("name".to_owned(), json!(found.name))]);
                            let at = format!("{} /areas", self.name);
                            self.found.add(List::Wards, Item { id: area.clone(), at, told, at_first: Members::new() });
                        }
                        standing.terms.push((from, to));
                        if to.is_none() && !standing.wards.contains(area) {
                            standing.wards.push(area.clone());
                        }
                    }
                    None => self.faults.add(
                        format!("{} {pointer}/area_id", self.name),
                        format!("there is no area `{}`", values::short(area)),
                    ),
                }
            }
            let organization =
                membership.organization_id.as_ref().or(post.and_then(|post| post.organization_id.as_ref()));
            for id in organization.into_iter().chain(&membership.on_behalf_of_id) {
                let Some(found) = source.organizations.iter().find(|one| one.id == *id) else {
                    self.fault(&pointer, format!("there is no organization `{}`", values::short(id)));
                    continue;
                };
                if self.is_group(found) {
                    standing.groups.extend(to.is_none().then(|| id.clone()));
                } else if organization == Some(id)
                    && self.found.lists.get(&List::Bodies).into_iter().flatten().any(|body| body.id == *id)
                {
                    let word = membership.role.as_deref().unwrap_or("member");
                    match self.map.role(word) {
                        Some(of) => standing.memberships.extend(of.role.map(|role| {
                            let mut membership = json!({"body": id, "role": role});
                            if let Value::Object(membership) = &mut membership {
                                let told = [("voting", json!(of.voting)), ("from", json!(from)), ("to", json!(to))];
                                let told = told.into_iter().filter(|(_, value)| !value.is_null());
                                membership.extend(told.map(|(name, value)| (name.to_owned(), value)));
                            }
                            membership
                        })),
                        None => {
                            let note = format!("not taken, roles that `roles` does not map: `{}`", values::short(word));
                            if !self.found.notes.contains(&note) {
                                self.found.notes.push(note);
                            }
                        }
                    }
                }
            }
        }
        all
    }

    fn persons(&mut self, source: &Source, mut standing: BTreeMap<String, Standing>) {
        for (at, person) in source.persons.iter().enumerate() {
            let here = format!("{} /persons/{at}", self.name);
            let standing = standing.remove(&person.id).unwrap_or_default();
            let mut told = Members::from_iter([("name".to_owned(), json!(person.name))]);
            let mut at_first = Members::new();
            match self.map.people.get(&person.id).and_then(|of| of.kind) {
                Some(kind) => _ = told.insert("kind".to_owned(), json!(kind)),
                None if !standing.terms.is_empty() => _ = at_first.insert("kind".to_owned(), json!("councillor")),
                None => at_first.extend(self.map.people_kind.map(|kind| ("kind".to_owned(), json!(kind)))),
            }
            if standing.groups.len() > 1 {
                self.fault(&format!("/persons/{at}"), "is in two groups at once");
            }
            told.extend(standing.groups.first().map(|group| ("group".to_owned(), json!(group))));
            if let Some((from, to)) = standing.terms.into_iter().max() {
                told.insert("term".to_owned(), json!({"from": from, "to": to}));
                told.insert("wards".to_owned(), json!(standing.wards));
            }
            if !standing.memberships.is_empty() {
                told.insert("memberships".to_owned(), Value::Array(standing.memberships));
            }
            self.found.add(List::People, Item { id: person.id.clone(), at: here, told, at_first });
        }
    }

    /// A day, or what a month or a year says of one.
    fn day(&mut self, pointer: &str, member: &str, text: Option<&str>, begins: bool) -> Option<Date> {
        let text = text.filter(|text| !text.is_empty())?;
        let bare: String = text.chars().take(10).collect();
        let day = match (bare.len(), begins) {
            (10, _) => bare.parse().ok(),
            (7, _) => format!("{bare}-01").parse().ok().map(|day: Date| if begins { day.last_of_month() } else { day }),
            (4, _) => {
                format!("{bare}-01-01").parse().ok().map(|day: Date| if begins { day.last_of_year() } else { day })
            }
            _ => None,
        };
        let day = day.filter(|day: &Date| (1900..2200).contains(&day.year()));
        if day.is_none() {
            self.fault(
                &format!("{pointer}/{member}"),
                format!("expected a day as YYYY-MM-DD, not `{}`", values::short(text)),
            );
        }
        day
    }
}
