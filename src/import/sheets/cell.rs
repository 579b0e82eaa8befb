//! What stands in a cell, as a value and back.
//!
//! A spreadsheet runs a cell that begins like a formula, whoever wrote the name in it. So such a cell is written with an
//! apostrophe before it. A cell that already looks so gets one more, and reading takes away exactly one: nothing is lost.

use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::columns::{Cell, Column};
use crate::{import::values, spreadsheet::begins_a_formula};

/// A cell as a value, or what was expected of it.
pub fn read(column: &Column, text: &str) -> Result<Value, String> {
    let text = if is_marked(text) { text.strip_prefix('\'').unwrap_or(text) } else { text };
    if text.trim().is_empty() {
        return if column.needed { Err("something".to_owned()) } else { Ok(Value::Null) };
    }
    let bare = text.trim();
    match column.cell {
        Cell::Text if text.chars().count() > 500 => Err("at most 500 characters".to_owned()),
        Cell::Text => Ok(json!(text)),
        Cell::Id => values::id(bare).map(Value::String),
        Cell::Ids => bare.split_whitespace().map(|one| values::id(one).map(Value::String)).collect(),
        Cell::Flag => values::flag(bare).map(Value::Bool).ok_or_else(|| "`true` or `false`".to_owned()),
        Cell::Day => match bare.parse::<Date>() {
            Ok(day) if bare.len() == 10 && (1900..2200).contains(&day.year()) => Ok(json!(day)),
            _ => Err("a day as YYYY-MM-DD".to_owned()),
        },
        Cell::Instant => {
            bare.parse::<Timestamp>().map(|at| json!(at)).map_err(|_| "a time such as 2026-10-02T09:00:00Z".to_owned())
        }
        Cell::Word(words) => word(bare, words()),
        Cell::Words(words) => bare.split_whitespace().map(|one| word(one, words())).collect(),
    }
}

fn word(text: &str, words: Vec<&'static str>) -> Result<Value, String> {
    if words.contains(&text) { Ok(json!(text)) } else { Err(format!("one of {}", words.join(", "))) }
}

/// A value as a cell that no spreadsheet runs.
pub fn write(value: &Value) -> String {
    let text = shown(value);
    if begins_a_formula(&text) || is_marked(&text) { format!("'{text}") } else { text }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(shown).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

/// Apostrophes, and then what would be a formula.
fn is_marked(text: &str) -> bool {
    text.starts_with('\'') && begins_a_formula(text.trim_start_matches('\''))
}
