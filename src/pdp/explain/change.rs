//! What would have to be otherwise: changes to the facts of a case, searched for by trying them.
//!
//! An [`Atom`] is one fact said otherwise: a determination recorded, a membership held, a fact stated. Which atoms are
//! worth trying is read off the conditions that failed and the rules that stood in the way; whether a set of them
//! opens the part is decided by deciding again. Sets are tried in order of size, so what is found is smallest.
//!
//! Nothing here says that a change would be lawful or true: only that, were it so, the part would be disclosed.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Trial, trials};
use crate::{
    domain::{
        document::Classification,
        fact::Fact,
        id::Id,
        words::{
            Access, BusinessStatus, Capacity, Channel, ClassifiedBy, Determination, DraftKind, Ground, Proceedings,
        },
    },
    pap::{annotations::Role, clause::Clause, facts::Supplier},
    pdp::{EvaluationError, evaluate::Engine},
    pip::facts::{Case, PartFacts},
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

/// One fact said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Atom {
    Determined(Determination, bool),
    Capacity(Capacity),
    Ground(Ground),
    Channel(Channel),
    /// Full membership of a body whose business the part serves.
    MemberOf(Id),
    ScrutinyMember,
    Reviewing(Id),
    InProgramme,
    InRemit,
    HoldsPortfolio,
    RepresentsWard,
    ExecutiveMember,
    InGroup(Id),
    InAdministration,
    /// A yes-or-no fact of the paper.
    Paper(&'static str, bool),
    Published,
    NotInProceedings,
    NotADraft,
    ClassifiedOpen,
    NoNegotiationTerms,
    /// The meeting has concluded or the decision has been made.
    Concluded,
}

/// The facts of a paper that are yes or no, by the attribute that tells them.
const PAPER: [&str; 10] = [
    "held_by_executive",
    "council_business",
    "taken_into_consideration",
    "administration_only",
    "personal_record",
    "third_party_personal",
    "staff_matter",
    "sensitive_in_fact",
    "group_internal",
    "given_in_confidence",
];

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

/// What a condition could be given.
fn atoms_of(clause: &Clause, case: &Case, part: &PartFacts) -> Vec<Atom> {
    let mut atoms = Vec::new();
    let reads = |path: &str| clause.reads.contains(path);
    let named = |vocabulary: &'static str| {
        clause.names.iter().filter(move |(of, _)| of == vocabulary).map(|(_, word)| word.as_str())
    };
    if reads("context.yes") || reads("context.no") || reads("context.final") {
        for kind in named("Determination").filter_map(|word| word.parse::<Determination>().ok()) {
            atoms.extend([Atom::Determined(kind, true), Atom::Determined(kind, false)]);
        }
    }
    if reads("context.capacity") {
        atoms.extend(named("Capacity").filter_map(|word| word.parse().ok()).map(Atom::Capacity));
    }
    if reads("context.ground") {
        atoms.extend(named("Ground").filter_map(|word| word.parse().ok()).map(Atom::Ground));
        atoms.push(Atom::Ground(Ground::Other));
    }
    if reads("context.channel") {
        atoms.extend(named("Channel").filter_map(|word| word.parse().ok()).map(Atom::Channel));
        atoms.push(Atom::Channel(Channel::Director));
    }
    let businesses = || part.business.iter().flatten();
    let bodies: BTreeSet<&Id> = businesses().filter_map(|business| business.body.as_ref()).collect();
    if reads("principal.bodies") {
        atoms.extend(bodies.into_iter().cloned().map(Atom::MemberOf));
    }
    if reads("principal.reviewing") {
        atoms.extend(businesses().filter_map(|business| business.decision.clone()).map(Atom::Reviewing));
    }
    let has_matters = part.part.facts.matters.known().is_some_and(|matters| !matters.is_empty());
    let simple: [(&str, bool, Atom); 13] = [
        ("principal.scrutiny_member", true, Atom::ScrutinyMember),
        ("principal.scrutiny_programme", has_matters, Atom::InProgramme),
        ("principal.scrutiny_remit", has_matters, Atom::InRemit),
        ("principal.remit", has_matters, Atom::InRemit),
        ("principal.named_remit", has_matters, Atom::InRemit),
        ("principal.portfolios", has_matters, Atom::HoldsPortfolio),
        ("principal.wards", part.part.facts.wards.known().is_some_and(|w| !w.is_empty()), Atom::RepresentsWard),
        ("principal.executive_member", true, Atom::ExecutiveMember),
        ("principal.in_administration", true, Atom::InAdministration),
        ("resource.published", true, Atom::Published),
        ("resource.proceedings", true, Atom::NotInProceedings),
        ("resource.draft", true, Atom::NotADraft),
        ("context.business.concluded", case.request.principal.id.is_some(), Atom::Concluded),
    ];
    atoms.extend(simple.into_iter().filter(|(path, possible, _)| *possible && reads(path)).map(|(.., atom)| atom));
    if reads("principal.group") {
        atoms.extend(part.part.facts.group_internal_of.known().cloned().map(Atom::InGroup));
    }
    if reads("context.found") || reads("resource.access") {
        atoms.push(Atom::ClassifiedOpen);
    }
    if reads("resource.negotiation_terms") {
        atoms.push(Atom::NoNegotiationTerms);
    }
    for name in PAPER.iter().filter(|name| reads(&format!("resource.{name}"))) {
        atoms.extend([Atom::Paper(name, true), Atom::Paper(name, false)]);
    }
    atoms
}

/// The case with the part's facts said otherwise.
pub fn changed(case: &Case, part: &Id, set: &BTreeSet<Atom>) -> Case {
    let mut case = case.clone();
    for atom in set {
        atom.apply(&mut case, part);
    }
    case
}

impl Atom {
    fn apply(&self, case: &mut Case, part: &Id) {
        let matters = case.parts.iter().filter(|facts| facts.part.id == *part);
        let matters: Vec<Id> =
            matters.flat_map(|facts| facts.part.facts.matters.known().cloned().unwrap_or_default()).collect();
        let now = case.now;
        let person = &mut case.principal;
        match self {
            Self::Capacity(capacity) => case.request.purpose.capacity = Some(*capacity),
            Self::Ground(ground) => case.request.purpose.ground = Some(*ground),
            Self::Channel(channel) => case.request.channel = Some(*channel),
            Self::MemberOf(body) => {
                person.bodies.insert(body.clone());
            }
            Self::ScrutinyMember => person.scrutiny_member = true,
            Self::Reviewing(decision) => {
                person.reviewing.insert(decision.clone());
            }
            Self::InProgramme => {
                person.scrutiny_programme.extend(matters.clone());
                person.any_scrutiny_programme.extend(matters);
            }
            Self::InRemit => {
                person.scrutiny_remit.extend(matters.clone());
                person.remit.extend(matters.clone());
                person.named_remit.extend(matters);
            }
            Self::HoldsPortfolio => person.portfolios.extend(matters),
            Self::ExecutiveMember => person.executive_member = true,
            Self::InGroup(group) => person.group = Some(group.clone()),
            Self::InAdministration => person.in_administration = true,
            Self::RepresentsWard => {
                let wards = case.parts.iter().filter(|facts| facts.part.id == *part);
                person
                    .wards
                    .extend(wards.flat_map(|facts| facts.part.facts.wards.known().cloned().unwrap_or_default()));
            }
            _ => {
                for facts in case.parts.iter_mut().filter(|facts| facts.part.id == *part) {
                    self.apply_to_part(facts, now);
                }
            }
        }
    }

    fn apply_to_part(&self, part: &mut PartFacts, now: jiff::Timestamp) {
        let facts = &mut part.part.facts;
        match self {
            Self::Determined(kind, answer) => {
                let recorded = &mut part.recorded;
                let (into, out) =
                    if *answer { (&mut recorded.yes, &mut recorded.no) } else { (&mut recorded.no, &mut recorded.yes) };
                into.insert(*kind);
                out.remove(kind);
                // As the last person on the route would record it.
                recorded.final_.insert(*kind);
            }
            Self::Published => facts.published_at = Fact::Known(now),
            Self::NotInProceedings => facts.proceedings = Fact::Known(Proceedings::None),
            Self::NotADraft => facts.draft = Fact::Known(DraftKind::None),
            Self::ClassifiedOpen => {
                facts.classification = Fact::Known(Classification {
                    access: Access::Open,
                    exempt: Vec::new(),
                    public_interest: None,
                    confidential: None,
                    label: None,
                    determined_by: Some(ClassifiedBy::ProperOfficer),
                    determined_at: Some(now),
                });
            }
            Self::NoNegotiationTerms => {
                if let Fact::Known(class) = &mut facts.classification {
                    class.exempt.iter_mut().for_each(|claim| claim.negotiation_terms = Some(false));
                }
            }
            Self::Concluded => {
                for business in part.business.iter_mut().flatten() {
                    business.concluded = Some(true);
                    business.status = match business.status {
                        BusinessStatus::ToBeMade | BusinessStatus::Made => BusinessStatus::Made,
                        BusinessStatus::ToBeTransacted | BusinessStatus::Transacted => BusinessStatus::Transacted,
                    };
                }
            }
            Self::Paper(name, value) => set_paper(facts, name, *value),
            _ => {}
        }
    }

    /// In words, and whose it is to supply. Never a value of the register or the paper.
    fn words(&self) -> (String, Supplier) {
        let told = |text: &str, from| (text.to_owned(), from);
        match self {
            Self::Determined(kind, true) => {
                (format!("a determination `{}`, answered yes", kind.word()), Supplier::Determination)
            }
            Self::Determined(kind, false) => {
                (format!("a determination `{}`, answered no", kind.word()), Supplier::Determination)
            }
            Self::Capacity(capacity) => (format!("asking in the capacity `{}`", capacity.word()), Supplier::Asker),
            Self::Ground(ground) => (format!("asking for the purpose `{}`", ground.word()), Supplier::Asker),
            Self::Channel(channel) => (format!("asking through the channel `{}`", channel.word()), Supplier::Asker),
            Self::MemberOf(_) => told("full membership of the body whose business it is", Supplier::Register),
            Self::ScrutinyMember => told("membership of an overview and scrutiny committee", Supplier::Register),
            Self::Reviewing(_) => told("a record that the person is reviewing the decision", Supplier::Register),
            Self::InProgramme => told("the matter in the committee's work programme", Supplier::Register),
            Self::InRemit => told("the matter in the terms of reference of the person's own body", Supplier::Register),
            Self::HoldsPortfolio => told("a portfolio that covers the matter", Supplier::Register),
            Self::RepresentsWard => told("the ward it concerns", Supplier::Register),
            Self::ExecutiveMember => told("membership of the executive", Supplier::Register),
            Self::InGroup(_) => told("membership of the group whose paper it is", Supplier::Register),
            Self::InAdministration => told("membership of the group that forms the administration", Supplier::Register),
            Self::Published => told("publication", Supplier::Document),
            Self::NotInProceedings => told("that no legal proceedings run or are in view", Supplier::Document),
            Self::NotADraft => told("that it is no draft", Supplier::Document),
            Self::ClassifiedOpen => {
                told("the opinion that it is neither exempt nor confidential", Supplier::ProperOfficer)
            }
            Self::NoNegotiationTerms => {
                told("the opinion that it has no terms proposed in negotiations", Supplier::ProperOfficer)
            }
            Self::Concluded => told("that the meeting has concluded or the decision has been made", Supplier::Clock),
            Self::Paper(name, value) => paper_words(name, *value),
        }
    }
}

fn set_paper(facts: &mut crate::domain::document::Facts, name: &str, value: bool) {
    let known = Fact::Known(value);
    match name {
        "held_by_executive" => facts.held_by_executive = known,
        "council_business" => facts.council_business = known,
        "taken_into_consideration" => facts.taken_into_consideration = known,
        "administration_only" => facts.administration_only = known,
        "personal_record" => facts.personal_record = known,
        "third_party_personal" => facts.third_party_personal = known,
        "staff_matter" => facts.staff_matter = known,
        "sensitive_in_fact" => facts.sensitive_in_fact = known,
        "group_internal" if !value => facts.group_internal_of = Fact::None,
        "given_in_confidence" if !value => facts.given_in_confidence_by = Fact::None,
        _ => {}
    }
}

fn paper_words(name: &str, value: bool) -> (String, Supplier) {
    let (is, subject) = (if value { "is" } else { "is not" }, name.replace('_', " "));
    (format!("that the paper {is} marked as {subject}"), Supplier::Document)
}
