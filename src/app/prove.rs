//! What must hold of any policies, proved by trying: `pinkpaper policy prove`.
//!
//! Every situation with every variation ([`super::situations`]) is decided, and decided again with each fact of its paper
//! forgotten. Four laws must hold, whatever a council's rules are:
//!
//! * every rule that is asked can be evaluated (one that cannot closes the whole answer);
//! * nothing is given without a right or a ground;
//! * a fact forgotten opens nothing: unknown never opens;
//! * what statute gives under the profile `baseline` is given under this one: a protocol narrows no right.
//!
//! It is a trial and no theorem: what no situation tries is not shown. The rows in tables show what single rules do.
//!
//! Where next: [`super::conflicts`] tells where a protocol *tries* to narrow a right.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::situations::{Faulty, Situations, Trial};
use crate::{
    domain::{
        decision::Verdict,
        words::{Effect, Layer, PartOutcome},
    },
    pap::{Bundle, RuleBook},
    pdp::{self, StatutoryLayer},
};

/// The profile that has statute and common law alone.
const BASELINE: &str = "baseline";

/// Facts of a paper whose absence means that they are unknown. Left out are those of which the description says what
/// shows them when they are absent: `available_to_members_at`, `listed_background_paper`, `sensitive_in_fact`.
pub const FACTS: [&str; 21] = [
    "held_by_executive",
    "council_business",
    "business",
    "published_at",
    "draft",
    "taken_into_consideration",
    "matters",
    "wards",
    "service",
    "group_internal_of",
    "given_to_group",
    "administration_only",
    "personal_record",
    "third_party_personal",
    "staff_matter",
    "environmental",
    "proceedings",
    "privy",
    "classification",
    "tags",
    "given_in_confidence_by",
];

/// What trying a profile came to.
#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    pub profile: String,
    /// Decisions made.
    pub tried: usize,
    /// Of them with a fact forgotten.
    pub forgotten: usize,
    pub broken: Vec<Broken>,
}

/// A case in which a law does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    pub law: &'static str,
    /// The case in words.
    pub case: String,
    /// Parts that are given and should not be, or the other way round.
    pub parts: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    #[error("there is no profile `{0}`")]
    NoProfile(String),
    #[error(transparent)]
    Situations(#[from] Faulty),
}

/// Tries the laws on a profile.
pub fn prove(bundle: &Bundle, profile: &str, now: Timestamp) -> Result<Proof, ProveError> {
    let book = bundle.book(profile).ok_or_else(|| ProveError::NoProfile(profile.to_owned()))?;
    let situations = Situations::of(bundle, now)?;
    let whole = situations.trials(bundle, book, now, &|_| {})?;
    let mut proof = Proof { profile: profile.to_owned(), tried: 0, forgotten: 0, broken: Vec::new() };
    let mut given = Vec::with_capacity(whole.len());
    for trial in &whole {
        given.push(proof.decide(bundle, book, trial).map(|verdict| disclosed(&verdict)).unwrap_or_default());
    }
    if let Some(baseline) = bundle.book(BASELINE) {
        let rights = situations.trials(bundle, baseline, now, &|_| {})?;
        for (trial, given) in rights.iter().zip(&given) {
            let verdict = pdp::decide(bundle, baseline, StatutoryLayer::Enforce, &trial.case).ok();
            let rights = verdict.map(|verdict| by_statute(&verdict)).unwrap_or_default();
            proof.hold("what statute gives is given", trial, rights.difference(given).cloned().collect());
        }
    }
    for fact in FACTS {
        let forgetful = situations.trials(bundle, book, now, &|document| forget(document, fact))?;
        for ((trial, known), given) in forgetful.iter().zip(&whole).zip(&given) {
            // What the paper does not have cannot be forgotten.
            if json!(trial.case) == json!(known.case) {
                continue;
            }
            proof.forgotten += 1;
            if let Some(verdict) = proof.decide(bundle, book, trial) {
                let opened = disclosed(&verdict).difference(given).cloned().collect();
                proof.hold("a fact forgotten opens nothing", trial, opened);
            }
        }
    }
    Ok(proof)
}

impl Proof {
    /// The verdict on a case; that there is one, and that it gives nothing for no reason, are laws themselves.
    fn decide(&mut self, bundle: &Bundle, book: &RuleBook, trial: &Trial) -> Option<Verdict> {
        self.tried += 1;
        let Ok(verdict) = pdp::decide(bundle, book, StatutoryLayer::Enforce, &trial.case) else {
            self.broken.push(Broken {
                law: "every rule can be evaluated",
                case: trial.says.clone(),
                parts: Vec::new(),
            });
            return None;
        };
        let gives = |part: &&crate::domain::decision::PartVerdict| part.outcome == PartOutcome::Disclose;
        let for_nothing = verdict.parts.iter().filter(gives).filter(|part| part.because.is_empty());
        let for_nothing = for_nothing.map(|part| part.id.to_string()).collect();
        self.hold("nothing is given without a right or a ground", trial, for_nothing);
        Some(verdict)
    }

    fn hold(&mut self, law: &'static str, trial: &Trial, parts: Vec<String>) {
        if !parts.is_empty() {
            self.broken.push(Broken { law, case: trial.says.clone(), parts });
        }
    }
}

fn disclosed(verdict: &Verdict) -> BTreeSet<String> {
    let given = verdict.parts.iter().filter(|part| part.outcome == PartOutcome::Disclose);
    given.map(|part| part.id.to_string()).collect()
}

/// Parts that a statute gives.
fn by_statute(verdict: &Verdict) -> BTreeSet<String> {
    let right = |rule: &String| {
        let mut reasons = verdict.reasons.iter();
        reasons.any(|r| r.rule == *rule && r.layer == Layer::Statute && r.effect == Effect::Permit)
    };
    let given = verdict.parts.iter().filter(|part| part.outcome == PartOutcome::Disclose);
    given.filter(|part| part.because.iter().any(right)).map(|part| part.id.to_string()).collect()
}

/// Takes a fact out of a document and of each of its parts.
fn forget(document: &mut Value, fact: &str) {
    let parts = document.get_mut("parts").and_then(Value::as_array_mut).into_iter().flatten();
    for part in parts.filter_map(Value::as_object_mut) {
        part.remove(fact);
    }
    if let Some(members) = document.as_object_mut() {
        members.remove(fact);
    }
}
