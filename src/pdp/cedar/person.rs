//! A person as an entity.

use cedar_policy::Entity;

use super::{EvaluationError, Record, entity as build, flag, ids, text, uid, word, words};
use crate::pip::facts::PersonFacts;

pub fn entity(role: &str, facts: &PersonFacts) -> Result<Entity, EvaluationError> {
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
    record.set("remit", ids(&facts.remit));
    record.set("chaired_remit", ids(&facts.chaired_remit));
    record.set("named_remit", ids(&facts.named_remit));
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
    build(uid("Person", role)?, record)
}
