//! `/v1/holds`: what must be kept, and for which request, complaint or claim.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path},
};

use super::{
    Shared, body,
    caller::Authenticated,
    no_content,
    page::{Query, told},
    problem::Problem,
};
use crate::{
    app::holds::Hold,
    domain::{hold::Placing, id::Id},
    pap::callers::Errand,
};

pub async fn place(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::KeepHolds)?;
    let placing: Placing = body::read(&request, &bytes, &shared, "hold-request", shared.limits.request)?;
    let idempotency = body::idempotency(&request, &bytes)?;
    let hold = shared.app.place_hold(caller, placing, idempotency).await?;
    let place = format!("/v1/holds/{}", hold.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).json(hold.to_json()))
}

pub async fn list(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::ReadHolds)?;
    let mut query = Query::of(&request)?;
    let page = query.page();
    let status = query.word("status");
    query.finish()?;
    let page = shared.app.list_holds(caller, status, page).await?;
    Ok(HttpResponse::Ok().json(told(page, |hold| Hold::to_json(&hold))))
}

pub async fn read(who: Authenticated, shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::ReadHolds)?;
    let id = Id::try_from(id.into_inner()).map_err(|_| Problem::NotFound)?;
    Ok(HttpResponse::Ok().json(shared.app.read_hold(caller, &id).await?.to_json()))
}

pub async fn release(who: Authenticated, shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::KeepHolds)?;
    let id = Id::try_from(id.into_inner()).map_err(|_| Problem::NotFound)?;
    shared.app.release_hold(caller, id).await?;
    Ok(no_content())
}
