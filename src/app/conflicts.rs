//! Every local rule of a profile that is narrower than the law, with both citations and an example.
//!
//! Found by asking: `policies/law/situations.json` has situations in which a statute gives access, and variations of
//! what no statute asks about (interests, groups, purposes, officers' findings). Each situation is put as it is and
//! with each variation ([`crate::pdp::narrower`] tells which local rules would then withhold). A list, not a proof
//! that there are no others.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    domain::{
        decision::RuleAndCitation, determination::Determination, document::Document, question::Request,
        register::Register,
    },
    pap::{Bundle, RuleBook},
    pdp::narrower::narrower,
    pip::{Indexed, Snapshot, gather},
};

const SITUATIONS: &str = "law/situations.json";

/// A local rule, a right it falls short of, and when.
#[derive(Clone, Debug, Serialize)]
pub struct RuleConflict {
    pub local: RuleAndCitation,
    /// The policy that carries it; several may carry one rule.
    pub policy: String,
    pub title: String,
    pub statute: RuleAndCitation,
    pub example: String,
}

#[derive(Debug, thiserror::Error)]
pub enum ConflictsError {
    #[error("there is no profile `{0}`")]
    NoProfile(String),
    #[error("`law/situations.json`: {0}")]
    Situations(String),
    #[error(transparent)]
    Evaluation(#[from] crate::pdp::EvaluationError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Situations {
    #[serde(rename = "about")]
    _about: String,
    register: Value,
    situations: Vec<Situation>,
    variations: Vec<Variation>,
}

/// Somebody asks for a paper that a statute gives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Situation {
    id: String,
    says: String,
    principal: Value,
    document: Value,
    determinations: Vec<Value>,
}

/// Something no statute asks about.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variation {
    id: String,
    says: String,
    #[serde(default)]
    person: Value,
    #[serde(default)]
    document: Value,
    #[serde(default)]
    request: Value,
    /// Kinds the Monitoring Officer has answered yes.
    #[serde(default)]
    recorded: Vec<String>,
    /// Kinds the Monitoring Officer has answered no.
    #[serde(default)]
    refused: Vec<String>,
}

/// The conflicts of a profile, by local rule and right.
pub fn conflicts(bundle: &Bundle, profile: &str, now: Timestamp) -> Result<Vec<RuleConflict>, ConflictsError> {
    let book = bundle.book(profile).ok_or_else(|| ConflictsError::NoProfile(profile.to_owned()))?;
    let fault = |error: &dyn std::fmt::Display| ConflictsError::Situations(error.to_string());
    let text = bundle.files.text(SITUATIONS).ok_or_else(|| fault(&"is missing"))?;
    let mut all: Value = serde_json::from_str(text).map_err(|error| fault(&error))?;
    crate::domain::relative::resolve(&mut all, now).map_err(|error| fault(&error))?;
    let all: Situations = serde_json::from_value(all).map_err(|error| fault(&error))?;
    let mut found: BTreeMap<(String, String), (usize, RuleConflict)> = BTreeMap::new();
    let none = Variation::default();
    for situation in &all.situations {
        for variation in std::iter::once(&none).chain(&all.variations) {
            let case = case(bundle, book, &all.register, situation, variation, now)
                .map_err(|why| fault(&format!("{} with {}: {why}", situation.id, variation.id)))?;
            for pair in narrower(bundle, book, &case)? {
                let key = (pair.local.id().to_owned(), pair.right.rule.clone());
                let order = found.len();
                let conflict = || RuleConflict {
                    local: RuleAndCitation { rule: pair.local.rule.clone(), citation: pair.local.citation.clone() },
                    policy: pair.local.id().to_owned(),
                    title: pair.local.annotations.title.clone(),
                    statute: RuleAndCitation { rule: pair.right.rule.clone(), citation: pair.right.citation.clone() },
                    example: [situation.says.as_str(), variation.says.as_str()].join(" ").trim_end().to_owned(),
                };
                found.entry(key).or_insert_with(|| (order, conflict()));
            }
        }
    }
    // By local rule; for each, in the order of the situations.
    let mut found: Vec<(usize, RuleConflict)> = found.into_values().collect();
    found.sort_by(|(a, left), (b, right)| {
        (&left.local.rule, &left.policy, a).cmp(&(&right.local.rule, &right.policy, b))
    });
    Ok(found.into_iter().map(|(_, conflict)| conflict).collect())
}

fn case(
    bundle: &Bundle,
    book: &RuleBook,
    register: &Value,
    situation: &Situation,
    variation: &Variation,
    now: Timestamp,
) -> Result<crate::pip::facts::Case, String> {
    let mut register = register.clone();
    let asker = situation.principal.get("id").cloned().unwrap_or_default();
    let people = register.get_mut("people").and_then(Value::as_array_mut).into_iter().flatten();
    for person in people.filter(|person| person.get("id") == Some(&asker)) {
        overlay(person, &variation.person);
    }
    let mut document = situation.document.clone();
    overlay(&mut document, &variation.document);
    let mut request = json!({
        "principal": situation.principal, "action": "read", "document": document, "channel": "director",
        "routine": false, "disputed": false, "confidentiality_requested": false,
        "purpose": {"capacity": "councillor", "ground": "other", "on_behalf_of": {"type": "none"}},
    });
    overlay(&mut request, &variation.request);
    let determinations = situation
        .determinations
        .iter()
        .cloned()
        .chain(variation.recorded.iter().map(|kind| recorded(kind, true, &asker, now)))
        .chain(variation.refused.iter().map(|kind| recorded(kind, false, &asker, now)))
        .enumerate()
        .map(|(at, entered)| kept(entered, at, now))
        .collect::<Result<Vec<_>, _>>()?;
    let register: Register = parsed(register)?;
    let document: Document = parsed(document)?;
    let request: Request = parsed(request)?;
    let snapshot = Snapshot { facts_version: 0, register: Indexed::new(Some(register)).into() };
    let sources = gather::Sources {
        snapshot: &snapshot,
        calendar: &bundle.calendar,
        profile: &book.profile,
        deciders: &bundle.deciders,
        determinations: &determinations,
        provided: None,
        now,
    };
    gather::gather(request, &document, &sources).map_err(|error| error.to_string())
}

fn recorded(kind: &str, answer: bool, asker: &Value, now: Timestamp) -> Value {
    let about_paper = ["redaction_decided", "data_protection_barred"].contains(&kind);
    json!({
        "kind": kind, "answer": answer, "person": if about_paper { &Value::Null } else { asker }, "document": "paper",
        "decided_by": {"person": "mo", "post": "monitoring_officer"}, "decided_at": now - jiff::SignedDuration::from_hours(1),
        "reasons": "As found.",
    })
}

fn kept(mut entered: Value, at: usize, now: Timestamp) -> Result<Determination, String> {
    overlay(&mut entered, &json!({"id": format!("det-{at}"), "entered_by": "situations", "recorded_at": now}));
    parsed(entered)
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// Sets the members of one object in another.
fn overlay(object: &mut Value, members: &Value) {
    if let (Value::Object(object), Value::Object(members)) = (object, members) {
        object.extend(members.clone());
    }
}
