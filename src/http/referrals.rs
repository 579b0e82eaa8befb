//! `/v1/referrals`: what waits for a person, and its answer.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use serde::Deserialize;

use super::{
    Shared, body,
    caller::Authenticated,
    page::{Query, told},
    problem::Problem,
};
use crate::{app::referrals::Told, audit::ReferralFilter, domain::id::Id};

pub async fn list(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request)?;
    let page = query.page();
    let status = query.word("status");
    let filter = ReferralFilter {
        status: None,
        to: query.word("to"),
        document: query.id("document"),
        person: query.id("person").map(String::from),
    };
    query.finish()?;
    let page = shared.app.list_referrals(&who.caller, filter, status, page).await?;
    Ok(HttpResponse::Ok().json(told(page, |referral| Told::to_json(&referral))))
}

pub async fn read(who: Authenticated, shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id = Id::try_from(id.into_inner()).map_err(|_| Problem::NotFound)?;
    let told = shared.app.read_referral(&who.caller, &id).await?;
    Ok(HttpResponse::Ok().json(told.to_json()))
}

/// The determination that answers it.
#[derive(Deserialize)]
struct Closing {
    determination: Id,
}

pub async fn close(
    who: Authenticated,
    shared: Data<Shared>,
    id: Path<String>,
    request: HttpRequest,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, Problem> {
    let id = Id::try_from(id.into_inner()).map_err(|_| Problem::NotFound)?;
    let closing: Closing = body::read(&request, &bytes, &shared, "referral-closing", shared.limits.request)?;
    let idempotency = body::idempotency(&request, &bytes)?;
    let told = shared.app.close_referral(&who.caller, &id, &closing.determination, idempotency).await?;
    Ok(HttpResponse::Ok().json(told.to_json()))
}
