//! What each attribute a policy reads is, in plain words, and who or what supplies it (`policies/facts.json`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct FactWords(BTreeMap<String, FactWord>);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactWord {
    pub fact: String,
    pub from: Supplier,
}

/// Who can supply a fact, or change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Supplier {
    /// Whoever asks, in the request.
    Asker,
    /// The council's register: its registrar.
    Register,
    /// The facts about the document: its owner in the records system.
    Document,
    /// The proper officer's recorded opinion.
    ProperOfficer,
    /// A recorded determination, by one of the posts that may decide its kind.
    Determination,
    Clock,
    /// Worked out by the service from other facts.
    Service,
}

impl FactWords {
    pub fn get(&self, path: &str) -> Option<&FactWord> {
        self.0.get(path)
    }

    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
