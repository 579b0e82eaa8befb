//! `/v1/log/erasures`: what is erased of a record before its time, or refused to be.

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{Shared, body, caller::Authenticated, problem::Problem};
use crate::{domain::retention::ErasureRequest, pap::callers::Errand};

pub async fn record(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::EraseRecords)?;
    let asked: ErasureRequest = body::read(&request, &bytes, &shared, "erasure-request", shared.limits.request)?;
    let idempotency = body::idempotency(&request, &bytes)?;
    let erasure = shared.app.erase(caller, asked, idempotency).await?;
    Ok(HttpResponse::Created().json(erasure.to_json()))
}
