//! The policy administration point: policy text becomes a validated, hashed [`Bundle`].
//!
//! A policy is one `.cedar` file whose annotations say which rule it carries, in which layer and role, in what plain
//! words, and what each of its conditions lacks when it fails ([`annotations`]). A profile is a JSON file that selects
//! common-law and protocol rules and gives each its local rule id, paragraph and wording ([`profile`]); statutory
//! policies are in every profile and cite the law themselves ([`citation`]). A [`book::RuleBook`] is one profile's
//! rules, sliced by action and role so that a decision touches only what can apply.
//!
//! It deliberately knows no person, document or decision.
//!
//! Worked example: `policies/member-access/any-member-inspects-meeting-papers.cedar` has role `right`, layer
//! `statute`, rule `S-100F-1`. Drop its `@citation` and the loader refuses the whole bundle, naming the file.
//!
//! The invariant: a bundle that loads has no unknown annotation, no missing citation or text, no duplicate id, no
//! policy that fails strict validation against `council.cedarschema`, and no rule that no profile selects.
//!
//! Where next: [`crate::pdp`] evaluates a rule book.

use std::{collections::BTreeMap, sync::Arc};

use cedar_policy::Schema;

use crate::domain::calendar::Calendar;

pub mod accounting;
pub mod annotations;
pub mod book;
pub mod callers;
pub mod citation;
pub mod clause;
pub mod deciders;
pub mod facts;
mod line;
pub mod load;
pub mod placeholders;
pub mod profile;
pub mod reference;
mod side;
pub mod source;

pub use book::RuleBook;
pub use load::{LoadError, Loader};
pub use source::PolicyFiles;

/// Everything under `policies/`, checked.
#[derive(Debug)]
pub struct Bundle {
    /// `sha256:` and the hash of every file's path and text.
    pub hash: String,
    pub files: PolicyFiles,
    /// What each attribute a policy reads is, in words, and where it comes from.
    pub facts: facts::FactWords,
    pub schema: Schema,
    pub calendar: Calendar,
    /// Who may decide each kind of determination.
    pub deciders: deciders::Deciders,
    /// What callers of the service may do.
    pub callers: callers::CallerPolicies,
    pub books: BTreeMap<String, Arc<RuleBook>>,
}

impl Bundle {
    /// The rule book of a profile.
    pub fn book(&self, profile: &str) -> Option<&Arc<RuleBook>> {
        self.books.get(profile)
    }
}
