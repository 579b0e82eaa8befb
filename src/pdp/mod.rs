//! The policy decision point: facts and policies in, verdict out.
//!
//! Pure: no I/O, clock, log, await or panic. For every part and every piece of business it serves:
//!
//! 1. *findings*: what Schedule 12A makes of the part;
//! 2. *rules*: which rights, grounds, prohibitions, bars, redactions and suspensions apply;
//! 3. *combination*: [`combine`] makes of these one outcome for the part: the only place where layers meet;
//! 4. *consequences*: obligations, information, referrals and the words of a refusal, told the outcome.
//!
//! Permits and forbids are evaluated as separate policy sets side by side, not as one set in which Cedar's forbid
//! overrides: a protocol's forbid must not cancel a statutory permit, and each applicable rule must be known by name.
//! Cedar skips a policy that errors; here any error is an [`EvaluationError`] and the decision is
//! [`fail_closed`].
//!
//! Worked example: Cllr B. Three, no member of Licensing, asks for a Part II report of that committee (paragraph 7).
//! `any-member-inspects-meeting-papers` fails its fifth condition (the part is exempt), `members-of-the-body-see-…`
//! its third; nothing permits, so the part is withheld, both appear in `tested` with what was missing, and
//! TH52-3.15-b refers the refusal to the Monitoring Officer.
//!
//! The invariant: no fact left unknown, no rule added as a forbid and no evaluation error ever turns a withheld part
//! into a disclosed one (`tests/properties`).
//!
//! Where next: [`crate::app::decide`], which gathers, evaluates, records and answers.

use crate::{
    domain::{
        decision::{HumanReview, PartVerdict, Referral, Verdict},
        words::{Determination, Outcome, PartOutcome},
    },
    pap::{Bundle, RuleBook},
    pip::facts::Case,
};

mod cedar;
pub mod combine;
mod evaluate;
pub mod explain;
pub mod narrower;
mod tell;

pub use combine::StatutoryLayer;

/// The version of the Cedar that evaluates.
pub fn cedar_version() -> String {
    cedar_policy::get_sdk_version().to_string()
}

/// A rule could not be evaluated; the decision must fail closed. Carries policy ids only, never facts.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    #[error("policies failed to evaluate: {}", .0.join(", "))]
    Policies(Vec<String>),
    #[error("the facts do not fit the policy schema: {0}")]
    Facts(&'static str),
    #[error("there are no rules for this action")]
    NoRules,
}

/// Decides every part of a case.
pub fn decide(
    bundle: &Bundle,
    book: &RuleBook,
    statutory: StatutoryLayer,
    case: &Case,
) -> Result<Verdict, EvaluationError> {
    let slice = book.slice(case.request.action).ok_or(EvaluationError::NoRules)?;
    let engine = evaluate::Engine { bundle, book, slice, case, statutory };
    let parts = case.parts.iter().map(|part| engine.part(part)).collect::<Result<Vec<_>, _>>()?;
    Ok(tell::verdict(&engine, &parts))
}

/// Withholds everything and asks the profile's adviser: the answer when a rule could not be evaluated.
pub fn fail_closed(book: &RuleBook, case: &Case) -> Verdict {
    let withheld = |part: &crate::pip::facts::PartFacts| PartVerdict {
        id: part.part.id.clone(),
        outcome: PartOutcome::Withhold,
        because: Vec::new(),
        redaction: None,
    };
    Verdict {
        parts: case.parts.iter().map(withheld).collect(),
        reasons: Vec::new(),
        tested: Vec::new(),
        referral: Referral {
            required: true,
            to: vec![book.profile.adviser],
            question: Some(Determination::NeedToKnow),
            text: Some("A rule could not be evaluated, so nothing is disclosed until a person has looked.".to_owned()),
            ..Referral::default()
        },
        obligations: Vec::new(),
        information: Vec::new(),
        conflicts: Vec::new(),
        human_review: HumanReview::default(),
        superseded: Vec::new(),
    }
}

/// Allow when every part is disclosed, deny when none is, else redact.
pub fn outcome(parts: &[PartVerdict]) -> Outcome {
    let disclosed = parts.iter().filter(|part| part.outcome == PartOutcome::Disclose).count();
    match disclosed {
        0 => Outcome::Deny,
        n if n == parts.len() => Outcome::Allow,
        _ => Outcome::Redact,
    }
}
