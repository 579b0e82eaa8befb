//! The conflicts with statute that a lawyer found by hand (law.md §12) are found by asking, with both citations.

use std::collections::{BTreeMap, BTreeSet};

use pinkpaper::app::conflicts::conflicts;

use crate::world::{BUNDLE, NOW};

/// Row of law.md §12, profile, local rule, the right it falls short of.
const BY_HAND: &[(u8, &str, &str, &str)] = &[
    (1, "th52", "TH52-10.3-iv", "S-100F-3"),
    (1, "th23", "TH23-7.6-iv", "R-16-5"),
    (2, "wat", "WAT-112-b", "S-100F-3"),
    (3, "th52", "TH52-10.3-iii", "R-17-3"),
    (3, "th23", "TH23-7.6-iii", "R-17-3"),
    (4, "cm", "CM-4.19.3", "R-17-3"),
    (5, "th52", "TH52-10.4-b", "S-100F-1"),
    (5, "th23", "TH23-7.7-b", "R-16-2"),
    (5, "cm", "CM-4.20-b", "S-100F-3"),
    (5, "wat", "WAT-114-b", "S-100F-1"),
    (6, "th52", "TH52-10.10-b", "S-100F-1"),
    (6, "th23", "TH23-7.13-b", "S-100F-1"),
    (7, "th52", "TH52-10.10-a", "S-100F-3"),
    (8, "th52", "TH52-10.11", "S-100F-1"),
    (8, "th23", "TH23-7.14", "S-100F-1"),
    (8, "cc", "CC-AI-8", "S-100F-1"),
    (8, "wat", "WAT-116", "S-100F-1"),
    (9, "cc", "CC-AI-6-a", "S-100F-3"),
    (14, "wat", "WAT-R4-b", "S-100F-1"),
    (23, "wat", "WAT-110-b", "S-100F-1"),
];

#[test]
fn every_conflict_found_by_hand_is_found_by_asking() {
    let profiles: BTreeSet<&str> = BY_HAND.iter().map(|(_, profile, ..)| *profile).collect();
    let asked = |profile| (profile, conflicts(&BUNDLE, profile, *NOW).expect("asked"));
    let all: BTreeMap<&str, _> = profiles.into_iter().map(asked).collect();
    let mut missing = Vec::new();
    for (row, profile, local, right) in BY_HAND {
        let found = &all[profile];
        if !found.iter().any(|conflict| conflict.local.rule == *local && conflict.statute.rule == *right) {
            let near: BTreeSet<&str> = found
                .iter()
                .filter(|conflict| conflict.local.rule == *local)
                .map(|conflict| conflict.statute.rule.as_str())
                .collect();
            missing.push(format!("row {row}: {profile} {local} against {right}; found against {near:?}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn a_conflict_names_both_citations_and_an_example() {
    for conflict in conflicts(&BUNDLE, "th52", *NOW).expect("asked") {
        assert!(conflict.local.rule.starts_with("TH52-"), "{}", conflict.local.rule);
        assert!(conflict.local.citation.instrument.contains("Tower Hamlets"));
        assert!(conflict.statute.citation.url.is_some(), "{}", conflict.statute.rule);
        assert!(!conflict.example.is_empty() && !conflict.title.is_empty());
    }
}

#[test]
fn statute_and_common_law_alone_have_no_protocol_to_be_narrower() {
    let found = conflicts(&BUNDLE, "baseline", *NOW).expect("asked");
    let local: BTreeSet<&str> = found.iter().map(|conflict| conflict.local.rule.as_str()).collect();
    assert!(local.iter().all(|rule| rule.starts_with("CL-")), "{local:?}");
    assert!(conflicts(&BUNDLE, "no-such-profile", *NOW).is_err());
}
