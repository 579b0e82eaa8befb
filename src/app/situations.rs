//! Cases to try policies with: situations in which a statute gives access, each as it is and with each variation of what
//! no statute asks about (`policies/law/situations.json`).
//!
//! Worked example: a councillor asks for a report that a committee is to take in public; with a variation, having
//! an interest in it.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    domain::{determination::Determination, document::Document, question::Request, register::Register},
    pap::{Bundle, RuleBook},
    pip::{Indexed, Snapshot, facts::Case, gather},
};

const SITUATIONS: &str = "law/situations.json";

/// The file does not say what it should. Names the place, never a fact.
#[derive(Debug, thiserror::Error)]
#[error("`law/situations.json`: {0}")]
pub struct Faulty(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Situations {
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

/// One of them, ready to be decided.
pub(super) struct Trial {
    /// In words.
    pub says: String,
    pub case: Case,
}

impl Situations {
    pub fn of(bundle: &Bundle, now: Timestamp) -> Result<Self, Faulty> {
        let fault = |error: &dyn std::fmt::Display| Faulty(error.to_string());
        let text = bundle.files.text(SITUATIONS).ok_or_else(|| fault(&"is missing"))?;
        let mut all: Value = serde_json::from_str(text).map_err(|error| fault(&error))?;
        crate::domain::relative::resolve(&mut all, now).map_err(|error| fault(&error))?;
        serde_json::from_value(all).map_err(|error| fault(&error))
    }

    /// Every situation with every variation, in their order; `change` is done to each document first.
    pub fn trials(
        &self,
        bundle: &Bundle,
        book: &RuleBook,
        now: Timestamp,
        change: &dyn Fn(&mut Value),
    ) -> Result<Vec<Trial>, Faulty> {
        let none = Variation::default();
        let mut trials = Vec::new();
        for situation in &self.situations {
            for variation in std::iter::once(&none).chain(&self.variations) {
                let case = case(bundle, book, &self.register, (situation, variation), now, change)
                    .map_err(|why| Faulty(format!("{} with {}: {why}", situation.id, variation.id)))?;
                let says = [situation.says.as_str(), variation.says.as_str()].join(" ").trim_end().to_owned();
                trials.push(Trial { says, case });
            }
        }
        Ok(trials)
    }
}

fn case(
    bundle: &Bundle,
    book: &RuleBook,
    register: &Value,
    (situation, variation): (&Situation, &Variation),
    now: Timestamp,
    change: &dyn Fn(&mut Value),
) -> Result<Case, String> {
    let mut register = register.clone();
    let asker = situation.principal.get("id").cloned().unwrap_or_default();
    let people = register.get_mut("people").and_then(Value::as_array_mut).into_iter().flatten();
    for person in people.filter(|person| person.get("id") == Some(&asker)) {
        overlay(person, &variation.person);
    }
    let mut document = situation.document.clone();
    overlay(&mut document, &variation.document);
    change(&mut document);
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
    let snapshot = Snapshot { facts_version: 0, register: Indexed::new(Some(register)).into(), policies: None };
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
