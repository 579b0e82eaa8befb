//! What an explanation tells is true: it agrees with the decision, and the changes it names would open the part.

use std::collections::BTreeSet;

use pinkpaper::{
    domain::{
        id::Id,
        words::{PartOutcome, TestResult},
    },
    pdp::{
        self, StatutoryLayer,
        explain::{
            ConditionResult, Explanation,
            atom::{Atom, changed},
            explain,
        },
    },
    pip::facts::Case,
};

use crate::{
    row::{Row, book, case},
    tables::rows,
    world::BUNDLE,
};

/// Every row would take minutes: these are spread over all tables.
const EVERY: usize = 101;

fn explained(row: &Row) -> (Case, Explanation) {
    let question = row.question();
    let case = case(&BUNDLE, &question);
    let told = explain(&BUNDLE, book(&BUNDLE, &question), StatutoryLayer::Enforce, &case).expect("explained");
    (case, told)
}

fn discloses(row: &Row, case: &Case, part: &Id) -> bool {
    let question = row.question();
    let verdict = pdp::decide(&BUNDLE, book(&BUNDLE, &question), StatutoryLayer::Enforce, case).expect("decided");
    verdict.parts.iter().any(|verdict| verdict.id == *part && verdict.outcome == PartOutcome::Disclose)
}

#[test]
fn an_explanation_agrees_with_the_decision_condition_by_condition() {
    for row in rows().iter().step_by(EVERY) {
        let (case, told) = explained(row);
        for part in &told.parts {
            assert_eq!(part.outcome == PartOutcome::Disclose, discloses(row, &case, &part.part), "{}", row.place);
            for rule in &part.rules {
                let all = rule.conditions.iter().all(|condition| condition.result == ConditionResult::Held);
                assert_eq!(all, rule.result == TestResult::Met, "{}: {}", row.place, rule.policy);
                for condition in &rule.conditions {
                    assert!(condition.condition.starts_with("when") || condition.condition.starts_with("unless"));
                    assert!(
                        !condition.facts.is_empty(),
                        "{}: a fact without words: {}",
                        rule.policy,
                        condition.condition
                    );
                }
            }
        }
    }
}

#[test]
fn a_told_change_opens_the_part_and_nothing_less_does() {
    let mut sets = 0;
    for row in rows().iter().step_by(EVERY) {
        let (case, told) = explained(row);
        for set in &told.changes {
            sets += 1;
            assert!(!set.facts.is_empty() && set.facts.len() <= 3, "{}", row.place);
            assert!(discloses(row, &changed(&case, &set.part, &set.atoms), &set.part), "{}: {set:?}", row.place);
            for atom in &set.atoms {
                let less: BTreeSet<Atom> = set.atoms.iter().filter(|other| *other != atom).cloned().collect();
                assert!(!discloses(row, &changed(&case, &set.part, &less), &set.part), "{}: {set:?}", row.place);
            }
        }
    }
    assert!(sets > 5, "only {sets} sets of changes in all");
}

/// law.md example 28: no right under reg 16; a recorded need would open it, as would the opinion that it is not exempt.
#[test]
fn a_recorded_need_is_among_what_would_open_an_exempt_paper() {
    let refused = rows().into_iter().find(|row| {
        row.cell("Profile") == "th52"
            && row.cell("Outcome") == "deny held"
            && row.cell("Because").contains("TH52-10.3-iv")
    });
    let (_, told) = explained(&refused.expect("a row"));
    let need = Atom::Determined(pinkpaper::domain::words::Determination::NeedToKnow, true);
    assert!(told.changes.iter().any(|set| set.atoms.len() == 1 && set.atoms.contains(&need)), "{:?}", told.changes);
}
