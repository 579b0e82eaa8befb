//! `/v1/decisions`: ask, ask many, look up.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde_json::{Value, json};

use super::{
    Shared, body,
    caller::Authenticated,
    page::{Query, told},
    problem::Problem,
};
use crate::{
    app::{
        decide::{DecideError, read_back},
        explain,
        replay::Under,
    },
    audit::{Answered, LogFilter, StoredEntry},
    domain::{decision::Decision, question::Request},
};

pub async fn decide(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, Problem> {
    let question: Request = body::read(&request, &bytes, &shared, "decision-request", shared.limits.request)?;
    let idempotency = body::idempotency(&request, &bytes)?;
    let decision = shared.app.decide(&who.caller, question, idempotency).await?;
    Ok(HttpResponse::Ok().json(decision))
}

pub async fn decide_batch(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, Problem> {
    let message = body::json(&request, &bytes, shared.limits.bulk)?;
    let Batch { requests } = body::typed(message, &shared.schemas, "batch-request")?;
    who.charge(requests.len().saturating_sub(1))?;
    let idempotency = body::idempotency(&request, &bytes)?;
    let mut faulty: Vec<Option<Problem>> = Vec::with_capacity(requests.len());
    let mut questions = Vec::with_capacity(requests.len());
    for item in requests {
        match body::typed::<Request>(item, &shared.schemas, "decision-request") {
            Ok(question) => {
                questions.push(Ok(question));
                faulty.push(None);
            }
            Err(problem) => {
                // Takes the place of an answer below; the error itself is never told.
                questions.push(Err(DecideError::NoDocument));
                faulty.push(Some(problem));
            }
        }
    }
    let answers = shared.app.decide_all(&who.caller, questions, idempotency).await?;
    let decisions: Vec<Value> = answers
        .into_iter()
        .zip(faulty)
        .map(|(answer, faulty)| match (faulty, answer) {
            (Some(problem), _) => problem.to_json(),
            (None, Ok(decision)) => json!(decision),
            (None, Err(error)) => Problem::from(error).to_json(),
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({"decisions": decisions})))
}

/// Items are checked one by one, so that a bad one spoils no other.
#[derive(serde::Deserialize)]
struct Batch {
    requests: Vec<Value>,
}

pub async fn read(who: Authenticated, shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let entry = shared.app.read_decision(&who.caller, &id).await?;
    let decision = read_back(&entry).map_err(|_| Problem::NotKept)?;
    Ok(HttpResponse::Ok().json(ReadBack {
        decision,
        request: entry.group("request"),
        entry: json!({"kind": entry.kind, "recorded_at": entry.at, "caller": entry.group("caller")}),
    }))
}

/// How the answer came about.
pub async fn explain(who: Authenticated, shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let explained = shared.app.explain(&who.caller, &id).await?;
    Ok(HttpResponse::Ok().json(explain::told(&explained)))
}

/// The statement of reasons that regulation 17(4) wants of it.
pub async fn statement(who: Authenticated, shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(shared.app.statement(&who.caller, &id).await?))
}

/// What it would be if it were made again. Without a body: under the policies it was made under.
pub async fn replay(
    who: Authenticated,
    shared: Data<Shared>,
    id: Path<String>,
    request: HttpRequest,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, Problem> {
    let under = if bytes.is_empty() {
        Under::default()
    } else {
        body::read(&request, &bytes, &shared, "replay-request", shared.limits.request)?
    };
    Ok(HttpResponse::Ok().json(shared.app.replay(&who.caller, &id, under).await?))
}

/// As `rule-id.json` has it.
fn is_rule_id(text: &str) -> bool {
    (1..=100).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
}

/// An answer with the question it answered and the record of its making.
#[derive(serde::Serialize)]
struct ReadBack<'a> {
    #[serde(flatten)]
    decision: Decision,
    request: Option<&'a Value>,
    entry: Value,
}

pub async fn list(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request)?;
    let page = query.page();
    let (from, to) = query.days();
    let kind = query.take("kind", answered, "is not one of the allowed values").unwrap_or_default();
    let filter = LogFilter {
        kind,
        person: query.id("person").map(String::from),
        document: query.id("document").map(String::from),
        outcome: query.word("outcome"),
        rule: query.take("rule", |text| is_rule_id(text).then(|| text.to_owned()), "is not a rule's id"),
        from,
        to,
    };
    query.finish()?;
    let decisions = shared.app.list_decisions(&who.caller, filter, page).await?;
    Ok(HttpResponse::Ok().json(told(decisions, |entry| summary(&entry))))
}

fn answered(word: &str) -> Option<Answered> {
    [Answered::Decision, Answered::Enquiry].into_iter().find(|answered| answered.kind().word() == word)
}

fn summary(entry: &StoredEntry) -> Value {
    let answer = |member: &str| entry.group("answer").and_then(|answer| answer.get(member)).cloned();
    json!({
        "id": entry.id, "kind": entry.kind, "outcome": entry.outcome, "principal": answer("principal"),
        "document": answer("document"), "action": answer("action"), "decided_at": entry.at, "log": entry.position,
    })
}
