//! `/v1/determinations`: what a person or body decided.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path},
};
use serde_json::json;

use super::{
    Shared, body,
    caller::Authenticated,
    no_content,
    page::{Query, told},
    problem::Problem,
};
use crate::{
    domain::{determination::Entered, id::Id},
    pap::callers::Errand,
    pip::DeterminationFilter,
};

pub async fn record(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::Determine)?;
    let entered: Entered = body::read(&request, &bytes, &shared, "determination-request", shared.limits.request)?;
    let idempotency = body::idempotency(&request, &bytes)?;
    let determination = shared.app.determine(caller, entered, idempotency).await?;
    let place = format!("/v1/determinations/{}", determination.id);
    Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).json(determination))
}

pub async fn list(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = who.might(Errand::ReadDeterminations)?;
    let mut query = Query::of(&request)?;
    let page = query.page();
    let filter = DeterminationFilter {
        document: query.id("document"),
        person: query.id("person"),
        kind: query.word("kind"),
        made_by: None,
    };
    query.finish()?;
    let page = shared.app.list_determinations(caller, filter, page).await?;
    Ok(HttpResponse::Ok().json(told(page, |determination| json!(determination))))
}

pub async fn read(who: Authenticated, shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let caller = who.might(Errand::ReadDeterminations)?;
    let id = Id::try_from(id.into_inner()).map_err(|_| Problem::NotFound)?;
    Ok(HttpResponse::Ok().json(shared.app.read_determination(caller, &id).await?))
}

pub async fn withdraw(who: Authenticated, shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::Determine)?;
    let id = Id::try_from(id.into_inner()).map_err(|_| Problem::NotFound)?;
    shared.app.withdraw(caller, id).await?;
    Ok(no_content())
}
