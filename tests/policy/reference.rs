//! The generated reference is up to date, and every rule is accounted for.

use std::{collections::BTreeMap, fs};

use pinkpaper::pap::{accounting, reference};

use crate::world::{BUNDLE, root};

#[test]
fn every_rule_of_law_and_protocols_is_accounted_for() {
    let faults = accounting::faults(&BUNDLE);
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The texts have so many rules: one that is dropped from an account is missed here.
#[test]
fn no_text_loses_a_rule() {
    let accounts = accounting::accounts(&BUNDLE).expect("they parse");
    let counted: BTreeMap<&str, usize> =
        accounts.iter().map(|(file, account)| (file.as_str(), account.rules.len())).collect();
    insta::assert_debug_snapshot!("rules_in_each_text", counted);
}

#[test]
fn the_reference_is_up_to_date() {
    let proofs = fs::read_to_string(root().join("tests/policy/proofs.json")).expect("proofs.json");
    let proofs = serde_json::from_str(&proofs).expect("JSON");
    let told = reference::markdown(&BUNDLE, &proofs).expect("told");
    let file = root().join("policies/REFERENCE.md");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&file, &told).expect("written");
    }
    let kept = fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == told, "policies/REFERENCE.md is out of date: UPDATE_GENERATED=1 writes it");
}

#[test]
fn every_attribute_a_policy_reads_has_words() {
    let read: std::collections::BTreeSet<&str> = BUNDLE
        .books
        .values()
        .flat_map(|book| book.rules())
        .flat_map(|rule| rule.clauses.iter().flat_map(|clause| clause.reads.iter().map(String::as_str)))
        .collect();
    // Ways through a record, not facts.
    let ways = ["principal", "resource", "context", "context.business", "context.interests", "context.result"];
    let without: Vec<&&str> =
        read.iter().filter(|path| BUNDLE.facts.get(path).is_none() && !ways.contains(*path)).collect();
    assert!(without.is_empty(), "policies/facts.json has no words for {without:?}");
}
