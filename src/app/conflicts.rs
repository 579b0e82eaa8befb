//! Every local rule of a profile that is narrower than the law, with both citations and an example.
//!
//! Found by asking: `policies/law/situations.json` has situations in which a statute gives access, and variations of
//! what no statute asks about (interests, groups, purposes, officers' findings). Each situation is put as it is and
//! with each variation ([`crate::pdp::narrower`] tells which local rules would then withhold). A list, not a proof
//! that there are no others.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::situations::{Faulty, Situations};
use crate::{domain::decision::RuleAndCitation, pap::Bundle, pdp::narrower::narrower};

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
    #[error(transparent)]
    Situations(#[from] Faulty),
    #[error(transparent)]
    Evaluation(#[from] crate::pdp::EvaluationError),
}

/// The conflicts of a profile, by local rule and right.
pub fn conflicts(bundle: &Bundle, profile: &str, now: Timestamp) -> Result<Vec<RuleConflict>, ConflictsError> {
    let book = bundle.book(profile).ok_or_else(|| ConflictsError::NoProfile(profile.to_owned()))?;
    let mut found: BTreeMap<(String, String), (usize, RuleConflict)> = BTreeMap::new();
    for trial in Situations::of(bundle, now)?.trials(bundle, book, now, &|_| {})? {
        for pair in narrower(bundle, book, &trial.case)? {
            let key = (pair.local.id().to_owned(), pair.right.rule.clone());
            let order = found.len();
            let conflict = || RuleConflict {
                local: RuleAndCitation { rule: pair.local.rule.clone(), citation: pair.local.citation.clone() },
                policy: pair.local.id().to_owned(),
                title: pair.local.annotations.title.clone(),
                statute: RuleAndCitation { rule: pair.right.rule.clone(), citation: pair.right.citation.clone() },
                example: trial.says.clone(),
            };
            found.entry(key).or_insert_with(|| (order, conflict()));
        }
    }
    // By local rule; for each, in the order of the situations.
    let mut found: Vec<(usize, RuleConflict)> = found.into_values().collect();
    found.sort_by(|(a, left), (b, right)| {
        (&left.local.rule, &left.policy, a).cmp(&(&right.local.rule, &right.policy, b))
    });
    Ok(found.into_iter().map(|(_, conflict)| conflict).collect())
}
