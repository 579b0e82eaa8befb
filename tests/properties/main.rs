//! Laws that hold of every question, tried on the questions of the policy tables with random changes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(dead_code)]

#[path = "../policy/row.rs"]
mod row;
#[path = "../policy/tables.rs"]
mod tables;
#[path = "../policy/world.rs"]
mod world;

use std::{collections::BTreeSet, sync::LazyLock};

use pinkpaper::{
    app::prove::FACTS,
    domain::{
        decision::Verdict,
        document::Document,
        words::{PartOutcome, PersonKind, Setting},
    },
    pap::annotations::Role,
    pdp::{
        StatutoryLayer,
        combine::{Applicable, combine},
    },
};
use proptest::{prelude::*, test_runner::RngSeed};
use serde_json::Value;

use crate::{
    row::{Question, Row, answer},
    world::BUNDLE,
};

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(tables::rows);

/// Facts of a piece of business. `item_added_at` is left out: an item that names no later day is on the agenda as called.
const BUSINESS_FACTS: &[&str] =
    &["meeting_at", "convened_at", "private", "concluded_at", "item_was_open", "made_at", "decision"];
/// Members of a classification. `confidential` belongs to a confidential one only: beside another it contradicts, and
/// without it the contradiction is gone.
const CLASS_FACTS: &[&str] = &["public_interest", "determined_by", "determined_at"];

fn disclosed(verdict: &Verdict) -> BTreeSet<String> {
    let parts = verdict.parts.iter().filter(|part| part.outcome == PartOutcome::Disclose);
    parts.map(|part| part.id.to_string()).collect()
}

fn decide(question: &Question) -> BTreeSet<String> {
    disclosed(&answer(&BUNDLE, question).expect("no rule fails to evaluate"))
}

/// The document without a fact, wherever it stands.
fn without(document: &Document, forget: &Forget) -> Document {
    let mut value = serde_json::to_value(document).expect("JSON");
    forget.everywhere(&mut value);
    for part in value.get_mut("parts").and_then(Value::as_array_mut).into_iter().flatten() {
        forget.everywhere(part);
    }
    serde_json::from_value(value).expect("a document")
}

/// A fact to forget.
#[derive(Clone, Debug)]
enum Forget {
    Fact(&'static str),
    OfBusiness(&'static str),
    OfClassification(&'static str),
}

impl Forget {
    fn everywhere(&self, holder: &mut Value) {
        let remove = |object: &mut Value, name: &str| {
            if let Some(members) = object.as_object_mut() {
                members.remove(name);
            }
        };
        match self {
            Self::Fact(name) => remove(holder, name),
            Self::OfBusiness(name) => {
                if let Some(entries) = holder.get_mut("business").and_then(Value::as_array_mut) {
                    entries.iter_mut().filter(|entry| !contradicts(entry, name)).for_each(|entry| remove(entry, name));
                }
            }
            Self::OfClassification(name) => {
                if let Some(class) = holder.get_mut("classification") {
                    remove(class, name);
                }
            }
        }
    }
}

/// Whether the fact contradicts the entry's status. A contradiction closes; with the fact it is gone, and what is left
/// was never in doubt.
fn contradicts(entry: &Value, name: &str) -> bool {
    let to_come = entry["status"].as_str().is_some_and(|status| status.starts_with("to_be_"));
    to_come && ["concluded_at", "made_at"].contains(&name) && entry[name].is_string()
}

fn forgets() -> impl Strategy<Value = Forget> {
    prop_oneof![
        3 => proptest::sample::select(&FACTS).prop_map(Forget::Fact),
        1 => proptest::sample::select(BUSINESS_FACTS).prop_map(Forget::OfBusiness),
        1 => proptest::sample::select(CLASS_FACTS).prop_map(Forget::OfClassification),
    ]
}

fn is_assistant(question: &Question) -> bool {
    let person = question.request.principal.person();
    let found = person.and_then(|id| question.register.people.iter().find(|person| person.id == *id));
    found.is_some_and(|p| matches!(p.kind, PersonKind::PoliticalAssistant | PersonKind::MayorsAssistant))
}

fn rows() -> impl Strategy<Value = &'static Row> {
    (0..ROWS.len()).prop_map(|at| &ROWS[at])
}

/// Rules of a book, some of each role.
fn applicable() -> impl Strategy<Value = Applicable> {
    let rules: Vec<_> = BUNDLE.books.values().flat_map(|book| book.rules()).cloned().collect();
    let most = 12.min(rules.len());
    proptest::sample::subsequence(rules, 0..most).prop_map(|chosen| {
        let mut applicable = Applicable::default();
        chosen.iter().for_each(|rule| applicable.add(rule));
        applicable
    })
}

/// The same questions at every run, so that a red build is red for everyone; `PROPERTY_CASES=N` asks N fresh ones.
fn config() -> ProptestConfig {
    let fresh = std::env::var("PROPERTY_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: fresh.unwrap_or(600),
        rng_seed: if fresh.is_some() { RngSeed::Random } else { RngSeed::Fixed(20_261_122) },
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_unknown_fact_never_opens(row in rows(), forgotten in proptest::collection::vec(forgets(), 1..4)) {
        let known = row.question();
        let mut document = known.document.clone();
        for one in &forgotten {
            document = without(&document, one);
        }
        let mut unknown = row.question();
        unknown.document = document;
        let (before, after) = (decide(&known), decide(&unknown));
        prop_assert!(after.is_subset(&before), "{}: {forgotten:?} opened {:?}", row.place, after.difference(&before));
    }

    #[test]
    fn a_purpose_left_out_never_opens(row in rows(), which in 0..5_usize) {
        let known = row.question();
        let mut unknown = row.question();
        match which {
            // An assistant's post says in what capacity they ask, unless they say otherwise.
            0 if is_assistant(&known) => {}
            0 => unknown.request.purpose.capacity = None,
            1 => unknown.request.purpose.ground = None,
            2 => unknown.request.channel = None,
            3 => unknown.request.setting = None,
            // A Part II meeting is closed by what it is: who is there need not be said.
            _ if known.request.setting == Some(Setting::PartIiMeeting) => {}
            _ => unknown.request.attendees = None,
        }
        let (before, after) = (decide(&known), decide(&unknown));
        prop_assert!(after.is_subset(&before), "{}: leaving out {which} opened {:?}", row.place, after.difference(&before));
    }

    #[test]
    fn the_order_of_parts_business_and_matters_is_irrelevant(row in rows(), seed in any::<u64>()) {
        let plain = row.question();
        let mut turned = row.question();
        turned.document.parts.reverse();
        let turn = |list: &mut Vec<_>| if !list.is_empty() { let by = seed as usize % list.len(); list.rotate_left(by); };
        if let pinkpaper::domain::fact::Fact::Known(business) = &mut turned.document.facts.business { turn(business); }
        if let pinkpaper::domain::fact::Fact::Known(matters) = &mut turned.document.facts.matters { matters.reverse(); }
        turned.determinations.reverse();
        prop_assert_eq!(decide(&plain), decide(&turned), "{}", &row.place);
    }

    #[test]
    fn adding_a_restriction_never_opens(rules in applicable(), more in applicable()) {
        let before = combine(&rules, StatutoryLayer::Enforce).disclosed();
        let mut stricter = rules.clone();
        let restrictions = more.prohibitions.iter().chain(&more.bars).chain(&more.redactions).chain(&more.suspensions);
        restrictions.for_each(|rule| stricter.add(rule));
        prop_assert!(before || !combine(&stricter, StatutoryLayer::Enforce).disclosed());
    }

    #[test]
    fn a_protocol_restriction_never_cancels_a_statutory_right(rules in applicable(), more in applicable()) {
        let mut stricter = rules.clone();
        for rule in more.bars.iter().chain(&more.redactions).chain(&more.suspensions) {
            prop_assert!(rule.role() != Role::MustWithhold);
            stricter.add(rule);
        }
        let right = !rules.rights.is_empty() && rules.prohibitions.is_empty();
        prop_assert!(!right || combine(&stricter, StatutoryLayer::Enforce).disclosed());
    }

    #[test]
    fn nothing_is_disclosed_without_a_right_or_a_ground(rules in applicable()) {
        let mut bare = rules;
        bare.rights.clear();
        bare.grounds.clear();
        prop_assert!(!combine(&bare, StatutoryLayer::Enforce).disclosed());
    }

    #[test]
    fn the_same_question_has_the_same_answer(row in rows()) {
        let question = row.question();
        prop_assert_eq!(answer(&BUNDLE, &question).expect("an answer"), answer(&BUNDLE, &question).expect("an answer"));
    }
}
