//! One fact of a case said otherwise: where a condition suggests it, what it does to the case, and in what words it is
//! told.

use std::collections::BTreeSet;

use crate::{
    domain::{
        document::Classification,
        fact::Fact,
        id::Id,
        words::{
            Access, BusinessStatus, Capacity, Channel, ClassifiedBy, Determination, DraftKind, Ground, Proceedings,
        },
    },
    pap::{clause::Clause, facts::Supplier},
    pip::facts::{Case, PartFacts},
};

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

/// What a condition could be given.
pub fn atoms_of(clause: &Clause, case: &Case, part: &PartFacts) -> Vec<Atom> {
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
    pub fn words(&self) -> (String, Supplier) {
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
