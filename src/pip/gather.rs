//! Gathers the facts of one case from the register, the document and what is recorded about it.
//!
//! It measures and matches; it never concludes. Where a fact is unknown it stays out of the case.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Indexed, Snapshot,
    facts::{
        AttendeeFacts, BusinessFacts, Case, InterestFacts, Others, PartFacts, PersonFacts, Provided, RecipientFacts,
    },
    recorded::{Scope, settle},
};
use crate::{
    domain::{
        business::Business,
        calendar::{Calendar, london_day, whole_years},
        determination::Determination,
        document::{Document, Part},
        fact::Fact,
        id::Id,
        question::{Behalf, Party, PartyType, PersonWord, Purpose, Request},
        words::{Action, BusinessStatus, Capacity, Determination as Kind, Governance, OnBehalfOf, PersonKind, Regime},
    },
    pap::{deciders::Deciders, profile::Profile},
};

/// Why a question cannot be put.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GatherError {
    /// The request names a part the document does not have.
    #[error("the document has no part `{0}`")]
    NoPart(Id),
}

/// What the facts of a case are gathered from.
pub struct Sources<'a> {
    pub snapshot: &'a Snapshot,
    pub calendar: &'a Calendar,
    pub profile: &'a Profile,
    /// What determinations rest on besides what they name.
    pub deciders: &'a Deciders,
    /// About this document or about none.
    pub determinations: &'a [Determination],
    /// What the decision the request names gave; `None` where it names none that gave anything.
    pub provided: Option<Provided>,
    pub now: Timestamp,
}

impl Sources<'_> {
    fn register(&self) -> &Indexed {
        &self.snapshot.register
    }

    fn governance(&self) -> Option<Governance> {
        self.register().register.as_ref().map(|register| register.authority.governance)
    }
}

/// The case of a request about a document.
pub fn gather(request: Request, document: &Document, from: &Sources<'_>) -> Result<Case, GatherError> {
    let principal = PersonFacts::of_party(&request.principal, from.register(), from.profile, london_day(from.now));
    gather_for(principal, request, document, from)
}

/// The case of a principal already known.
fn gather_for(
    principal: PersonFacts,
    request: Request,
    document: &Document,
    from: &Sources<'_>,
) -> Result<Case, GatherError> {
    let today = london_day(from.now);
    let register = from.register();
    let person = |party| PersonFacts::of_party(party, register, from.profile, today);
    let named = named_person(&request, from, today);
    let recipient = request
        .recipient
        .as_ref()
        .map(|party| RecipientFacts { person: person(party), undertaking: party.undertaking });
    let attendees: Option<Vec<AttendeeFacts>> = request
        .attendees
        .as_ref()
        .map(|parties| parties.iter().map(|party| AttendeeFacts { person: person(party) }).collect());
    let parts =
        chosen_parts(&request, document)?.into_iter().map(|part| part_facts(part, &request, document, from)).collect();
    let others = others(&principal, &request, document, from)?;
    let body_names = register.register.iter().flat_map(|r| &r.bodies).map(|b| (b.id.clone(), b.name.clone())).collect();
    Ok(Case {
        now: from.now,
        today,
        facts_version: from.snapshot.facts_version,
        principal,
        named,
        recipient,
        attendees,
        others,
        parts,
        provided: from.provided.clone(),
        body_names,
        request,
    })
}

/// The person acted for, where the request names one of the register.
fn named_person(request: &Request, from: &Sources<'_>, today: jiff::civil::Date) -> Option<PersonFacts> {
    let behalf = request.purpose.on_behalf_of.as_ref().filter(|behalf| behalf.kind == OnBehalfOf::Person)?;
    let person = from.register().person(behalf.id.as_ref()?)?;
    Some(PersonFacts::of_person(person, from.register(), from.profile, today))
}

/// What the others concerned would be given if they asked for the paper themselves, for the same purpose.
fn others(
    principal: &PersonFacts,
    request: &Request,
    document: &Document,
    from: &Sources<'_>,
) -> Result<Others, GatherError> {
    let read = |party: &Party| gather(own_reading(party, request), document, from);
    let behalf = request.purpose.on_behalf_of.as_ref();
    let named = behalf
        .filter(|behalf| behalf.kind == OnBehalfOf::Person)
        .and_then(|behalf| behalf.id.clone())
        .map(|id| Party { kind: PartyType::Person(PersonWord::Person), id: Some(id), undertaking: None });
    let recipient = request.recipient.as_ref().filter(|party| party.person().is_some());
    let assists = matches!(principal.kind, PersonKind::PoliticalAssistant | PersonKind::MayorsAssistant);
    let any_member = assists.then(|| {
        let member = PersonFacts::of_kind(principal.id.clone(), PersonKind::Councillor);
        gather_for(member, own_reading(&request.principal, request), document, from)
    });
    Ok(Others {
        named: named.as_ref().map(read).transpose()?.map(Box::new),
        recipient: recipient.map(read).transpose()?.map(Box::new),
        attendees: request.attendees.iter().flatten().map(read).collect::<Result<_, _>>()?,
        any_member: any_member.transpose()?.map(Box::new),
    })
}

/// The same paper, asked for by someone for themselves.
fn own_reading(party: &Party, request: &Request) -> Request {
    Request {
        parts: request.parts.clone(),
        purpose: Purpose {
            capacity: Some(Capacity::Councillor),
            ground: request.purpose.ground,
            on_behalf_of: Some(Behalf { kind: OnBehalfOf::None, id: None }),
            ..Purpose::default()
        },
        channel: request.channel,
        routine: request.routine,
        ..Request::reading(party.clone(), request.document.clone())
    }
}

fn chosen_parts(request: &Request, document: &Document) -> Result<Vec<Part>, GatherError> {
    let mut all = document.whole_parts();
    let Some(wanted) = &request.parts else { return Ok(all) };
    if let Some(unknown) = wanted.iter().find(|id| !all.iter().any(|part| part.id == **id)) {
        return Err(GatherError::NoPart(unknown.clone()));
    }
    all.retain(|part| wanted.contains(&part.id));
    Ok(all)
}

fn part_facts(part: Part, request: &Request, document: &Document, from: &Sources<'_>) -> PartFacts {
    let today = london_day(from.now);
    let asker = request.principal.person().and_then(|id| from.register().person(id));
    let interests = asker.into_iter().flat_map(|person| &person.interests).map(|interest| &interest.id).collect();
    let scope = Scope {
        document,
        part: &part,
        request,
        interests,
        deciders: from.deciders,
        profile: &from.profile.id,
        now: from.now,
    };
    let need_of = |id: &str| {
        let found = scope.matching(from.determinations, Some(id));
        settle(&found, from.profile).yes.contains(&Kind::NeedToKnow)
    };
    let recipient = request.recipient.as_ref().and_then(|party| party.id.as_ref());
    let business = match part.facts.business.known() {
        Some(entries) if !entries.is_empty() => {
            entries.iter().map(|entry| Some(business_facts(entry, &part, from))).collect()
        }
        _ => vec![None],
    };
    let about = acting_person(request);
    PartFacts {
        business,
        interests: InterestFacts::of(asker, &part.facts.matters, today),
        recorded: settle(&scope.matching(from.determinations, about.map(Id::as_str)), from.profile),
        recipient_need: recipient.is_some_and(|id| need_of(id.as_str())),
        part,
    }
}

/// Whom a determination must be about: on a relay the recipient, else whoever asks (contract §5).
fn acting_person(request: &Request) -> Option<&Id> {
    let recipient = request.recipient.as_ref().and_then(|party| party.id.as_ref());
    match request.action {
        Action::Relay => recipient,
        _ => request.principal.person(),
    }
}

/// One piece of business, measured now.
fn business_facts(entry: &Business, part: &Part, from: &Sources<'_>) -> BusinessFacts {
    let now = from.now;
    let today = london_day(now);
    let body = entry.body.as_ref().and_then(|id| from.register().body(id));
    let meeting_at = entry.meeting_at.known().copied();
    let ended_at = entry.made_at.known().or(entry.concluded_at.known()).copied();
    // The periods of public access begin with the date of the meeting or decision, never with a later one.
    let began = if entry.made_by.is_some() { entry.made_at.known().copied() } else { meeting_at };
    let convened = convened(entry, now);
    let (status, concluded) = standing_of(entry, from);
    BusinessFacts {
        regime: regime(entry, from),
        body: entry.body.clone(),
        body_kind: body.map(|body| body.kind),
        status,
        decision: entry.decision.clone(),
        made_by: entry.made_by,
        // A late item is on the agenda of the meeting only once it has been added.
        meeting_fixed: meeting_at.is_some() && entry.item_added_at.known().is_none_or(|at| *at <= now),
        private: entry.private.known().copied(),
        convened,
        available_to_members: available_to_members(entry, part, convened, now),
        concluded,
        item_was_open: entry.item_was_open.known().copied(),
        clear_days_to_meeting: meeting_at.map(|at| from.calendar.clear_days(today, london_day(at))),
        hours_since: ended_at.filter(|at| *at <= now).map(|at| now.duration_since(at).as_hours()),
        years_since: began.filter(|at| *at <= now).map(|at| whole_years(london_day(at), today)),
    }
}

/// Whether the business is still to come or over. A status that the dates contradict is neither: it is told as over,
/// and whether it has concluded is unknown, so that nothing opens on it. The day of the meeting itself is still to come.
fn standing_of(entry: &Business, from: &Sources<'_>) -> (BusinessStatus, Option<bool>) {
    let past = |at: &Fact<Timestamp>| at.settled().map(|at| at.is_some_and(|at| *at <= from.now));
    let over = if entry.made_by.is_some() { past(&entry.made_at) } else { past(&entry.concluded_at) };
    let day_gone = entry.meeting_at.known().is_some_and(|at| london_day(*at) < london_day(from.now));
    match entry.status {
        BusinessStatus::ToBeTransacted if over == Some(true) || day_gone => (BusinessStatus::Transacted, None),
        BusinessStatus::ToBeMade if over == Some(true) => (BusinessStatus::Made, None),
        status => (status, over),
    }
}

/// A body the register does not know, or a council without a register, falls under no law that opens.
fn regime(entry: &Business, from: &Sources<'_>) -> Regime {
    let Some(governance) = from.governance() else { return Regime::Outside };
    match (entry.made_by, entry.body.as_ref().and_then(|id| from.register().body(id))) {
        (Some(maker), _) => Regime::of_decision(maker, governance),
        (None, Some(body)) => Regime::of_body(body.kind, governance),
        (None, None) => Regime::Outside,
    }
}

/// Whether the meeting is convened and, for a late item, the item added.
fn convened(entry: &Business, now: Timestamp) -> Option<bool> {
    let convened = *entry.convened_at.settled()?.unwrap_or(&Timestamp::MAX) <= now;
    let added = entry.item_added_at.known().is_none_or(|at| *at <= now);
    Some(convened && added)
}

/// Contract §3: where not said, publication or a public meeting being convened shows availability.
fn available_to_members(entry: &Business, part: &Part, convened: Option<bool>, now: Timestamp) -> Option<bool> {
    match part.facts.available_to_members_at.settled() {
        Some(at) => Some(at.is_some_and(|at| *at <= now)),
        None if part.facts.published_at.known().is_some_and(|at| *at <= now) => Some(true),
        None => match (entry.private.known(), convened) {
            (Some(false), Some(true)) => Some(true),
            _ => None,
        },
    }
}

/// Groups of the people present.
pub fn groups_present(attendees: &[AttendeeFacts]) -> BTreeSet<Id> {
    attendees.iter().filter_map(|attendee| attendee.person.group.clone()).collect()
}
