//! What a source tells, laid over the register in force.
//!
//! | What | Becomes |
//! |---|---|
//! | a member the source tells | the source's |
//! | a member it does not tell (interests, portfolios, terms of reference …) | stays |
//! | a membership in a body the source speaks for | the source's, with vote and days as they were where it does not tell them |
//! | what the source no longer names | stays and is listed; with `replace` it is removed |
//! | what is new and lacks what the register needs (the kind of a body) | is left out and listed, with all that rests on it |
//!
//! Whether the result is a register is for its schema to say, which the caller asks.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Faults, Found, Item, List, Members, Memberships, papers};
use crate::domain::register::Register;

/// The register and the documents as they are to be.
#[derive(Debug)]
pub struct Merged {
    pub register: Value,
    pub documents: Vec<Value>,
    pub kept: BTreeMap<&'static str, Vec<String>>,
    pub notes: Vec<String>,
}

pub fn merge(
    mut found: Found,
    register: Option<&Register>,
    documents: &BTreeMap<String, Members>,
    replace: bool,
) -> Result<Merged, Faults> {
    let there = register.map_or_else(|| json!({}), |register| json!(register));
    let Some(authority) = found.authority.clone().or_else(|| there.get("authority").cloned()) else {
        return Err(Faults::of(
            "authority",
            "the register is empty and the source does not say whose it is: give `[authority]` with id, name and governance in --map FILE",
        ));
    };
    let mut kept = BTreeMap::new();
    let mut result = BTreeMap::new();
    let mut left_out = BTreeSet::new();
    for list in List::ALL {
        let old = objects(&there, list);
        let of = Of { list, found: &found, replace };
        let (objects, of_list) = of.merged(&old, &mut left_out);
        kept.insert(list.word(), of_list);
        result.insert(list, objects);
    }
    let notes = forget(&mut found, &mut result, &left_out);
    found.notes.extend(notes);
    check(&found, &result, &left_out)?;
    found.notes.extend(dangling(&there, &result));
    let mut whole = json!({"authority": authority});
    if let Value::Object(whole) = &mut whole {
        for (list, objects) in result {
            whole.insert(list.word().to_owned(), objects.into_iter().map(Value::Object).collect());
        }
    }
    let documents = found.documents.iter().map(|item| Value::Object(papers::over(documents.get(&item.id), item)));
    Ok(Merged { register: whole, documents: documents.collect(), kept, notes: found.notes })
}

fn objects(register: &Value, list: List) -> Vec<Members> {
    let objects = register.get(list.word()).and_then(Value::as_array).into_iter().flatten();
    objects.filter_map(Value::as_object).cloned().collect()
}

fn id_of(object: &Members) -> &str {
    object.get("id").and_then(Value::as_str).unwrap_or_default()
}

/// One list of the register.
struct Of<'a> {
    list: List,
    found: &'a Found,
    replace: bool,
}

impl Of<'_> {
    /// The list, and what the source does not name.
    fn merged(&self, old: &[Members], left_out: &mut BTreeSet<(List, String)>) -> (Vec<Members>, Vec<String>) {
        let Some(items) = self.found.lists.get(&self.list) else { return (old.to_vec(), Vec::new()) };
        let mut new: BTreeMap<&str, Members> = BTreeMap::new();
        for item in items {
            let known = old.iter().find(|object| id_of(object) == item.id);
            let object = self.over(known, item);
            if self.needed().iter().all(|name| object.contains_key(*name)) {
                new.insert(&item.id, object);
            } else if object.contains_key("name") {
                left_out.insert((self.list, item.id.clone()));
            }
        }
        let unnamed = |object: &&Members| {
            !new.contains_key(id_of(object)) && !left_out.contains(&(self.list, id_of(object).to_owned()))
        };
        let stays = |object: &&Members| !self.replace || !self.is_its_to_remove(object);
        let kept: Vec<String> = old
            .iter()
            .filter(unnamed)
            .filter(|object| stays(object) && self.is_its_to_remove(object))
            .map(|object| id_of(object).to_owned())
            .collect();
        let mut list: Vec<Members> = Vec::new();
        if self.replace {
            list.extend(items.iter().filter_map(|item| new.remove(item.id.as_str())));
            let rest = old.iter().filter(|object| !items.iter().any(|item| item.id == id_of(object)));
            list.extend(rest.filter(stays).cloned());
        } else {
            list.extend(old.iter().map(|object| new.remove(id_of(object)).unwrap_or_else(|| object.clone())));
            list.extend(items.iter().filter_map(|item| new.remove(item.id.as_str())));
        }
        (list, kept)
    }

    fn needed(&self) -> &'static [&'static str] {
        match self.list {
            List::Groups | List::Wards => &["name"],
            List::Bodies | List::People => &["name", "kind"],
        }
    }

    /// Officers, say, and a body written by hand are none of modern.gov's business.
    fn is_its_to_remove(&self, object: &Members) -> bool {
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
        let id = id_of(object);
        (self.list != List::People || self.found.kinds.is_none_or(|kinds| kinds.contains(&kind)))
            && self.found.ids.as_ref().is_none_or(|ids| id.starts_with("mg:") || ids.contains(id))
    }

    fn over(&self, known: Option<&Members>, item: &Item) -> Members {
        let mut result = Members::from_iter([("id".to_owned(), json!(item.id))]);
        match known {
            Some(known) if !self.found.whole => result = known.clone(),
            Some(_) => {}
            None => result.extend(item.at_first.clone()),
        }
        for (name, value) in &item.told {
            match (name.as_str(), value) {
                (_, Value::Null) => {
                    result.shift_remove(name);
                }
                ("memberships", Value::Array(told)) => {
                    let there = result.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
                    result.insert(name.clone(), Value::Array(self.memberships(there, told)));
                }
                _ => {
                    result.insert(name.clone(), value.clone());
                }
            }
        }
        // Whom the source speaks for and does not name in a body any more.
        if let (true, Memberships::In(bodies)) = (self.replace, &self.found.memberships)
            && !item.told.contains_key("memberships")
            && let Some(Value::Array(there)) = result.get_mut("memberships")
        {
            there.retain(|membership| !bodies.contains(body_of(membership)));
        }
        result
    }

    fn memberships(&self, there: Vec<Value>, told: &[Value]) -> Vec<Value> {
        let Memberships::In(bodies) = &self.found.memberships else { return told.to_vec() };
        let mut left = there.clone();
        let mut result = Vec::new();
        for membership in told {
            let same = |known: &Value| {
                let is = |name: &str| {
                    known.get(name).unwrap_or(&Value::Null) == membership.get(name).unwrap_or(&Value::Null)
                };
                // Without a first day it is the one that lasts: one that has ended is another.
                let lasts = known.get("to").is_none_or(Value::is_null) || is("to");
                is("body") && is("role") && if membership.get("from").is_some() { is("from") } else { lasts }
            };
            match left.iter().position(same).map(|at| left.remove(at)) {
                Some(mut known) => {
                    if let (Value::Object(known), Value::Object(membership)) = (&mut known, membership) {
                        known.extend(membership.clone());
                    }
                    result.push(known);
                }
                None => result.push(membership.clone()),
            }
        }
        left.retain(|membership| !self.replace || !bodies.contains(body_of(membership)));
        // In the order they had.
        let mut ordered: Vec<Value> = Vec::new();
        for known in there {
            let is = |one: &Value| ["body", "role"].iter().all(|name| one.get(*name) == known.get(*name));
            let from =
                |one: &Value| one.get("from").unwrap_or(&Value::Null) == known.get("from").unwrap_or(&Value::Null);
            let at = result.iter().position(|one| is(one) && from(one));
            if let Some(at) = at {
                ordered.push(result.remove(at));
            } else if left.contains(&known) {
                ordered.push(known);
            }
        }
        ordered.extend(result);
        ordered
    }
}

fn body_of(membership: &Value) -> &str {
    membership.get("body").and_then(Value::as_str).unwrap_or_default()
}

/// Takes what rests on something left out, and says so.
fn forget(
    found: &mut Found,
    result: &mut BTreeMap<List, Vec<Members>>,
    left_out: &BTreeSet<(List, String)>,
) -> Vec<String> {
    let mut notes = Vec::new();
    for (list, id) in left_out {
        let how = match list {
            List::Bodies => {
                "nothing tells which kind of body it is; give `kind` in `bodies` or `categories` of --map FILE"
            }
            List::People => {
                "nothing tells which kind of person it is; give `kind` in `people`, or `people_kind`, of --map FILE"
            }
            List::Groups | List::Wards => "it has no name",
        };
        notes.push(format!("{} {id} is left out: {how}", list.one()));
    }
    let gone = |id: &str| left_out.contains(&(List::Bodies, id.to_owned()));
    for person in result.entry(List::People).or_default() {
        if let Some(Value::Array(memberships)) = person.get_mut("memberships") {
            memberships.retain(|membership| !gone(body_of(membership)));
        }
    }
    let serves = |item: &Item| {
        let business = item.told.get("business").and_then(Value::as_array).into_iter().flatten();
        business.filter_map(|entry| entry.get("body")?.as_str()).any(gone)
    };
    let before = found.documents.len();
    found.documents.retain(|item| !serves(item));
    if before > found.documents.len() {
        notes.push(format!("{} documents are left out with the bodies they serve", before - found.documents.len()));
    }
    notes
}

/// Whether all that the source refers to is there.
fn check(
    found: &Found,
    result: &BTreeMap<List, Vec<Members>>,
    left_out: &BTreeSet<(List, String)>,
) -> Result<(), Faults> {
    let mut faults = Faults::default();
    let there: BTreeSet<(List, &str)> =
        result.iter().flat_map(|(list, objects)| objects.iter().map(|object| (*list, id_of(object)))).collect();
    for reference in &found.references {
        let named = (reference.list, reference.id.clone());
        if !there.contains(&(reference.list, reference.id.as_str())) && !left_out.contains(&named) {
            let what = reference.list.one();
            faults.add(
                &reference.at,
                format!("there is no {what} `{}`, neither in the source nor in the register", reference.id),
            );
        }
    }
    faults.unless_any(())
}

/// Who still names what is removed.
fn dangling(there: &Value, result: &BTreeMap<List, Vec<Members>>) -> Vec<String> {
    let mut notes = Vec::new();
    for list in [List::Groups, List::Wards, List::Bodies] {
        let now: BTreeSet<&str> = result.get(&list).into_iter().flatten().map(id_of).collect();
        for gone in objects(there, list).iter().map(id_of).filter(|id| !now.contains(id)) {
            for person in result.get(&List::People).into_iter().flatten() {
                let is = |value: &Value| value.as_str() == Some(gone);
                let all = |name: &str| person.get(name).and_then(Value::as_array).into_iter().flatten();
                let names = match list {
                    List::Groups => person.get("group").is_some_and(is),
                    List::Wards => all("wards").any(is),
                    _ => all("memberships").any(|membership| body_of(membership) == gone),
                };
                if names {
                    notes.push(format!("person {} still names {} {gone}, which is removed", id_of(person), list.one()));
                }
            }
        }
    }
    notes
}
