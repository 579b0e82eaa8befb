//! The demonstration council: invented people and papers, so that a newcomer can ask a question at once.
//!
//! Its dates are written relative to the moment it is first loaded (`{{now+5d}}`, `{{date-90d}}`), so that a coming
//! meeting is always still to come. It deliberately knows no rule: it is data like any council's.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::{
    determination::Entered,
    document::Document,
    register::Register,
    relative::{NotAPlaceholder, resolve},
};

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
    #[error(transparent)]
    Placeholder(#[from] NotAPlaceholder),
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
}
