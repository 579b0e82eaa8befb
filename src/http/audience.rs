//! `/v1/audience`: for whom a document is, as JSON, as a table, or as a list to print.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use minijinja::context;

use super::{
    Shared, body,
    caller::Authenticated,
    pages::{self, Form},
    problem::Problem,
};
use crate::{
    app::audience::{Asked, Audience},
    pap::callers::Errand,
    spreadsheet::written,
};

pub async fn list(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    body::Body(bytes): body::Body,
) -> HttpResponse {
    let form = pages::wanted(&request);
    let listed = asked(&who, &shared, &request, &bytes).await;
    match (form, listed) {
        (Form::Page, listed) => pages::shown(listed.map(|audience| page(&audience, false)), false),
        (Form::Table, Ok(audience)) => HttpResponse::Ok()
            .content_type("text/csv; charset=utf-8")
            .insert_header((header::VARY, "Accept"))
            .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"audience.csv\""))
            .body(table(&audience)),
        (Form::Json, Ok(audience)) => HttpResponse::Ok().insert_header((header::VARY, "Accept")).json(audience),
        (_, Err(problem)) => actix_web::ResponseError::error_response(&problem),
    }
}

async fn asked(
    who: &Authenticated,
    shared: &Data<Shared>,
    request: &HttpRequest,
    bytes: &actix_web::web::Bytes,
) -> Result<Audience, Problem> {
    who.might(Errand::ListAudience)?;
    let asked: Asked = body::read(request, bytes, shared, "audience-request", shared.limits.request)?;
    list_for(who, shared, &asked).await
}

/// Lists, at the cost of a question for each person.
pub async fn list_for(who: &Authenticated, shared: &Data<Shared>, asked: &Asked) -> Result<Audience, Problem> {
    let snapshot = shared.app.store.snapshot();
    who.charge(snapshot.register.register.as_ref().map_or(0, |register| register.people.len()))?;
    Ok(shared.app.audience(&who.caller, asked).await?)
}

/// The list to print.
pub fn page(audience: &Audience, desk: bool) -> HttpResponse {
    let audience = pages::of(audience);
    pages::page(StatusCode::OK, "audience.html", context! { desk, here => "/desk/home", audience })
}

/// A row for each person.
pub fn table(audience: &Audience) -> String {
    let titles = ["person", "name", "kind", "outcome", "held", "on_stating", "withheld", "rules", "why"];
    let mut rows = written(&titles.map(str::to_owned));
    for listed in &audience.people {
        let withheld: Vec<&str> = listed.withheld.iter().map(|part| part.as_str()).collect();
        rows.push_str(&written(&[
            listed.person.to_string(),
            listed.name.clone(),
            listed.kind.word().to_owned(),
            listed.outcome.word().to_owned(),
            listed.held.to_string(),
            listed.on_stating.map(|ground| ground.word().to_owned()).unwrap_or_default(),
            withheld.join(" "),
            listed.rules.join(" "),
            listed.why.join(" "),
        ]));
    }
    rows
}
