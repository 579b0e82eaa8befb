//! What is read at the desk: the rule book, and decisions counted for release.

use std::collections::BTreeMap;

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use jiff::civil::Date;
use minijinja::context;
use serde_json::{Value, json};

use super::is_asked_here;
use crate::{
    app::{policies::Rules, statistics::Wanted},
    audit::{LogFilter, statistics::Report},
    domain::{calendar::london_day, words::Outcome},
    http::{
        Shared,
        caller::Authenticated,
        log,
        page::Query,
        pages::{self, page, shown},
        problem::Problem,
        statistics,
    },
    pap::{annotations::Role, book::Rule, callers::Errand, placeholders::in_general, profile::Profile},
    pip::PageRequest,
};

/// Decisions told of beside a rule.
const TOLD: u32 = 20;

pub async fn rules(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let read = async {
        who.may(Errand::ReadPolicies)?;
        let mut query = Query::of(&request)?;
        query.drop_empty();
        let find = query.take("find", |text| (text.len() <= 200).then(|| text.to_owned()), "is too long");
        query.finish()?;
        let find = find.unwrap_or_default();
        let Rules { bundle, book } = shared.app.rules().await?;
        let mut themes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut rules = book.rules();
        rules.sort_by(|one, other| one.annotations.title.cmp(&other.annotations.title));
        let count = rules.len();
        for rule in rules.iter().filter(|rule| is_about(rule, &find)) {
            themes.entry(rule.theme.clone()).or_default().push(told(rule, &book.profile));
        }
        let themes: Vec<Value> =
            themes.into_iter().map(|(name, rules)| json!({"name": name.replace('-', " "), "rules": rules})).collect();
        let profile = book.profile.title.clone();
        let about = context! {
            desk => true, here => "/desk/policies", profile, count, bundle => bundle.hash.clone(), find,
            themes => pages::of(themes),
        };
        Ok(page(StatusCode::OK, "rules.html", about))
    };
    shown(read.await, true)
}

fn is_about(rule: &Rule, find: &str) -> bool {
    let find = find.to_lowercase();
    let place = cited(rule);
    let texts = [&rule.annotations.title, &rule.reason, &place, &rule.annotations.id];
    texts.into_iter().chain(rule.rule_ids()).any(|text| text.to_lowercase().contains(&find))
}

fn cited(rule: &Rule) -> String {
    format!("{} {}", rule.citation.instrument, rule.citation.provision).trim().to_owned()
}

fn told(rule: &Rule, profile: &Profile) -> Value {
    let plain = |text: &String| in_general(text, Some(profile));
    json!({
        "id": rule.id(), "title": rule.annotations.title, "reason": plain(&rule.reason), "layer": rule.annotations.layer,
        "citation": cited(rule), "url": rule.citation.url, "rules": rule.rule_ids().collect::<Vec<_>>(),
        "role": rule.role().name(), "is_counted": decides(rule.role()), "actions": rule.actions, "since": rule.annotations.since,
        "status": rule.annotations.status, "text": rule.text,
        "missing": rule.annotations.missing.iter().chain(&rule.annotations.lifted_by).map(plain).collect::<Vec<_>>(),
    })
}

pub async fn rule(who: Authenticated, shared: Data<Shared>, request: HttpRequest, id: Path<String>) -> HttpResponse {
    let read = async {
        who.may(Errand::ReadPolicies)?;
        let rules = shared.app.rules().await?;
        let rule = rules.book.rule(&id).ok_or(Problem::NotFound)?;
        let used = match who.may(Errand::ListDecisions) {
            Ok(_) => {
                // The rule is anyone's to read; the decisions are a reading of the log.
                is_asked_here(&request)?;
                Some(decided_by(&who, &shared, rule).await?)
            }
            Err(_) => None,
        };
        let (rule, used) = (pages::of(told(rule, &rules.book.profile)), pages::of(used));
        Ok(page(StatusCode::OK, "rule.html", context! { desk => true, here => "/desk/policies", rule, used }))
    };
    shown(read.await, true)
}

/// Whether decisions are found by it: it gave, barred or referred.
fn decides(role: Role) -> bool {
    !matches!(role, Role::Finding | Role::Residual | Role::Obligation | Role::Information)
}

/// The newest decisions in which it decided, whom they were about left out.
async fn decided_by(who: &Authenticated, shared: &Shared, rule: &Rule) -> Result<Vec<Value>, Problem> {
    let filter = LogFilter { rule: Some(rule.rule.clone()), ..LogFilter::default() };
    let first = PageRequest { after: None, limit: TOLD };
    let decisions = shared.app.list_decisions(&who.caller, filter, first).await?;
    let told = |entry: crate::audit::StoredEntry| json!({"id": entry.id, "at": entry.at, "outcome": entry.outcome});
    Ok(decisions.items.into_iter().map(told).collect())
}

pub async fn count(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let read = async {
        is_asked_here(&request)?;
        let mut query = Query::of(&request)?;
        query.drop_empty();
        let wanted = statistics::wanted(&mut query, london_day(shared.app.clock.now()));
        query.finish()?;
        let wanted = wanted?;
        let report = shared.app.statistics(&who.caller, &wanted).await?;
        let (asked, released) =
            (links(&wanted, "%Y-%m", wanted.to), links(&wanted, "%Y-%m-%d", wanted.to.last_of_month()));
        let chart = pages::of(chart(&report));
        let report = pages::of(report);
        Ok(page(
            StatusCode::OK,
            "statistics.html",
            context! { desk => true, here => "/desk/statistics", report, chart, asked, released },
        ))
    };
    shown(read.await, true)
}

/// The same counts as a table.
pub async fn counts(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let taken = async {
        is_asked_here(&request)?;
        statistics::read(who, shared, request).await
    };
    shown(taken.await, true)
}

/// What they count, as a table.
pub async fn decisions(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let taken = async {
        is_asked_here(&request)?;
        log::export(who, shared, request).await
    };
    shown(taken.await, true)
}

/// The same period, document and rule as parameters of a link.
fn links(wanted: &Wanted, form: &str, to: Date) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("from", &wanted.from.strftime(form).to_string());
    query.append_pair("to", &to.strftime(form).to_string());
    if let Some(document) = &wanted.document {
        query.append_pair("document", document.as_str());
    }
    if let Some(rule) = &wanted.rule {
        query.append_pair("rule", rule);
    }
    query.finish()
}

const HEIGHT: u64 = 220;
const FLOOR: u64 = 190;
/// Where the tallest bar ends, below the number it stands for.
const TOP: u64 = 16;
/// Width of a bar, and from one month to the next.
const BAR: u64 = 14;
const STEP: u64 = 66;

/// Bars of each month, side by side, the tallest as high as the chart. What is left out has no bar.
fn chart(report: &Report) -> Value {
    let counts = report.months.iter().flat_map(|month| month.outcomes.values().flatten());
    let tallest = counts.max().copied().unwrap_or(0);
    let mut bars = Vec::new();
    let mut labels = Vec::new();
    for (at, month) in (0u64..).zip(&report.months) {
        for (place, outcome) in (0u64..).zip(Outcome::ALL) {
            let count = month.outcomes.get(outcome).copied().flatten().unwrap_or(0);
            let height = count * (FLOOR - TOP) / tallest.max(1);
            let x = 8 + at * STEP + place * (BAR + 2);
            bars.push(json!({"outcome": outcome, "x": x, "y": FLOOR - height, "height": height}));
        }
        labels.push(json!({"x": 8 + at * STEP + (3 * BAR) / 2, "text": month.month}));
    }
    let width = 16 + STEP * report.months.len() as u64;
    json!({"width": width, "height": HEIGHT, "bar": BAR, "bars": bars, "labels": labels, "tallest": tallest, "top": TOP})
}
