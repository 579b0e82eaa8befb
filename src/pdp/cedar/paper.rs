//! A part of a document as an entity, with all it inherits.

use super::{Record, Value, flag, ids, number, text, word, words};
use crate::{
    domain::{
        document::{Classification, Exemption, Facts, Holder, OneOrMany},
        fact::Fact,
        words::{Access, DocumentKind, Tag},
    },
    pip::facts::{Case, PartFacts},
};

pub fn record(part: &PartFacts, case: &Case) -> Record {
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
    record.set("business_known", flag(facts.business.settled().is_some()));
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
    record.known("author", listed(&facts.author));
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
    record.known("access", class.map(access).and_then(word));
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

/// A classification that contradicts itself settles nothing: open with a claim or confidential, or exempt and confidential.
fn access(class: &Classification) -> Access {
    let contradicts = match class.access {
        Access::Open => !class.exempt.is_empty() || class.confidential.is_some(),
        Access::Exempt => class.confidential.is_some(),
        Access::Confidential | Access::Unsettled => false,
    };
    if contradicts { Access::Unsettled } else { class.access }
}

/// True if any is; unknown if none is but one is unknown.
fn any(values: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let values: Vec<Option<bool>> = values.collect();
    if values.contains(&Some(true)) {
        return Some(true);
    }
    (!values.contains(&None)).then_some(false)
}
