//! One profile's rules, ready to be evaluated.

use std::{collections::HashMap, sync::Arc};

use cedar_policy::PolicySet;

use super::{
    annotations::{Annotations, Role},
    clause::Clause,
    profile::Profile,
};
use crate::domain::{
    decision::Citation,
    words::{Action, ReferralRole},
};

/// A policy as one profile has it.
#[derive(Debug)]
pub struct Rule {
    pub annotations: Annotations,
    /// The id of the rule in law.md or protocols.md that it carries here.
    pub rule: String,
    /// Other rule ids it carries here.
    pub also: Vec<String>,
    pub citation: Citation,
    /// The plain reason, in local wording.
    pub reason: String,
    /// Whom it refers to, in the order to be asked.
    pub refer_to: Vec<ReferralRole>,
    pub clauses: Vec<Clause>,
    /// The folder it stands in.
    pub theme: String,
    /// The policy as written.
    pub text: String,
    /// Which actions its scope covers.
    pub actions: Vec<Action>,
}

impl Rule {
    pub fn id(&self) -> &str {
        &self.annotations.id
    }

    pub fn role(&self) -> Role {
        self.annotations.role
    }

    /// Every rule id it stands for.
    pub fn rule_ids(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.rule).chain(&self.also)
    }
}

/// What can apply to one action, one policy set for each pass (see [`crate::pdp`]).
#[derive(Debug, Default)]
pub struct Slice {
    pub findings: PolicySet,
    pub permits: PolicySet,
    pub forbids: PolicySet,
    pub consequences: PolicySet,
    /// The conditions of every right and ground.
    pub clauses: PolicySet,
    /// The rights and grounds, in the order they are told.
    pub giving: Vec<Arc<Rule>>,
}

/// A profile's rules.
#[derive(Debug)]
pub struct RuleBook {
    pub profile: Profile,
    pub(super) rules: HashMap<String, Arc<Rule>>,
    pub(super) slices: HashMap<Action, Slice>,
}

impl RuleBook {
    pub fn rule(&self, policy: &str) -> Option<&Arc<Rule>> {
        self.rules.get(policy)
    }

    pub fn slice(&self, action: Action) -> Option<&Slice> {
        self.slices.get(&action)
    }

    /// Every rule, by layer and policy id.
    pub fn rules(&self) -> Vec<&Arc<Rule>> {
        let mut rules: Vec<_> = self.rules.values().collect();
        rules.sort_by(|a, b| (a.annotations.layer, a.id()).cmp(&(b.annotations.layer, b.id())));
        rules
    }
}
