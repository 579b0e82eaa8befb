//! The log as a table for a spreadsheet: a row for each entry, the same columns in both views.
//!
//! It proves nothing (that is what NDJSON is for). No cell can begin a formula: see [`crate::spreadsheet`].

use serde_json::Value;

use super::{
    RawEntry,
    entry::Leaf,
    export::{Pseudonyms, SUMMARY, View, principal},
};
use crate::spreadsheet::written;

const COLUMNS: [&str; 14] = [
    "index",
    "at",
    "kind",
    "id",
    "outcome",
    "held",
    "action",
    "document",
    "person",
    "person_kind",
    "rules",
    "referred_to",
    "policy_bundle",
    "leaf_hash",
];

pub fn titles() -> String {
    written(&COLUMNS.map(str::to_owned))
}

/// An entry as a row; what was erased, is not shown in this view or does not concern its kind is empty.
pub fn row(raw: &RawEntry, view: View, pseudonyms: &Pseudonyms) -> String {
    let leaf: Option<Leaf> = serde_json::from_slice(&raw.leaf).ok();
    let of_leaf = |member: fn(&Leaf) -> String| leaf.as_ref().map(member).unwrap_or_default();
    let is_shown = view.shows(leaf.as_ref().map(|leaf| leaf.kind), SUMMARY);
    let summary = if is_shown { summary(raw) } else { Value::Null };
    let of_summary = |member: &str| cell(summary.get(member).unwrap_or(&Value::Null));
    let person = principal(raw).filter(|_| is_shown).map(|person| match view {
        View::Full => person,
        View::Foi => pseudonyms.of(&person),
    });
    written(&[
        raw.index.to_string(),
        of_leaf(|leaf| leaf.at.to_string()),
        of_leaf(|leaf| leaf.kind.word().to_owned()),
        of_leaf(|leaf| leaf.id.clone()),
        of_leaf(|leaf| leaf.outcome.map(|outcome| outcome.word().to_owned()).unwrap_or_default()),
        of_summary("held"),
        of_summary("action"),
        of_summary("document"),
        person.unwrap_or_default(),
        of_summary("person_kind"),
        of_summary("rules"),
        of_summary("referred_to"),
        of_leaf(|leaf| leaf.policy_bundle.clone()),
        hex::encode(&raw.leaf_hash),
    ])
}

/// What may be released of a decision; null of anything else, and of what was erased.
pub fn summary(raw: &RawEntry) -> Value {
    let summary = raw.groups.iter().find(|group| group.name == SUMMARY);
    summary.and_then(|group| serde_json::from_str(&group.body).ok()).unwrap_or_default()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}
