//! What would have to be otherwise: changes to the facts of a case, searched for by trying them.
//!
//! An [`Atom`] is one fact said otherwise. Which atoms are worth trying is read off the conditions that failed and the rules that stood in the way; whether a set of them
//! opens the part is decided by deciding again. Sets are tried in order of size, so what is found is smallest.
//!
//! Nothing here says that a change would be lawful or true: only that, were it so, the part would be disclosed.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    Trial,
    atom::{Atom, atoms_of, changed},
    trials,
};
use crate::{
    domain::id::Id,
    pap::{annotations::Role, clause::Clause, facts::Supplier},
    pdp::{EvaluationError, evaluate::Engine},
    pip::facts::PartFacts,
};

/// How many facts may change together.
const LARGEST: usize = 3;
/// How often a part is decided again in one search.
const TRIES: usize = 600;
/// How many sets are told for a part.
const TOLD: usize = 12;

/// A smallest set of facts that would disclose a part.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeSet {
    pub part: Id,
    pub facts: Vec<ChangeTold>,
    /// The same, as they were tried.
    #[serde(skip)]
    pub atoms: BTreeSet<Atom>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ChangeTold {
    pub what: String,
    pub from: Supplier,
    /// Titles of those who can supply it.
    pub supplied_by: Vec<String>,
}

pub struct Found {
    pub sets: Vec<ChangeSet>,
    pub complete: bool,
}

/// Smallest sets of changes that disclose the part.
pub fn search(engine: &Engine<'_>, part: &PartFacts) -> Result<Found, EvaluationError> {
    let mut search = Search { engine, part: part.part.id.clone(), tries: 0, opening: Vec::new() };
    let mut states: Vec<BTreeSet<Atom>> = vec![BTreeSet::new()];
    for size in 1..=LARGEST {
        let mut next: Vec<BTreeSet<Atom>> = Vec::new();
        let mut seen: BTreeSet<BTreeSet<Atom>> = BTreeSet::new();
        for state in &states {
            for atom in search.worth_trying(state, LARGEST + 1 - size)? {
                let mut set = state.clone();
                if !set.insert(atom) || !consistent(&set) || !seen.insert(set.clone()) || search.contains_opening(&set)
                {
                    continue;
                }
                if search.tries >= TRIES {
                    return Ok(search.found(false));
                }
                if search.opens(&set)? {
                    search.opening.push(set);
                } else {
                    next.push(set);
                }
            }
        }
        states = next;
    }
    Ok(search.found(true))
}

struct Search<'e, 'c> {
    engine: &'e Engine<'c>,
    part: Id,
    tries: usize,
    opening: Vec<BTreeSet<Atom>>,
}

impl Search<'_, '_> {
    /// Atoms that could mend what a rule still lacks, or take away what stands in the way.
    fn worth_trying(&mut self, state: &BTreeSet<Atom>, reach: usize) -> Result<BTreeSet<Atom>, EvaluationError> {
        if self.tries >= TRIES {
            return Ok(BTreeSet::new());
        }
        self.tries += 1;
        let case = changed(self.engine.case, &self.part, state);
        let engine = Engine { case: &case, ..*self.engine };
        let Some(part) = case.parts.iter().find(|facts| facts.part.id == self.part) else { return Ok(BTreeSet::new()) };
        let trials = trials(&engine, part)?;
        let mut atoms = BTreeSet::new();
        for trial in &trials {
            let clauses: Vec<&Clause> = match trial.rule.role() {
                Role::Right | Role::Ground => trial.failing().collect(),
                Role::Bar | Role::Redact | Role::Suspend | Role::MustWithhold if trial.met() => {
                    trial.rule.clauses.iter().collect()
                }
                _ => continue,
            };
            if trial.rule.role().gives() && !within_reach(trial, reach) {
                continue;
            }
            atoms.extend(clauses.into_iter().flat_map(|clause| atoms_of(clause, &case, part)));
        }
        Ok(atoms)
    }

    fn opens(&mut self, set: &BTreeSet<Atom>) -> Result<bool, EvaluationError> {
        self.tries += 1;
        let case = changed(self.engine.case, &self.part, set);
        let engine = Engine { case: &case, ..*self.engine };
        let part = case.parts.iter().find(|facts| facts.part.id == self.part);
        part.map_or(Ok(false), |part| engine.discloses(part))
    }

    fn contains_opening(&self, set: &BTreeSet<Atom>) -> bool {
        self.opening.iter().any(|smaller| smaller.is_subset(set))
    }

    fn found(mut self, complete: bool) -> Found {
        let complete = complete && self.opening.len() <= TOLD;
        self.opening.sort_by_key(BTreeSet::len);
        self.opening.truncate(TOLD);
        let told = |set: &BTreeSet<Atom>| ChangeSet {
            part: self.part.clone(),
            facts: set.iter().map(|atom| self.told(atom)).collect(),
            atoms: set.clone(),
        };
        Found { sets: self.opening.iter().map(told).collect(), complete }
    }

    fn told(&self, atom: &Atom) -> ChangeTold {
        let (what, from) = atom.words();
        let supplied_by = match (atom, from) {
            (Atom::Determined(kind, _), _) => {
                let posts = self.engine.bundle.deciders.posts(*kind, &self.engine.book.profile.id);
                posts.into_iter().map(|post| self.title(post.word())).collect()
            }
            (_, Supplier::ProperOfficer) => vec![self.title("proper_officer")],
            _ => Vec::new(),
        };
        ChangeTold { what, from, supplied_by }
    }

    fn title(&self, post: &str) -> String {
        self.engine.book.profile.title_of(post).map_or_else(|| post.replace('_', " "), str::to_owned)
    }
}

/// A rule that lacks more conditions than may still change is no use.
fn within_reach(trial: &Trial, reach: usize) -> bool {
    !trial.about_regime() && trial.failing().count() <= reach
}

/// Not two answers to one question, nor two purposes.
fn consistent(set: &BTreeSet<Atom>) -> bool {
    let grounds = set.iter().filter(|atom| matches!(atom, Atom::Ground(_))).count();
    let capacities = set.iter().filter(|atom| matches!(atom, Atom::Capacity(_))).count();
    let channels = set.iter().filter(|atom| matches!(atom, Atom::Channel(_))).count();
    let contradicts = set.iter().any(|atom| match atom {
        Atom::Determined(kind, answer) => set.contains(&Atom::Determined(*kind, !answer)),
        Atom::Paper(name, value) => set.contains(&Atom::Paper(name, !value)),
        _ => false,
    });
    grounds <= 1 && capacities <= 1 && channels <= 1 && !contradicts
}
