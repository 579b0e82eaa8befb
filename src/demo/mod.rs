//! The demonstration council: invented people and papers, so that a newcomer can ask a question at once.
//!
//! Its dates are written relative to the moment it is first loaded (`{{now+5d}}`, `{{date-90d}}`), so that a coming
//! meeting is always still to come. It deliberately knows no rule: it is data like any council's.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::domain::{calendar::london_day, determination::Entered, document::Document, register::Register};

mod start;

pub use start::{Token, announcement, seed, tokens};

/// Everything the demonstration council starts with.
pub struct DemoCouncil {
    pub register: Register,
    pub documents: Vec<Document>,
    pub determinations: Vec<Entered>,
}

/// Why a text with placeholders did not resolve.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("`{0}` is no placeholder")]
    Placeholder(String),
    #[error("the demonstration data does not parse")]
    Parse(#[from] serde_json::Error),
}

impl DemoCouncil {
    /// The council as of a moment.
    pub fn at(now: Timestamp) -> Result<Self, DemoError> {
        Ok(Self {
            register: resolved(include_str!("register.json"), now)?,
            documents: resolved(include_str!("documents.json"), now)?,
            determinations: resolved(include_str!("determinations.json"), now)?,
        })
    }
}

fn resolved<T: serde::de::DeserializeOwned>(text: &str, now: Timestamp) -> Result<T, DemoError> {
    let mut value: Value = serde_json::from_str(text)?;
    resolve(&mut value, now)?;
    Ok(serde_json::from_value(value)?)
}

/// Replaces every string that is a placeholder: `{{now}}`, `{{now-5h}}`, `{{now+7d}}`, `{{now-5m}}` by a time,
/// `{{date}}`, `{{date-90d}}` by a London day.
pub fn resolve(value: &mut Value, now: Timestamp) -> Result<(), DemoError> {
    match value {
        Value::String(text) => {
            if let Some(inner) = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")) {
                *text = placeholder(inner, now).ok_or_else(|| DemoError::Placeholder(inner.to_owned()))?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| resolve(item, now)),
        Value::Object(members) => members.values_mut().try_for_each(|member| resolve(member, now)),
        _ => Ok(()),
    }
}

fn placeholder(text: &str, now: Timestamp) -> Option<String> {
    if let Some(offset) = text.strip_prefix("now") {
        return Some(now.checked_add(duration(offset)?).ok()?.to_string());
    }
    let at = now.checked_add(duration(text.strip_prefix("date")?)?).ok()?;
    Some(london_day(at).to_string())
}

/// `""`, `+7d`, `-5h`, `-5m`.
fn duration(text: &str) -> Option<SignedDuration> {
    let Some(unit) = text.chars().last() else { return Some(SignedDuration::ZERO) };
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    Some(SignedDuration::from_secs(number.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demonstration_council_parses_on_any_day() {
        for day in ["2026-11-22T12:00:00Z", "2027-02-28T23:59:00Z", "2028-02-29T00:00:00Z"] {
            let council = DemoCouncil::at(day.parse().expect("a time")).expect("the data parses");
            assert!(council.documents.len() >= 40, "some forty documents");
        }
    }

    #[test]
    fn a_placeholder_that_is_none_is_refused() {
        let mut value = serde_json::json!({"at": "{{tomorrow}}"});
        assert!(resolve(&mut value, Timestamp::UNIX_EPOCH).is_err());
    }
}
