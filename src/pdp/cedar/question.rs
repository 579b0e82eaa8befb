//! The rest of the question, as the context.

use std::collections::BTreeSet;

use cedar_policy::Context;

use super::{EvaluationError, NAMED, RECIPIENT, Record, Value, flag, ids, number, text, uid, word, words};
use crate::{
    domain::{
        id::Id,
        words::{Action, Finding, PersonKind, Post},
    },
    pdp::combine::Standing,
    pip::facts::{AttendeeFacts, BusinessFacts, Case, PartFacts, PersonFacts, RecipientFacts},
};

/// The context of one question, and what it leaves unknown.
pub struct Asked {
    pub context: Context,
    pub unknown: BTreeSet<String>,
}

/// The question about a part under one piece of business; the findings and the outcome as far as they are known.
pub fn question(
    case: &Case,
    part: &PartFacts,
    business: Option<&BusinessFacts>,
    found: &BTreeSet<Finding>,
    others: &OthersMayRead,
    standing: Option<&StandingFacts>,
) -> Result<Asked, EvaluationError> {
    let mut record = Record::at("context.");
    request_record(&mut record, case)?;
    record.known("confidentiality_requested", confidence_asked_for(case, part).map(flag));
    let provided = case.provided.as_ref().filter(|provided| provided.parts.contains(&part.part.id));
    record.set("provided_under", flag(provided.is_some()));
    record.optional("provided_ground", provided.and_then(|provided| provided.ground).and_then(word));
    record.set("interests", interests(part)?);
    record.set("found", words(found));
    record.set("yes", words(&part.recorded.yes));
    record.set("no", words(&part.recorded.no));
    record.set("final", words(&part.recorded.final_));
    record.set("contested", words(&part.recorded.contested));
    record.optional("damage_level", part.recorded.damage_level.and_then(word));
    if let Some(business) = business {
        let mut inner = business_record(business);
        record.unknown.append(&mut inner.unknown);
        record.set("business", inner.value()?);
    }
    if let Some(recipient) = &case.recipient {
        record.set("recipient", recipient_value(recipient, part, business, others)?);
    }
    if let Some(attendees) = &case.attendees {
        record.set("attendees", attendees_value(attendees, part, others)?);
    }
    record.set("named_may_read", flag(others.named));
    record.set("member_may_read", flag(others.any_member));
    if let Some(standing) = standing {
        record.set("result", standing.value()?);
    }
    let unknown = std::mem::take(&mut record.unknown);
    let context = Context::from_pairs(record.values).map_err(|_| EvaluationError::Facts("the context"))?;
    Ok(Asked { context, unknown })
}

fn request_record(record: &mut Record, case: &Case) -> Result<(), EvaluationError> {
    let request = &case.request;
    let purpose = &request.purpose;
    record.known("capacity", purpose.capacity.and_then(word));
    record.known("ground", purpose.ground.and_then(word));
    record.known("on_behalf_of", purpose.on_behalf_of.as_ref().and_then(|behalf| word(behalf.kind)));
    record.known("channel", request.channel.and_then(word));
    record.known("routine", request.routine.map(flag));
    record.known("disputed", request.disputed.map(flag));
    record.optional("disputed_by", request.disputed_by.and_then(word));
    record.set("justified", flag(purpose.justification.as_ref().is_some_and(|text| !text.trim().is_empty())));
    record.known("circumstances_changed", request.circumstances_changed.map(flag));
    record.optional("requested_by", request.requested_by.as_ref().map(text));
    record.known("copy_is_open", request.copy_is_open.map(flag));
    record.known("author_told", request.author_told.map(flag));
    record.set("repeated", flag(request.repeat_of.is_some()));
    record.known("setting", request.setting.and_then(word));
    if case.named.is_some() {
        record.set("named", Value::new_entity_uid(uid("Person", NAMED)?));
    }
    Ok(())
}

/// Whether confidence was asked for. Of a request that someone asks after, its record may say so too, and either is enough.
fn confidence_asked_for(case: &Case, part: &PartFacts) -> Option<bool> {
    let told = case.request.confidentiality_requested;
    if case.request.action != Action::LearnRequest {
        return told;
    }
    let recorded = part.part.facts.confidentiality_requested.known().copied();
    if told == Some(true) { told } else { recorded.or(told) }
}

fn interests(part: &PartFacts) -> Result<Value, EvaluationError> {
    let mut record = Record::default();
    record.set("plain", words(&part.interests.plain));
    record.set("dispensed", words(&part.interests.dispensed));
    record.set("connected", words(&part.interests.connected));
    record.set("unregistered", words(&part.interests.unregistered));
    record.set("sensitive", words(&part.interests.sensitive));
    record.set("affecting", words(&part.interests.affecting));
    record.set("untested", words(&part.interests.untested));
    record.value()
}

fn business_record(business: &BusinessFacts) -> Record {
    let mut record = Record::at("context.business.");
    record.optional("regime", word(business.regime));
    record.optional("body", business.body.as_ref().map(text));
    record.optional("body_kind", business.body_kind.and_then(word));
    record.optional("status", word(business.status));
    record.optional("decision", business.decision.as_ref().map(text));
    record.optional("made_by", business.made_by.and_then(word));
    record.set("meeting_fixed", flag(business.meeting_fixed));
    record.known("private", business.private.map(flag));
    record.known("convened", business.convened.map(flag));
    record.known("available_to_members", business.available_to_members.map(flag));
    record.known("concluded", business.concluded.map(flag));
    record.known("item_was_open", business.item_was_open.and_then(word));
    record.known("clear_days_to_meeting", business.clear_days_to_meeting.map(number));
    record.known("hours_since", business.hours_since.map(number));
    record.known("years_since", business.years_since.map(number));
    record
}

fn sits_on(person: &PersonFacts, business: Option<&BusinessFacts>) -> bool {
    business.and_then(|business| business.body.as_ref()).is_some_and(|body| person.bodies.contains(body))
}

fn serves(person: &PersonFacts, part: &PartFacts) -> Option<bool> {
    Some(person.service.as_ref()? == part.part.facts.service.known()?)
}

fn recipient_value(
    recipient: &RecipientFacts,
    part: &PartFacts,
    business: Option<&BusinessFacts>,
    others: &OthersMayRead,
) -> Result<Value, EvaluationError> {
    let person = &recipient.person;
    let privy = part.part.facts.privy.settled();
    let mut record = Record::default();
    record.set("person", Value::new_entity_uid(uid("Person", RECIPIENT)?));
    record.optional(
        "privy",
        privy.map(|list| flag(list.is_some_and(|list| list.iter().any(|id| id.as_str() == person.id)))),
    );
    record.set("on_body", flag(sits_on(person, business)));
    record.optional("in_service", serves(person, part).map(flag));
    record.set("may_read", flag(others.recipient));
    record.set("need_recorded", flag(part.recipient_need));
    record.optional("undertaking", recipient.undertaking.map(flag));
    record.value()
}

fn attendees_value(
    attendees: &[AttendeeFacts],
    part: &PartFacts,
    others: &OthersMayRead,
) -> Result<Value, EvaluationError> {
    // Officers whose post gives them a duty in any matter: they hold a statutory office or decide who needs to know.
    const ANSWERABLE: [Post; 8] = [
        Post::CorporateDirector,
        Post::ServiceHead,
        Post::MonitoringOfficer,
        Post::ChiefExecutive,
        Post::ManagingDirector,
        Post::Section151,
        Post::ProperOfficer,
        Post::DemocraticServices,
    ];
    let councillor =
        |kind| matches!(kind, PersonKind::Councillor | PersonKind::ElectedMayor | PersonKind::CoOptedMember);
    let people = || attendees.iter().map(|attendee| &attendee.person);
    let councillor_without_ground =
        attendees.iter().zip(&others.attendees).any(|(one, may_read)| councillor(one.person.kind) && !may_read);
    let officer_without_ground = people().any(|p| {
        p.kind == PersonKind::Officer
            && serves(p, part) != Some(true)
            && !p.posts.iter().any(|post| ANSWERABLE.contains(post))
    });
    let mut record = Record::default();
    record.set("kinds", Value::new_set(people().filter_map(|p| word(p.kind))));
    let named =
        |p: &&PersonFacts| Id::try_from(p.id.as_str()).is_ok() && p.kind != PersonKind::NotInOffice && p.id != "-";
    record.set("ids", Value::new_set(people().filter(named).map(|p| text(&p.id))));
    record.set("strangers", flag(people().any(|p| !named(&p))));
    record.set("groups", ids(&crate::pip::gather::groups_present(attendees)));
    record.set("councillor_without_ground", flag(councillor_without_ground));
    record.set("officer_without_ground", flag(officer_without_ground));
    record.value()
}

/// Who else would be given the part on asking for it themselves.
#[derive(Clone, Debug, Default)]
pub struct OthersMayRead {
    pub named: bool,
    pub any_member: bool,
    pub recipient: bool,
    /// In the order of the attendees.
    pub attendees: Vec<bool>,
}

/// The outcome of a part, as the consequences read it.
pub struct StandingFacts {
    pub standing: Standing,
    pub barred: bool,
    pub suspended: bool,
}

impl StandingFacts {
    fn value(&self) -> Result<Value, EvaluationError> {
        let mut record = Record::default();
        record.set("disclosed", flag(self.standing.disclosed()));
        record.optional("basis", word(self.standing.basis));
        record.set("cut", flag(self.standing.cut));
        record.set("barred", flag(self.barred));
        record.set("suspended", flag(self.suspended));
        record.value()
    }
}
