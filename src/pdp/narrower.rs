//! Which local rules are narrower than the law, in one case.
//!
//! The statutory layer is taken away (as in the setting `advise`) and the case is decided by common law and protocol
//! alone. Where a statutory right gives a part and they would not, the rules that stand in the way are narrower than
//! that right: every bar, cut or suspension that applies; and where none does, the rules that ask for more before they
//! give (the residual ones, and grounds of the same theme as the right).

use std::sync::Arc;

use super::{EvaluationError, StatutoryLayer, evaluate::Engine};
use crate::{
    domain::words::Layer,
    pap::{Bundle, RuleBook, annotations::Role, book::Rule},
    pip::facts::Case,
};

/// A local rule and the right it falls short of.
#[derive(Clone, Debug)]
pub struct Narrower {
    pub local: Arc<Rule>,
    pub right: Arc<Rule>,
}

/// The local rules that fall short of a statutory right in this case.
pub fn narrower(bundle: &Bundle, book: &RuleBook, case: &Case) -> Result<Vec<Narrower>, EvaluationError> {
    let slice = book.slice(case.request.action).ok_or(EvaluationError::NoRules)?;
    let engine = Engine { bundle, book, slice, case, statutory: StatutoryLayer::Advise };
    let mut found = Vec::new();
    for part in &case.parts {
        let run = engine.part(part)?;
        if run.standing.disclosed() || !run.applicable.prohibitions.is_empty() {
            continue;
        }
        let mut local: Vec<Arc<Rule>> =
            run.applicable.stops().filter(|rule| rule.annotations.layer != Layer::Statute).cloned().collect();
        if local.is_empty() {
            let residual = run.consequences.iter().map(|c| &c.rule).filter(|rule| rule.role() == Role::Residual);
            local.extend(residual.cloned());
            let same_theme = |rule: &Rule| run.applicable.rights.iter().any(|right| right.theme == rule.theme);
            let grounds = run.tried.iter().map(|tried| &tried.rule).filter(|rule| rule.role() == Role::Ground);
            local.extend(grounds.filter(|rule| same_theme(rule)).cloned());
        }
        for right in &run.applicable.rights {
            found.extend(local.iter().map(|local| Narrower { local: Arc::clone(local), right: Arc::clone(right) }));
        }
    }
    Ok(found)
}
