//! `/v1/policies` and `/v1/profile`: the rules in force, to read.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde_json::{Value, json};

use super::{
    Shared,
    caller::Authenticated,
    page::{Query, told},
    problem::Problem,
};
use crate::{
    app::NoProfile,
    pap::{book::Rule, callers::Errand},
    pip::Page,
};

impl From<NoProfile> for Problem {
    fn from(_: NoProfile) -> Self {
        Self::Unavailable
    }
}

pub async fn list(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    who.may(Errand::ReadPolicies)?;
    let mut query = Query::of(&request)?;
    let page = query.page();
    query.finish()?;
    let (bundle, book) = shared.app.rules()?;
    let mut rules = book.rules();
    rules.sort_by(|a, b| a.id().cmp(b.id()));
    rules.retain(|rule| page.after.as_ref().is_none_or(|after| rule.id() > after.as_str()));
    let limit = page.limit as usize;
    let next = rules.get(limit).and(rules.get(limit.saturating_sub(1))).map(|rule| rule.id().to_owned());
    rules.truncate(limit);
    let items = rules.into_iter().map(|rule| policy(rule, &bundle.hash)).collect();
    Ok(HttpResponse::Ok().json(told(Page { items, next }, |item| item)))
}

pub async fn read(who: Authenticated, shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Problem> {
    who.may(Errand::ReadPolicies)?;
    let (bundle, book) = shared.app.rules()?;
    let rule = book.rule(&id).ok_or(Problem::NotFound)?;
    Ok(HttpResponse::Ok().json(policy(rule, &bundle.hash)))
}

fn policy(rule: &Rule, bundle: &str) -> Value {
    let about = &rule.annotations;
    let duties = about.obligation.map(|o| o.word()).into_iter().chain(about.information.map(|i| i.word()));
    json!({
        "id": rule.id(),
        "title": about.title,
        "role": about.role.name(),
        "layer": about.layer,
        "rules": rule.rule_ids().map(|id| json!({"rule": id, "citation": rule.citation})).collect::<Vec<_>>(),
        "reason": rule.reason,
        "missing": about.missing.iter().chain(&about.lifted_by).collect::<Vec<_>>(),
        "obligations": duties.collect::<Vec<_>>(),
        "since": about.since,
        "status": about.status,
        "special_category": about.special_category,
        "text": rule.text,
        "policy_bundle": bundle,
    })
}

pub async fn profile(who: Authenticated, shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    who.may(Errand::ReadPolicies)?;
    let (bundle, book) = shared.app.rules()?;
    let mut told = json!(book.profile);
    told["statutory_layer"] = json!(shared.app.statutory);
    told["policy_bundle"] = json!(bundle.hash);
    Ok(HttpResponse::Ok().json(told))
}
