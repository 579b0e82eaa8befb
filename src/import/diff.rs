//! What an import changes, for a person to read before it is made.
//!
//! Objects go by their ids; of those added the name is told, of those changed which members. Values are not told.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::{Value, json};

use super::{List, Members};
use crate::domain::{document::Document, register::Register};

/// All changes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Diff {
    /// Members of the authority that change.
    pub authority: Vec<String>,
    pub groups: Changes,
    pub wards: Changes,
    pub bodies: Changes,
    pub people: Changes,
    pub documents: Changes,
}

/// Changes of one list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Changes {
    pub added: Vec<Added>,
    pub changed: Vec<Changed>,
    pub removed: Vec<String>,
    /// Not named by the source.
    pub kept: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Added {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Changed {
    pub id: String,
    pub fields: Vec<String>,
}

impl Diff {
    pub fn of(
        old: Option<&Register>,
        new: &Register,
        papers: (&BTreeMap<String, Document>, &[Document]),
        kept: &BTreeMap<&'static str, Vec<String>>,
    ) -> Self {
        let (before, after) = (old.map_or_else(|| json!({}), |old| json!(old)), json!(new));
        let list = |list: List| {
            let kept = kept.get(list.word()).cloned().unwrap_or_default();
            Changes { kept, ..Changes::of(&listed(&before, list.word()), &listed(&after, list.word()), true) }
        };
        let fields = |value: &Value| value.get("authority").and_then(Value::as_object).cloned().unwrap_or_default();
        let (old, new): (Vec<Value>, Vec<Value>) = (
            papers.0.values().map(|paper| json!(paper)).collect(),
            papers.1.iter().map(|paper| json!(paper)).collect(),
        );
        let documents = Changes { removed: Vec::new(), ..Changes::of(&old, &new, false) };
        Self {
            authority: differing(&fields(&before), &fields(&after)),
            groups: list(List::Groups),
            wards: list(List::Wards),
            bodies: list(List::Bodies),
            people: list(List::People),
            documents,
        }
    }

    pub fn is_empty(&self) -> bool {
        let lists = [&self.groups, &self.wards, &self.bodies, &self.people, &self.documents];
        self.authority.is_empty()
            && lists.iter().all(|of| of.added.is_empty() && of.changed.is_empty() && of.removed.is_empty())
    }
}

impl Changes {
    fn of(old: &[Value], new: &[Value], named: bool) -> Self {
        let by_id = |values: &[Value]| -> BTreeMap<String, Members> {
            let object = |value: &Value| Some((value.get("id")?.as_str()?.to_owned(), value.as_object()?.clone()));
            values.iter().filter_map(object).collect()
        };
        let (old, new) = (by_id(old), by_id(new));
        let mut changes = Self::default();
        for (id, object) in &new {
            let Some(before) = old.get(id) else {
                let name = object.get("name").and_then(Value::as_str).filter(|_| named).map(str::to_owned);
                changes.added.push(Added { id: id.clone(), name });
                continue;
            };
            let fields = differing(before, object);
            if !fields.is_empty() {
                changes.changed.push(Changed { id: id.clone(), fields });
            }
        }
        changes.removed = old.keys().filter(|id| !new.contains_key(*id)).cloned().collect();
        changes
    }
}

fn listed(register: &Value, list: &str) -> Vec<Value> {
    register.get(list).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn differing(old: &Members, new: &Members) -> Vec<String> {
    let gone = old.keys().filter(|name| !new.contains_key(*name));
    new.iter()
        .filter(|(name, value)| old.get(*name) != Some(value))
        .map(|(name, _)| name)
        .chain(gone)
        .cloned()
        .collect()
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.authority.is_empty() {
            writeln!(f, "authority: {}", self.authority.join(", "))?;
        }
        let lists = [
            ("groups", &self.groups),
            ("wards", &self.wards),
            ("bodies", &self.bodies),
            ("people", &self.people),
            ("documents", &self.documents),
        ];
        for (name, of) in lists {
            let counts = (of.added.len(), of.changed.len(), of.removed.len());
            if counts != (0, 0, 0) {
                writeln!(f, "{name}: {} added, {} changed, {} removed", counts.0, counts.1, counts.2)?;
            }
            for Added { id, name } in &of.added {
                writeln!(f, "  + {id}{}", name.as_ref().map(|name| format!("  {name}")).unwrap_or_default())?;
            }
            for Changed { id, fields } in &of.changed {
                writeln!(f, "  ~ {id}  {}", fields.join(", "))?;
            }
            for id in &of.removed {
                writeln!(f, "  - {id}")?;
            }
        }
        for (name, of) in lists {
            if !of.kept.is_empty() {
                writeln!(f, "{name} not named by the source, kept: {}", of.kept.join(", "))?;
            }
        }
        Ok(())
    }
}
