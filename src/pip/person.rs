//! A person of the register at one moment: what of their term, memberships and interests is then in force.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::{
    Indexed,
    facts::{InterestFacts, PersonFacts},
};
use crate::{
    domain::{
        calendar::london_day,
        fact::Fact,
        id::Id,
        question::{Party, PartyType},
        register::{Assists, Body, Interest, Membership, Person, Review},
        words::{BodyKind, InterestHolder, InterestRelation, MembershipRole, PersonKind},
    },
    pap::profile::Profile,
};

impl PersonFacts {
    /// Someone known only by kind.
    pub fn of_kind(id: impl Into<String>, kind: PersonKind) -> Self {
        Self {
            id: id.into(),
            kind,
            group: None,
            in_administration: false,
            group_leader: false,
            wards: BTreeSet::new(),
            portfolios: BTreeSet::new(),
            bodies: BTreeSet::new(),
            doubtful_bodies: BTreeSet::new(),
            chairs: BTreeSet::new(),
            remit: BTreeSet::new(),
            chaired_remit: BTreeSet::new(),
            named_remit: BTreeSet::new(),
            executive_member: false,
            scrutiny_member: false,
            scrutiny_sub_member: false,
            scrutiny_remit: BTreeSet::new(),
            scrutiny_programme: BTreeSet::new(),
            any_scrutiny_programme: BTreeSet::new(),
            scrutiny_bodies: BTreeSet::new(),
            reviewing: BTreeSet::new(),
            posts: BTreeSet::new(),
            employment: None,
            service: None,
            assists_group: None,
            assists_person: None,
            outside_appointments: BTreeSet::new(),
        }
    }

    /// The party of a request. A person the register does not name, or whose term is not current, is `not_in_office`
    /// and has the public's access.
    pub fn of_party(party: &Party, register: &Indexed, profile: &Profile, today: Date) -> Self {
        let id = || party.id.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        match party.kind {
            PartyType::Person(_) => match party.id.as_ref().and_then(|id| register.person(id)) {
                Some(person) => Self::of_person(person, register, profile, today),
                None => Self::of_kind(id(), PersonKind::NotInOffice),
            },
            PartyType::Typed(kind) => {
                let mut facts = Self::of_kind(id(), kind);
                facts.describe_collective(party.id.as_ref(), register);
                facts
            }
        }
    }

    /// A group or a body as a recipient.
    fn describe_collective(&mut self, id: Option<&Id>, register: &Indexed) {
        match (self.kind, id) {
            (PersonKind::Group, Some(id)) => {
                self.in_administration = register.group(id).is_some_and(|group| group.administration);
                self.group = register.group(id).map(|group| group.id.clone());
            }
            (PersonKind::Body, Some(id)) => {
                self.bodies.insert(id.clone());
            }
            _ => {}
        }
    }

    pub fn of_person(person: &Person, register: &Indexed, profile: &Profile, today: Date) -> Self {
        if person.term.is_some_and(|term| !term.covers(today)) {
            return Self::of_kind(person.id.as_str(), PersonKind::NotInOffice);
        }
        let (assists_group, assists_person) = match &person.assists {
            Some(Assists::Group(id)) => (Some(id.clone()), None),
            Some(Assists::Person(id)) => (None, Some(id.clone())),
            None => (None, None),
        };
        let mut facts = Self {
            group: person.group.clone(),
            in_administration: person
                .group
                .as_ref()
                .and_then(|id| register.group(id))
                .is_some_and(|g| g.administration),
            group_leader: person.group_leader,
            wards: person.wards.iter().cloned().collect(),
            portfolios: person.portfolios.iter().cloned().collect(),
            reviewing: person.reviewing.iter().filter(|r| begun(r, today)).map(|r| r.decision.clone()).collect(),
            posts: person.posts.iter().copied().collect(),
            employment: person.employment,
            service: person.service.clone(),
            assists_group,
            assists_person,
            outside_appointments: person.outside_appointments.iter().cloned().collect(),
            ..Self::of_kind(person.id.as_str(), person.kind)
        };
        for membership in person.memberships.iter().filter(|m| m.period.covers(today)) {
            facts.sit(membership, register, profile, today);
        }
        facts.any_scrutiny_programme = programme(register, today, |_| true);
        facts
    }

    /// Adds what one current membership brings.
    fn sit(&mut self, membership: &Membership, register: &Indexed, profile: &Profile, today: Date) {
        let body = register.body(&membership.body);
        let full = membership.voting && membership.role != MembershipRole::Substitute;
        if full { &mut self.bodies } else { &mut self.doubtful_bodies }.insert(membership.body.clone());
        let functions = || body.into_iter().flat_map(|body| body.terms_of_reference.iter().cloned());
        if full {
            self.remit.extend(functions());
        }
        if full && body.is_some_and(|body| body.kind == BodyKind::Forum || profile.names(&body.name)) {
            self.named_remit.extend(functions());
        }
        if membership.role == MembershipRole::Chair {
            self.chairs.insert(membership.body.clone());
            self.chaired_remit.extend(functions());
        }
        match body.map(|body| body.kind) {
            Some(BodyKind::Executive) => self.executive_member |= full,
            // Reg 17 speaks of "a member" of the committee: a vote is not asked for, but a substitute is none.
            Some(BodyKind::OverviewAndScrutiny) if membership.role != MembershipRole::Substitute => {
                self.scrutiny_member = true;
                self.scrutiny_bodies.insert(membership.body.clone());
                self.scrutiny_remit.extend(body.into_iter().flat_map(|b| b.terms_of_reference.iter().cloned()));
                // Reg 17(3)(a)(ii): of such a committee, or of a sub-committee of such a committee.
                let own = |b: &Body| b.id == membership.body || b.parent.as_ref() == Some(&membership.body);
                self.scrutiny_programme.extend(programme(register, today, own));
            }
            Some(BodyKind::ScrutinySubCommittee) => self.scrutiny_sub_member = true,
            _ => {}
        }
    }
}

/// A review recorded for a later day is none yet.
fn begun(review: &Review, today: Date) -> bool {
    review.recorded_at.is_none_or(|at| london_day(at) <= today)
}

/// Matters in the current work programmes of scrutiny bodies.
fn programme(register: &Indexed, today: Date, of: impl Fn(&Body) -> bool) -> BTreeSet<Id> {
    let scrutinises = |body: &Body| matches!(body.kind, BodyKind::OverviewAndScrutiny | BodyKind::ScrutinySubCommittee);
    let bodies = register.register.iter().flat_map(|register| &register.bodies);
    bodies
        .filter(|body| scrutinises(body) && of(body))
        .flat_map(|body| &body.work_programme)
        .filter(|item| item.period.covers(today))
        .flat_map(|item| item.matters.iter().cloned())
        .collect()
}

impl InterestFacts {
    /// A person's interests that share a matter with the part; where the part's matters are unknown, all of them,
    /// untested.
    pub fn of(person: Option<&Person>, matters: &Fact<Vec<Id>>, today: Date) -> Self {
        let mut facts = Self::default();
        let Some(person) = person else { return facts };
        for interest in &person.interests {
            match matters {
                Fact::Unknown => {
                    facts.untested.insert(interest.kind);
                }
                Fact::None => {}
                Fact::Known(matters) if matters.contains(&interest.matter) => facts.add(interest, person, today),
                Fact::Known(_) => {}
            }
        }
        facts
    }

    fn add(&mut self, interest: &Interest, person: &Person, today: Date) {
        let dispensed = person.dispensations.iter().any(|d| d.interest == interest.id && d.period.covers(today));
        let facets = [
            (dispensed, &mut self.dispensed),
            (interest.holder != InterestHolder::SelfHeld, &mut self.connected),
            (!interest.registered, &mut self.unregistered),
            (interest.sensitive, &mut self.sensitive),
            (interest.relation == InterestRelation::Affects, &mut self.affecting),
        ];
        let mut plain = true;
        for (applies, facet) in facets {
            if applies {
                facet.insert(interest.kind);
                plain = false;
            }
        }
        if plain {
            self.plain.insert(interest.kind);
        }
    }
}
