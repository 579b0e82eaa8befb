//! Explains a decision: rule by rule and condition by condition, and what would have to be otherwise.
//!
//! Every rule of the action is tried on every part, each of its conditions by itself: it held, it did not, it could not
//! be told because a fact is unknown, or it was not reached because it builds on one that failed. A rule is told under
//! the business where it came nearest. What would change the outcome is *searched for and tried*: the facts that the
//! failed conditions read are changed one, two and three at a time, and the part is decided again ([`change`]); a
//! set is told only if it does disclose the part and no smaller set within it does.
//!
//! It tells names of facts and never their values: what a group, an interest or a title is stays in the register.
//!
//! Worked example: Cllr B. Three is refused a Part II licensing report. `members-of-the-body-see-its-part-ii` held in
//! its first two conditions and failed in the third; the search finds that membership of Licensing (the register), or
//! a recorded need to know (by a director or the Monitoring Officer), each alone would open it.
//!
//! The invariant: a told set of changes, applied to the case, discloses the part (`tests/policy/explanations.rs`).

use std::{collections::BTreeSet, sync::Arc};

use cedar_policy::{Authorizer, PolicySet};
use serde::Serialize;

use super::{
    EvaluationError, StatutoryLayer,
    cedar::{
        self,
        question::{OthersMayRead, question},
    },
    evaluate::Engine,
};
use crate::{
    domain::{
        decision::Citation,
        id::Id,
        words::{Effect, Layer, PartOutcome, TestResult},
    },
    pap::{
        Bundle, RuleBook,
        annotations::Role,
        book::Rule,
        clause::{Clause, clause_id},
        facts::Supplier,
    },
    pip::facts::{BusinessFacts, Case, PartFacts},
};

pub mod atom;
pub mod change;

use change::ChangeSet;

#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    pub parts: Vec<PartExplained>,
    /// Smallest sets of facts that would disclose a withheld part.
    pub changes: Vec<ChangeSet>,
    /// Whether the search for them ran to its end.
    pub searched_all: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct PartExplained {
    pub part: Id,
    pub outcome: PartOutcome,
    pub rules: Vec<RuleExplained>,
}

#[derive(Clone, Debug, Serialize)]
pub struct RuleExplained {
    pub rule: String,
    pub policy: String,
    pub title: String,
    pub layer: Layer,
    pub effect: Effect,
    pub citation: Citation,
    /// `met`: every condition held. For a rule that forbids, `met` means that it stood in the way.
    pub result: TestResult,
    pub conditions: Vec<ConditionExplained>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ConditionExplained {
    /// As the policy has it.
    pub condition: String,
    pub result: ConditionResult,
    pub facts: Vec<FactTold>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionResult {
    Held,
    Failed,
    /// Failed, and a fact it asks for is unknown.
    Unknown,
    /// Builds on one that failed.
    NotReached,
}

/// A fact that a condition reads: what it is, never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactTold {
    pub fact: String,
    pub from: Supplier,
    pub known: bool,
}

/// Explains the decision of a case.
pub fn explain(
    bundle: &Bundle,
    book: &RuleBook,
    statutory: StatutoryLayer,
    case: &Case,
) -> Result<Explanation, EvaluationError> {
    let slice = book.slice(case.request.action).ok_or(EvaluationError::NoRules)?;
    let engine = Engine { bundle, book, slice, case, statutory };
    let mut explanation = Explanation { parts: Vec::new(), changes: Vec::new(), searched_all: true };
    for part in &case.parts {
        let disclosed = engine.discloses(part)?;
        explanation.parts.push(PartExplained {
            part: part.part.id.clone(),
            outcome: if disclosed { PartOutcome::Disclose } else { PartOutcome::Withhold },
            rules: rules(&engine, part)?,
        });
        if !disclosed {
            let found = change::search(&engine, part)?;
            explanation.searched_all &= found.complete;
            explanation.changes.extend(found.sets);
        }
    }
    Ok(explanation)
}

/// A rule tried on a part under one piece of business.
pub(super) struct Trial {
    pub rule: Arc<Rule>,
    pub conditions: Vec<ConditionResult>,
    pub unknown: BTreeSet<String>,
    about_regime: bool,
}

impl Trial {
    pub fn met(&self) -> bool {
        self.conditions.iter().all(|result| *result == ConditionResult::Held)
    }

    pub fn about_regime(&self) -> bool {
        self.about_regime
    }

    fn failed(&self) -> usize {
        self.conditions.iter().filter(|result| **result != ConditionResult::Held).count()
    }

    /// The first conditions that failed: what builds on them is not reached.
    pub fn failing(&self) -> impl Iterator<Item = &Clause> {
        let failing = |result: &ConditionResult| matches!(result, ConditionResult::Failed | ConditionResult::Unknown);
        self.rule
            .clauses
            .iter()
            .zip(&self.conditions)
            .filter(move |(_, result)| failing(result))
            .map(|(clause, _)| clause)
    }

    fn result(&self) -> TestResult {
        if self.met() {
            TestResult::Met
        } else if self.about_regime {
            TestResult::NotApplicable
        } else if self.conditions.contains(&ConditionResult::Unknown) {
            TestResult::Unknown
        } else {
            TestResult::NotMet
        }
    }
}

/// Every right, ground and prohibition of the action, tried where it came nearest.
pub(super) fn trials(engine: &Engine<'_>, part: &PartFacts) -> Result<Vec<Trial>, EvaluationError> {
    let world = cedar::world(engine.case, part, &engine.bundle.schema)?;
    let others = engine.others(&part.part.id)?;
    let (found, _) = engine.findings(part, &world)?;
    let rules: Vec<Arc<Rule>> = engine.book.rules().into_iter().filter(|rule| tried(engine, rule)).cloned().collect();
    let all = PolicySet::from_policies(rules.iter().flat_map(|rule| rule.clauses.iter().map(|c| c.policy.clone())))
        .map_err(|_| EvaluationError::Facts("the conditions"))?;
    let mut nearest: Vec<Trial> = Vec::new();
    for business in &part.business {
        // Findings are asked before anything is found (crate::pdp).
        let asked = question(engine.case, part, business.as_ref(), &found, &others, None)?;
        let before = question(engine.case, part, business.as_ref(), &BTreeSet::new(), &OthersMayRead::default(), None)?;
        let unknown: BTreeSet<String> = world.unknown.union(&asked.unknown).cloned().collect();
        let answers = [asked, before].map(|asked| {
            let request = engine.request(asked.context)?;
            Ok::<_, EvaluationError>(Authorizer::new().is_authorized(&request, &all, &world.entities))
        });
        let [after, before] = answers;
        let (after, before) = (after?, before?);
        for rule in &rules {
            let response = if rule.role() == Role::Finding { &before } else { &after };
            let holds: BTreeSet<&str> = response.diagnostics().reason().map(AsRef::as_ref).collect();
            let errors: BTreeSet<String> =
                response.diagnostics().errors().map(super::evaluate::failed_policy).collect();
            keep_nearest(&mut nearest, trial(rule, business.as_ref(), &holds, &errors, &unknown));
        }
    }
    Ok(nearest)
}

/// What takes part in deciding; what follows from a decision is told in the answer itself.
fn tried(engine: &Engine<'_>, rule: &Rule) -> bool {
    rule.actions.contains(&engine.case.request.action) && !rule.role().follows_outcome()
}

fn trial(
    rule: &Arc<Rule>,
    business: Option<&BusinessFacts>,
    holds: &BTreeSet<&str>,
    errors: &BTreeSet<String>,
    unknown: &BTreeSet<String>,
) -> Trial {
    let conditions: Vec<ConditionResult> = rule
        .clauses
        .iter()
        .enumerate()
        .map(|(at, clause)| {
            let id = clause_id(rule.id(), at);
            if holds.contains(id.as_str()) {
                ConditionResult::Held
            } else if errors.contains(&id) {
                ConditionResult::NotReached
            } else if clause.tests.iter().any(|path| unknown.contains(path)) {
                ConditionResult::Unknown
            } else {
                ConditionResult::Failed
            }
        })
        .collect();
    let about_regime = business.is_some()
        && rule
            .clauses
            .iter()
            .zip(&conditions)
            .any(|(clause, result)| *result != ConditionResult::Held && clause.is_about_regime());
    Trial { rule: Arc::clone(rule), conditions, unknown: unknown.clone(), about_regime }
}

fn keep_nearest(nearest: &mut Vec<Trial>, next: Trial) {
    let distance = |trial: &Trial| (trial.about_regime, trial.failed());
    match nearest.iter_mut().find(|known| known.rule.id() == next.rule.id()) {
        Some(known) if distance(&next) < distance(known) => *known = next,
        Some(_) => {}
        None => nearest.push(next),
    }
}

fn rules(engine: &Engine<'_>, part: &PartFacts) -> Result<Vec<RuleExplained>, EvaluationError> {
    let trials = trials(engine, part)?;
    Ok(trials.iter().map(|trial| explained(engine, trial)).collect())
}

fn explained(engine: &Engine<'_>, trial: &Trial) -> RuleExplained {
    let rule = &trial.rule;
    let conditions = rule.clauses.iter().enumerate().zip(&trial.conditions).map(|((at, clause), result)| {
        let missing = rule.annotations.missing.get(at).filter(|_| *result != ConditionResult::Held);
        ConditionExplained {
            condition: clause.text.clone(),
            result: *result,
            facts: facts(engine, clause, &trial.unknown),
            missing: missing.map(|text| super::tell::words(engine, text, None, None)),
        }
    });
    RuleExplained {
        rule: rule.rule.clone(),
        policy: rule.id().to_owned(),
        title: rule.annotations.title.clone(),
        layer: rule.annotations.layer,
        effect: rule.role().effect(),
        citation: rule.citation.clone(),
        result: trial.result(),
        conditions: conditions.collect(),
    }
}

/// The facts a condition reads, each once, in words.
fn facts(engine: &Engine<'_>, clause: &Clause, unknown: &BTreeSet<String>) -> Vec<FactTold> {
    let mut told: Vec<FactTold> = Vec::new();
    for path in &clause.reads {
        let Some(word) = engine.bundle.facts.get(path) else { continue };
        let fact = FactTold { fact: word.fact.clone(), from: word.from, known: !unknown.contains(path) };
        if !told.contains(&fact) {
            told.push(fact);
        }
    }
    told
}
