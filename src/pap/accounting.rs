//! Accounts for every rule of the law and of the protocols: the policy that carries it, or why none does.
//!
//! `policies/accounting/*.json` list the rule ids of one text each, in its order. A rule that a policy carries (by its
//! `@rule` or `@carries`, or by a profile's selection) has no more to say; any other says how it shows in the product,
//! and why no policy carries it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Bundle, source::ACCOUNTING};

/// The rules of one text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub source: String,
    pub rules: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub rule: String,
    pub subject: String,
    #[serde(default)]
    pub how: Option<How>,
    #[serde(default)]
    pub why: Option<String>,
}

/// How a rule that no policy carries shows in the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Definition,
    Process,
    Route,
    Vocabulary,
    Reading,
    /// Computed before any policy is asked.
    Engine,
    NotModelled,
}

impl How {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Definition => "definition",
            Self::Process => "process",
            Self::Route => "route",
            Self::Vocabulary => "vocabulary",
            Self::Reading => "reading",
            Self::Engine => "engine",
            Self::NotModelled => "not modelled",
        }
    }
}

/// The accounts of a bundle by their file, or the file that does not parse.
pub fn accounts(bundle: &Bundle) -> Result<BTreeMap<String, Account>, String> {
    bundle
        .files
        .below(ACCOUNTING, ".json")
        .map(|(file, text)| {
            let account = serde_json::from_str(text).map_err(|error| format!("`{file}`: {error}"))?;
            Ok((file.trim_start_matches(ACCOUNTING).trim_end_matches(".json").to_owned(), account))
        })
        .collect()
}

/// The policies that carry each rule id.
pub fn carriers(bundle: &Bundle) -> BTreeMap<String, BTreeSet<String>> {
    let mut carriers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for rule in bundle.books.values().flat_map(|book| book.rules()) {
        for id in rule.rule_ids().chain(&rule.annotations.carries).chain(rule.annotations.rule.iter()) {
            carriers.entry(id.clone()).or_default().insert(rule.id().to_owned());
        }
    }
    carriers
}

/// What the accounts leave open, in words; empty when every rule is accounted for once.
pub fn faults(bundle: &Bundle) -> Vec<String> {
    let accounts = match accounts(bundle) {
        Ok(accounts) => accounts,
        Err(fault) => return vec![fault],
    };
    let carriers = carriers(bundle);
    let mut faults = Vec::new();
    let mut listed: BTreeSet<&str> = BTreeSet::new();
    for (file, account) in &accounts {
        // A reading or an open question may concern several texts, each with an account of its own.
        let mut here: BTreeSet<&str> = BTreeSet::new();
        for entry in &account.rules {
            let carried = carriers.contains_key(&entry.rule);
            listed.insert(&entry.rule);
            if !here.insert(&entry.rule) {
                faults.push(format!("{file}: {} stands twice", entry.rule));
            }
            match (carried, entry.how, &entry.why) {
                (false, Some(_), Some(why)) if !why.is_empty() => {}
                (true, None, None) => {}
                (false, ..) => faults.push(format!("{file}: {} is carried by no policy and not explained", entry.rule)),
                (true, ..) => faults.push(format!("{file}: {} is explained, but a policy carries it", entry.rule)),
            }
        }
    }
    let unlisted = carriers.keys().filter(|id| !listed.contains(id.as_str()));
    faults.extend(unlisted.map(|id| format!("{id} is carried by a policy, but stands in no account")));
    faults
}
