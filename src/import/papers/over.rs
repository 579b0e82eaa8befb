//! What modern.gov tells of a paper, laid over what the register of documents has of it.
//!
//! An import sees only the meetings of its own days. What closed a paper at another meeting is not told again, so what
//! is not told again goes on closing it.

use serde_json::{Value, json};

use super::is_open;
use crate::import::{Item, Members};

/// A document as it is after an import; `None`: it was not there.
pub fn over(there: Option<&Members>, item: &Item) -> Members {
    let mut result = there.cloned().unwrap_or_else(|| {
        let mut new = Members::from_iter([("id".to_owned(), json!(item.id))]);
        new.extend(item.at_first.clone());
        new
    });
    let before = result.get("classification").cloned();
    let told = item.told.iter().filter(|(name, _)| *name != "business");
    result.extend(told.map(|(name, value)| (name.clone(), value.clone())));
    business_over(&mut result, item.told.get("business"));
    let source_opens = item.told.get("classification").is_some_and(is_open);
    let closed = before.as_ref().filter(|before| !is_open(before));
    let closed_elsewhere =
        source_opens && closed.is_some_and(|closed| !recorded(closed) && elsewhere(&result, closed, item));
    let kept = before.filter(|before| match recorded(before) {
        true => source_opens || !is_open(before),
        false => closed_elsewhere,
    });
    if let Some(kept) = kept {
        result.insert("classification".to_owned(), kept);
    }
    if result.get("classification").is_none_or(|now| !is_open(now)) {
        result.shift_remove("published_at");
    }
    if !source_opens || closed_elsewhere {
        close_parts(&mut result);
    }
    result
}

fn recorded(classification: &Value) -> bool {
    classification.get("determined_by").is_some_and(Value::is_string)
}

/// A part that was called open without anybody's opinion on record is as closed as the attachment.
fn close_parts(result: &mut Members) {
    let parts = result.get_mut("parts").and_then(Value::as_array_mut);
    for part in parts.into_iter().flatten().filter_map(Value::as_object_mut) {
        let opinion = part.get("classification");
        if opinion.is_some_and(|opinion| is_open(opinion) && !recorded(opinion)) {
            part.shift_remove("classification");
        }
        part.shift_remove("published_at");
    }
}

/// Whether a paper may be closed by an item that the source does not tell about.
fn elsewhere(document: &Members, closed: &Value, item: &Item) -> bool {
    let told: Vec<&Value> = item.told.get("business").and_then(Value::as_array).into_iter().flatten().collect();
    let same = |one: &Value, other: &Value, name: &str| one.get(name) == other.get(name);
    let parts = document.get("parts").and_then(Value::as_array).into_iter().flatten();
    let of_parts = parts.filter_map(|part| part.get("business"));
    let mut all = document.get("business").into_iter().chain(of_parts).filter_map(Value::as_array).flatten();
    let untold = all.any(|one| !told.iter().any(|told| same(one, told, "meeting") && same(one, told, "item")));
    let forgotten = remembered(closed)
        .is_some_and(|meeting| !told.iter().any(|told| told.get("meeting").and_then(Value::as_str) == Some(&meeting)));
    untold || forgotten
}

/// The word before a meeting's id in a label, see [`remember`].
const AT: &str = " at mg:meeting:";

/// Notes in the label which meeting closed a paper: one that does not take place leaves no business to know it by.
pub fn remember(classification: &mut Value, meeting: u64) {
    let label = classification.get("label").and_then(Value::as_str).unwrap_or("Restricted");
    let label = format!("{label}{AT}{meeting}, which does not take place");
    if let Value::Object(classification) = classification {
        classification.insert("label".to_owned(), json!(label));
    }
}

/// The id of the meeting that [`remember`] noted.
pub fn remembered(classification: &Value) -> Option<String> {
    let (_, after) = classification.get("label")?.as_str()?.split_once(AT)?;
    let number = after.split(',').next()?;
    Some(format!("mg:meeting:{number}"))
}

/// What the source tells of the same item of the same meeting is laid over what is known of it; other business stays.
fn business_over(result: &mut Members, told: Option<&Value>) {
    let mut all = result.get("business").and_then(Value::as_array).cloned().unwrap_or_default();
    for entry in told.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object) {
        let same = |other: &Value, name: &str| other.get(name) == entry.get(name);
        if entry.get("status").is_none_or(Value::is_null) {
            all.retain(|other| !same(other, "meeting"));
            continue;
        }
        match all.iter_mut().find(|other| same(other, "meeting") && same(other, "item")).and_then(Value::as_object_mut)
        {
            Some(known) => known.extend(entry.clone()),
            None => all.push(Value::Object(entry.clone())),
        }
    }
    result.shift_remove("business");
    if !all.is_empty() {
        result.insert("business".to_owned(), Value::Array(all));
    }
}
