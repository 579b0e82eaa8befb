//! The log as a table for a spreadsheet: a row for each entry, the same columns in both views.
//!
//! It proves nothing (that is what NDJSON is for). No cell can begin a formula: what a spreadsheet would run is written
//! with an apostrophe before it.

use serde_json::Value;

use super::{
    RawEntry,
    entry::Leaf,
    export::{Pseudonyms, SUMMARY, View, principal},
};

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

/// An entry as a row; what was erased or does not concern its kind is empty.
pub fn row(raw: &RawEntry, view: View, pseudonyms: &Pseudonyms) -> String {
    let leaf: Option<Leaf> = serde_json::from_slice(&raw.leaf).ok();
    let of_leaf = |member: fn(&Leaf) -> String| leaf.as_ref().map(member).unwrap_or_default();
    let summary = raw.groups.iter().find(|group| group.name == SUMMARY);
    let summary: Value = summary.and_then(|group| serde_json::from_str(&group.body).ok()).unwrap_or_default();
    let of_summary = |member: &str| cell(summary.get(member).unwrap_or(&Value::Null));
    let person = principal(raw).map(|person| match view {
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

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

fn written(cells: &[String]) -> String {
    let mut row = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = row.write_record(cells.iter().map(|cell| harmless(cell)));
    row.into_inner().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// What a spreadsheet would take for a formula begins with an apostrophe instead.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"] {
            assert_eq!(harmless(cell), format!("'{cell}"));
        }
        assert_eq!(harmless("doc:1-2"), "doc:1-2");
    }

    #[test]
    fn a_cell_keeps_its_commas_quotes_and_lines() {
        let cells = ["a,b".to_owned(), "a \"b\"".to_owned(), "a\nb".to_owned(), String::new()];
        let text = written(&cells);
        let mut read = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        let row = read.records().next().expect("a row").expect("readable");
        assert_eq!(row.iter().collect::<Vec<_>>(), cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
}
