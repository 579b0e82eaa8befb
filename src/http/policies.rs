//! `/v1/policies` and `/v1/profile`: the rules in force, to read.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde_json::{Value, json};

use super::{
    Shared,
    caller::Authenticated,
    page::{Query, told},
    problem::{Problem, unavailable},
};
use crate::{
    app::policies::{NoRules, ReloadError, Rules},
    domain::words::{Determination as Kind, Layer, Post},
    pap::{book::Rule, callers::Errand, profile::Profile},
    pdp::StatutoryLayer,
    pip::Page,
};

impl From<NoRules> for Problem {
    fn from(error: NoRules) -> Self {
        unavailable(&error)
    }
}

impl From<ReloadError> for Problem {
    fn from(error: ReloadError) -> Self {
        match error {
            ReloadError::NotAllowed => Self::NotAllowed,
            ReloadError::Refused(why) => Self::PoliciesRefused(why.to_string()),
            ReloadError::Unrecorded(error) => error.into(),
        }
    }
}

pub async fn list(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    who.may(Errand::ReadPolicies)?;
    let mut query = Query::of(&request)?;
    let page = query.page();
    query.finish()?;
    let Rules { bundle, book } = shared.app.rules().await?;
    let mut rules = book.rules();
    rules.sort_by(|a, b| a.id().cmp(b.id()));
    rules.retain(|rule| page.after.as_ref().is_none_or(|after| rule.id() > after.as_str()));
    let limit = page.limit as usize;
    let next = rules.get(limit).and(rules.get(limit.saturating_sub(1))).map(|rule| rule.id().to_owned());
    rules.truncate(limit);
    let items = rules.into_iter().map(|rule| Summary::of(rule)).collect();
    let told = told(Page { items, next }, |item| json!(item));
    Ok(HttpResponse::Ok().json(Listed { page: told, policy_bundle: &bundle.hash }))
}

/// A policy in a list.
#[derive(serde::Serialize)]
struct Summary<'a> {
    id: &'a str,
    title: &'a str,
    role: &'static str,
    layer: Layer,
    rules: Vec<Value>,
    reason: &'a str,
}

impl<'a> Summary<'a> {
    fn of(rule: &'a Rule) -> Self {
        Self {
            id: rule.id(),
            title: &rule.annotations.title,
            role: rule.annotations.role.name(),
            layer: rule.annotations.layer,
            rules: rule.rule_ids().map(|id| json!({"rule": id, "citation": rule.citation})).collect(),
            reason: &rule.reason,
        }
    }
}

#[derive(serde::Serialize)]
struct Listed<'a> {
    #[serde(flatten)]
    page: Value,
    policy_bundle: &'a str,
}

pub async fn read(who: Authenticated, shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Problem> {
    who.may(Errand::ReadPolicies)?;
    let Rules { bundle, book } = shared.app.rules().await?;
    let rule = book.rule(&id).ok_or(Problem::NotFound)?;
    Ok(HttpResponse::Ok().json(Whole::of(rule, &bundle.hash)))
}

/// A policy whole.
#[derive(serde::Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    missing: Vec<&'a String>,
    obligations: Vec<&'static str>,
    since: &'a str,
    status: &'a str,
    special_category: Option<&'a str>,
    text: &'a str,
    policy_bundle: &'a str,
}

impl<'a> Whole<'a> {
    fn of(rule: &'a Rule, policy_bundle: &'a str) -> Self {
        let about = &rule.annotations;
        let duties = about.obligation.map(|o| o.word()).into_iter().chain(about.information.map(|i| i.word()));
        Self {
            summary: Summary::of(rule),
            missing: about.missing.iter().chain(&about.lifted_by).collect(),
            obligations: duties.collect(),
            since: &about.since,
            status: &about.status,
            special_category: about.special_category.as_deref(),
            text: &rule.text,
            policy_bundle,
        }
    }
}

/// Has the policies read again. What is told of it names files and lines of policies, which every caller may read.
pub async fn reload(who: Authenticated, shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(shared.app.reload(&who.caller).await?))
}

pub async fn profile(who: Authenticated, shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    who.may(Errand::ReadPolicies)?;
    let Rules { bundle, book } = shared.app.rules().await?;
    Ok(HttpResponse::Ok().json(InForce {
        profile: &book.profile,
        statutory_layer: shared.app.statutory,
        policy_bundle: &bundle.hash,
        determinations: Kind::ALL.iter().map(|kind| (*kind, bundle.deciders.posts(*kind, &book.profile.id))).collect(),
    }))
}

/// A profile as this service has it in force.
#[derive(serde::Serialize)]
struct InForce<'a> {
    #[serde(flatten)]
    profile: &'a Profile,
    statutory_layer: StatutoryLayer,
    policy_bundle: &'a str,
    /// Who may decide each kind.
    determinations: BTreeMap<Kind, Vec<Post>>,
}
