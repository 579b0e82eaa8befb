//! How the layers combine. This page is the whole of it.
//!
//! * A statutory prohibition (`must_withhold`) stops everything.
//! * A statutory right discloses; no common-law or protocol rule cancels it (law.md 0.4(1), 0.4(6)).
//! * A common-law or protocol ground discloses unless a bar, a redaction or a suspension stops it. Several grounds are
//!   cumulative; one is enough.
//! * Nothing else discloses.
//!
//! In the setting `advise` the statutory rights only advise: they disclose nothing and are reported as conflicts.

use std::sync::Arc;

use crate::{
    domain::words::{Basis, Layer},
    pap::{annotations::Role, book::Rule},
};

/// Whether statutory rights decide or only advise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatutoryLayer {
    #[default]
    Enforce,
    Advise,
}

/// The rules that apply to a part, by what they do.
#[derive(Clone, Debug, Default)]
pub struct Applicable {
    pub rights: Vec<Arc<Rule>>,
    pub grounds: Vec<Arc<Rule>>,
    pub prohibitions: Vec<Arc<Rule>>,
    pub bars: Vec<Arc<Rule>>,
    pub redactions: Vec<Arc<Rule>>,
    pub suspensions: Vec<Arc<Rule>>,
}

impl Applicable {
    pub fn add(&mut self, rule: &Arc<Rule>) {
        let list = match rule.role() {
            Role::Right => &mut self.rights,
            Role::Ground => &mut self.grounds,
            Role::MustWithhold => &mut self.prohibitions,
            Role::Bar => &mut self.bars,
            Role::Redact => &mut self.redactions,
            Role::Suspend => &mut self.suspensions,
            Role::Finding | Role::Refer | Role::Residual | Role::Obligation | Role::Information => return,
        };
        if !list.iter().any(|known| known.id() == rule.id()) {
            list.push(Arc::clone(rule));
        }
    }

    /// What stops a ground.
    pub fn stops(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.bars.iter().chain(&self.suspensions).chain(&self.redactions)
    }
}

/// The outcome of a part.
#[derive(Clone, Debug)]
pub struct Standing {
    pub basis: Basis,
    pub cut: bool,
    /// The rules that decided: what gave access, or what stopped it. Empty: no rule permits.
    pub deciding: Vec<Arc<Rule>>,
}

impl Standing {
    pub fn disclosed(&self) -> bool {
        self.basis != Basis::Nothing
    }

    fn disclosed_on(basis: Basis, deciding: Vec<Arc<Rule>>) -> Self {
        Self { basis, cut: false, deciding }
    }

    fn withheld(cut: bool, deciding: Vec<Arc<Rule>>) -> Self {
        Self { basis: Basis::Nothing, cut, deciding }
    }
}

/// One outcome from all that applies.
pub fn combine(rules: &Applicable, statutory: StatutoryLayer) -> Standing {
    if !rules.prohibitions.is_empty() {
        return Standing::withheld(false, rules.prohibitions.clone());
    }
    let stopped = rules.stops().next().is_some();
    let grounds = if stopped { &[] } else { rules.grounds.as_slice() };
    if statutory == StatutoryLayer::Enforce && !rules.rights.is_empty() {
        return Standing::disclosed_on(Basis::Statute, [rules.rights.as_slice(), grounds].concat());
    }
    if let Some(first) = grounds.first() {
        let basis = if first.annotations.layer == Layer::CommonLaw { Basis::CommonLaw } else { Basis::Protocol };
        return Standing::disclosed_on(basis, grounds.to_vec());
    }
    let only_cut = rules.bars.is_empty() && rules.suspensions.is_empty() && !rules.redactions.is_empty();
    if only_cut && !rules.grounds.is_empty() {
        return Standing::withheld(true, rules.redactions.clone());
    }
    // Without a ground there is nothing to take a part out of: a redaction decided nothing.
    Standing::withheld(false, [rules.bars.as_slice(), &rules.suspensions].concat())
}
