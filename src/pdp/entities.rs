//! Facts as Cedar reads them. What is unknown is left out, and remembered as unknown.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    str::FromStr,
    sync::LazyLock,
};

use cedar_policy::{Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema};

use super::{EvaluationError, combine::Standing};
use crate::{
    domain::{
        document::{Exemption, Facts, Holder, OneOrMany},
        fact::Fact,
        id::Id,
        words::{Action, DocumentKind, Finding, OnBehalfOf, PersonKind, Post, Tag, Word},
    },
    pip::facts::{AttendeeFacts, BusinessFacts, Case, PartFacts, PersonFacts, RecipientFacts},
};

type Value = RestrictedExpression;

/// Attributes under construction, and the paths left out because they are unknown.
#[derive(Default)]
struct Record {
    values: HashMap<String, Value>,
    unknown: BTreeSet<String>,
    prefix: &'static str,
}

impl Record {
    fn at(prefix: &'static str) -> Self {
        Self { prefix, ..Self::default() }
    }

    fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// Left out when there is none.
    fn optional(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// Left out and remembered when it is not known.
    fn known(&mut self, name: &str, value: Option<Value>) {
        match value {
            Some(value) => self.set(name, value),
            None => {
                self.unknown.insert(format!("{}{name}", self.prefix));
            }
        }
    }

    fn value(self) -> Result<Value, EvaluationError> {
        Value::new_record(self.values).map_err(|_| EvaluationError::Facts("a record"))
    }
}

fn flag(value: bool) -> Value {
    Value::new_bool(value)
}

fn text(value: impl ToString) -> Value {
    Value::new_string(value.to_string())
}

fn number(value: i64) -> Value {
    Value::new_long(value)
}

fn ids<'a>(values: impl IntoIterator<Item = &'a Id>) -> Value {
    Value::new_set(values.into_iter().map(text))
}

static TYPES: LazyLock<HashMap<&'static str, EntityTypeName>> = LazyLock::new(|| {
    let names = [
        "Person",
        "Part",
        "Action",
        "PersonKind",
        "Post",
        "Employment",
        "BodyKind",
        "InterestKind",
        "DocumentKind",
        "DraftKind",
        "Proceedings",
        "Tag",
        "Access",
        "ConfidentialLimb",
        "ClassifiedBy",
        "Balance",
        "BusinessStatus",
        "ItemOpenness",
        "DecisionMaker",
        "Regime",
        "Capacity",
        "Ground",
        "OnBehalfOf",
        "Channel",
        "Setting",
        "DisputedBy",
        "Determination",
        "DamageLevel",
        "Finding",
        "Basis",
    ];
    names.into_iter().filter_map(|name| Some((name, EntityTypeName::from_str(name).ok()?))).collect()
});

fn uid(of: &'static str, id: &str) -> Result<EntityUid, EvaluationError> {
    let name = TYPES.get(of).ok_or(EvaluationError::Facts("a vocabulary"))?;
    Ok(EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id)))
}

/// A word as its entity. A vocabulary that policies do not have yields none, which closes.
fn word<T: Word>(value: T) -> Option<Value> {
    uid(value.cedar_type(), value.word()).ok().map(Value::new_entity_uid)
}

fn words<'a, T: Word + 'a>(values: impl IntoIterator<Item = &'a T>) -> Value {
    Value::new_set(values.into_iter().filter_map(|value| word(*value)))
}

/// Ids of the entities of one question. Names of roles, not of people: they may appear in errors.
pub const ASKER: &str = "asker";
pub const NAMED: &str = "named";
pub const RECIPIENT: &str = "recipient";
pub const PART: &str = "part";

pub fn principal_uid() -> Result<EntityUid, EvaluationError> {
    uid("Person", ASKER)
}

pub fn action_uid(action: Action) -> Result<EntityUid, EvaluationError> {
    uid("Action", action.word())
}

pub fn part_uid() -> Result<EntityUid, EvaluationError> {
    uid("Part", PART)
}

/// The entities of one part's question.
pub struct World {
    pub entities: Entities,
    /// Paths the facts leave unknown.
    pub unknown: BTreeSet<String>,
}

pub fn world(case: &Case, part: &PartFacts, schema: &Schema) -> Result<World, EvaluationError> {
    let mut resource = part_record(part, case);
    let unknown = std::mem::take(&mut resource.unknown);
    let mut all = vec![entity(part_uid()?, resource)?, person(ASKER, &case.principal)?];
    if let Some(named) = &case.named {
        all.push(person(NAMED, named)?);
    }
    if let Some(recipient) = &case.recipient {
        all.push(person(RECIPIENT, &recipient.person)?);
    }
    let entities = Entities::from_entities(all, Some(schema)).map_err(|_| EvaluationError::Facts("the entities"))?;
    Ok(World { entities, unknown })
}

fn entity(uid: EntityUid, record: Record) -> Result<Entity, EvaluationError> {
    Entity::new(uid, record.values, HashSet::new()).map_err(|_| EvaluationError::Facts("an entity"))
}

fn person(role: &str, facts: &PersonFacts) -> Result<Entity, EvaluationError> {
    let mut record = Record::at("principal.");
    record.set("id", text(&facts.id));
    record.optional("kind", word(facts.kind));
    record.optional("group", facts.group.as_ref().map(text));
    record.set("in_administration", flag(facts.in_administration));
    record.set("group_leader", flag(facts.group_leader));
    record.set("wards", ids(&facts.wards));
    record.set("portfolios", ids(&facts.portfolios));
    record.set("bodies", ids(&facts.bodies));
    record.set("doubtful_bodies", ids(&facts.doubtful_bodies));
    record.set("chairs", ids(&facts.chairs));
    record.set("executive_member", flag(facts.executive_member));
    record.set("scrutiny_member", flag(facts.scrutiny_member));
    record.set("scrutiny_sub_member", flag(facts.scrutiny_sub_member));
    record.set("scrutiny_remit", ids(&facts.scrutiny_remit));
    record.set("scrutiny_programme", ids(&facts.scrutiny_programme));
    record.set("any_scrutiny_programme", ids(&facts.any_scrutiny_programme));
    record.set("reviewing", ids(&facts.reviewing));
    record.set("posts", words(&facts.posts));
    record.optional("employment", facts.employment.and_then(word));
    record.optional("service", facts.service.as_ref().map(text));
    record.optional("assists_group", facts.assists_group.as_ref().map(text));
    record.optional("assists_person", facts.assists_person.as_ref().map(text));
    record.set("outside_appointments", ids(&facts.outside_appointments));
    entity(uid("Person", role)?, record)
}

fn part_record(part: &PartFacts, case: &Case) -> Record {
    let facts = &part.part.facts;
    let mut record = Record::at("resource.");
    record.set("document", text(&case.request.document.id));
    record.set("part", text(&part.part.id));
    let kind = facts.kind.known().copied().unwrap_or(DocumentKind::Other);
    record.optional("kind", word(kind));
    standing_of_paper(&mut record, facts, kind, case);
    whose_paper(&mut record, facts);
    classification(&mut record, facts, case);
    record.known("tags", facts.tags.settled().map(|tags| words(tags.into_iter().flatten())));
    record
}

/// What sort of paper it is and where it has got to.
fn standing_of_paper(record: &mut Record, facts: &Facts, kind: DocumentKind, case: &Case) {
    let known = |fact: &Fact<bool>| fact.settled().map(|value| flag(value.copied().unwrap_or(false)));
    record.set("held_by_council", flag(matches!(facts.held_by.known(), Some(Holder::Council(_)))));
    if let Some(Holder::Group { group }) = facts.held_by.known() {
        record.set("held_by_group", text(group));
    }
    record.known("held_by_executive", known(&facts.held_by_executive));
    record.known("council_business", known(&facts.council_business));
    let published = facts.published_at.settled().map(|at| at.is_some_and(|at| *at <= case.now));
    record.known("published", published.map(flag));
    let listed = match facts.listed_background_paper.settled() {
        None if kind == DocumentKind::BackgroundPaper => Some(true),
        listed => listed.map(|value| value.copied().unwrap_or(false)),
    };
    record.known("listed_background_paper", listed.map(flag));
    record.known("draft", facts.draft.known().copied().and_then(word));
    record.known("taken_into_consideration", known(&facts.taken_into_consideration));
    record.known("matters", facts.matters.settled().map(|matters| ids(matters.into_iter().flatten())));
    record.known("wards", facts.wards.settled().map(|wards| ids(wards.into_iter().flatten())));
    record.known("environmental", known(&facts.environmental));
    record.known("proceedings", facts.proceedings.known().copied().and_then(word));
    record.known("appointment", known(&facts.appointment));
}

/// Whose paper it is and whom it is about.
fn whose_paper(record: &mut Record, facts: &Facts) {
    let known = |fact: &Fact<bool>| fact.settled().map(|value| flag(value.copied().unwrap_or(false)));
    let listed = |fact: &Fact<OneOrMany>| fact.settled().map(|who| ids(who.map(OneOrMany::ids).unwrap_or_default()));
    record.optional("service", facts.service.known().map(text));
    record.known("group_internal", facts.group_internal_of.settled().map(|group| flag(group.is_some())));
    record.optional("internal_to", facts.group_internal_of.known().map(text));
    record.optional("given_to_group", facts.given_to_group.known().map(text));
    record.known("administration_only", known(&facts.administration_only));
    record.known("personal_record", known(&facts.personal_record));
    record.known("third_party_personal", known(&facts.third_party_personal));
    record.known("staff_matter", known(&facts.staff_matter));
    record.known("sensitive_in_fact", sensitive_in_fact(facts).map(flag));
    let confided = facts.given_in_confidence_by.settled().map(|who| flag(who.is_some()));
    record.known("given_in_confidence", confided);
    record.known("subject_person", listed(&facts.subject_person));
    record.known("privy", facts.privy.settled().map(|privy| ids(privy.into_iter().flatten())));
}

/// Said outright; else shown by a tag or by third parties' personal information (contract §3).
fn sensitive_in_fact(facts: &Facts) -> Option<bool> {
    let third_party = facts.third_party_personal.settled().map(|value| value.copied().unwrap_or(false));
    let tagged = |tag| facts.tags.known().is_some_and(|tags| tags.contains(&tag));
    match facts.sensitive_in_fact.settled() {
        Some(said) => Some(said.copied().unwrap_or(false)),
        None if tagged(Tag::Personal) || tagged(Tag::Commercial) => Some(true),
        None => third_party,
    }
}

fn classification(record: &mut Record, facts: &Facts, case: &Case) {
    let class = facts.classification.known();
    record.known("access", class.map(|class| class.access).and_then(word));
    let claims = class.map(|class| class.exempt.as_slice()).unwrap_or_default();
    record.set("paragraphs", Value::new_set(claims.iter().map(|claim| number(i64::from(claim.paragraph)))));
    let third: Vec<&Exemption> = claims.iter().filter(|claim| claim.paragraph == 3).collect();
    if !third.is_empty() {
        record.known("negotiation_terms", any(third.iter().map(|claim| claim.negotiation_terms)).map(flag));
        let unregistrable = any(third.iter().map(|claim| claim.registrable.map(|value| !value)));
        record.known("registrable", unregistrable.map(|value| flag(!value)));
    }
    if !claims.is_empty() {
        record.known("reg3_self_grant", any(claims.iter().map(|claim| claim.reg3_self_grant)).map(flag));
        record.known("public_interest", class.and_then(|class| class.public_interest).and_then(word));
    }
    let opinion = class.filter(|class| class.determined_at.is_some_and(|at| at <= case.now));
    record.optional("classified_by", opinion.and_then(|class| class.determined_by).and_then(word));
    let confidential = class.and_then(|class| class.confidential.as_ref());
    record.optional("confidential_limb", confidential.and_then(|c| c.limb).and_then(word));
    let permitted = confidential.and_then(|c| c.permitted_recipients.as_ref());
    record.optional("permitted_recipients", permitted.map(ids));
}

/// True if any is; unknown if none is but one is unknown.
fn any(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let values: Vec<Option<bool>> = values.collect();
    if values.contains(&Some(true)) {
        return Some(true);
    }
    (!values.contains(&None)).then_some(false)
}

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
    standing: Option<&StandingFacts>,
) -> Result<Asked, EvaluationError> {
    let mut record = Record::at("context.");
    request_record(&mut record, case)?;
    record.set("interests", interests(part)?);
    record.set("found", words(found));
    record.set("yes", words(&part.recorded.yes));
    record.set("no", words(&part.recorded.no));
    record.set("final", words(&part.recorded.final_));
    record.optional("damage_level", part.recorded.damage_level.and_then(word));
    if let Some(business) = business {
        let mut inner = business_record(business);
        record.unknown.append(&mut inner.unknown);
        record.set("business", inner.value()?);
    }
    if let Some(recipient) = &case.recipient {
        record.set("recipient", recipient_value(recipient, part, business)?);
    }
    if let Some(attendees) = &case.attendees {
        record.set("attendees", attendees_value(attendees, part, business)?);
    }
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
    let behalf = purpose.on_behalf_of.as_ref().map_or(OnBehalfOf::None, |behalf| behalf.kind);
    record.known("capacity", purpose.capacity.and_then(word));
    record.known("ground", purpose.ground.and_then(word));
    record.optional("on_behalf_of", word(behalf));
    record.known("channel", request.channel.and_then(word));
    record.known("routine", request.routine.map(flag));
    record.known("disputed", request.disputed.map(flag));
    record.known("confidentiality_requested", request.confidentiality_requested.map(flag));
    record.optional("disputed_by", request.disputed_by.and_then(word));
    record.set("justified", flag(purpose.justification.as_ref().is_some_and(|text| !text.trim().is_empty())));
    record.known("circumstances_changed", request.circumstances_changed.map(flag));
    record.optional("requested_by", request.requested_by.as_ref().map(text));
    record.known("copy_is_open", request.copy_is_open.map(flag));
    record.known("author_told", request.author_told.map(flag));
    record.set("repeated", flag(request.repeat_of.is_some()));
    record.set("provided_under", flag(purpose.provided_under.is_some()));
    record.known("setting", request.setting.and_then(word));
    if case.named.is_some() {
        record.set("named", Value::new_entity_uid(uid("Person", NAMED)?));
    }
    Ok(())
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
    record.set("need_recorded", flag(part.recipient_need));
    record.optional("undertaking", recipient.undertaking.map(flag));
    record.value()
}

fn attendees_value(
    attendees: &[AttendeeFacts],
    part: &PartFacts,
    business: Option<&BusinessFacts>,
) -> Result<Value, EvaluationError> {
    const STATUTORY: [Post; 6] = [
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
        people().any(|p| councillor(p.kind) && !sits_on(p, business) && !part.attendee_need.contains(&p.id));
    let officer_without_ground = people().any(|p| {
        p.kind == PersonKind::Officer
            && serves(p, part) != Some(true)
            && !p.posts.iter().any(|post| STATUTORY.contains(post))
    });
    let mut record = Record::default();
    record.set("kinds", Value::new_set(people().filter_map(|p| word(p.kind))));
    record.set("groups", ids(&crate::pip::gather::groups_present(attendees)));
    record.set("councillor_without_ground", flag(councillor_without_ground));
    record.set("officer_without_ground", flag(officer_without_ground));
    record.value()
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
