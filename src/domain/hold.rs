//! A hold: what must be kept whatever its period, because it has been asked for, complained of or sued over.
//!
//! A scope with several members covers what all of them fit. It covers what comes later too: a hold is about a
//! matter, not about a list.

use jiff::{Timestamp, ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

use super::{calendar::london_midnight, id::Id, words::HoldKind};

/// A hold as it is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placing {
    pub kind: HoldKind,
    /// The request, complaint or claim it serves, as the council numbers it.
    pub reference: String,
    pub reason: String,
    pub scope: Scope,
}

/// Which entries a hold covers. Never empty: the schema asks for one member at least.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Id>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Id>,
    /// A rule that decided or referred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Date>,
    /// Inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
}

impl Scope {
    /// The first moment covered, where there is one.
    pub fn begins(&self) -> Option<Timestamp> {
        self.from.and_then(london_midnight)
    }

    /// The first moment no longer covered, where there is one.
    pub fn ends(&self) -> Option<Timestamp> {
        self.to.and_then(|day| london_midnight(day.checked_add(1.day()).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_scope_begins_and_ends_with_london_days() {
        let scope = Scope { from: Some(date(2026, 7, 1)), to: Some(date(2026, 7, 31)), ..Scope::default() };
        let at = |text: &str| Some(text.parse::<Timestamp>().expect("a time"));
        assert_eq!((scope.begins(), scope.ends()), (at("2026-06-30T23:00:00Z"), at("2026-07-31T23:00:00Z")));
        assert_eq!((Scope::default().begins(), Scope::default().ends()), (None, None));
    }
}
