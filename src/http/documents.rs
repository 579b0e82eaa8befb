//! `/v1/documents`: what is known of each paper, never its content.

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
    domain::{document::Document, id::Id},
    pap::callers::Errand,
    pip::{Change, DocumentFilter},
};

fn id_of(path: Path<String>) -> Result<Id, Problem> {
    Id::try_from(path.into_inner()).map_err(|_| Problem::NotFound)
}

pub async fn list(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    who.may(Errand::ReadDocuments)?;
    let mut query = Query::of(&request)?;
    let page = query.page();
    let filter = DocumentFilter { kind: query.word("kind"), body: query.id("body") };
    query.finish()?;
    let page = shared.app.store.list_documents(&filter, &page).await?;
    Ok(HttpResponse::Ok().json(told(page, |document| json!(document))))
}

pub async fn read(who: Authenticated, shared: Data<Shared>, path: Path<String>) -> Result<HttpResponse, Problem> {
    who.may(Errand::ReadDocuments)?;
    let document = shared.app.store.document(&id_of(path)?).await?.ok_or(Problem::NotFound)?;
    Ok(HttpResponse::Ok().json(document))
}

pub async fn put(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    path: Path<String>,
    body::Body(bytes): body::Body,
) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::WriteDocuments)?;
    let document: Document = body::read(&request, &bytes, &shared, "registered-document", shared.limits.request)?;
    if path.as_str() != document.id.as_str() {
        return Err(Problem::invalid("/id", "must be the id in the address"));
    }
    let written = shared.app.write(caller, Change::PutDocument(Box::new(document.clone())), None).await?;
    let mut response = if written.created { HttpResponse::Created() } else { HttpResponse::Ok() };
    Ok(response.insert_header((header::ETAG, format!("\"{}\"", written.facts_version))).json(document))
}

pub async fn remove(who: Authenticated, shared: Data<Shared>, path: Path<String>) -> Result<HttpResponse, Problem> {
    let caller = who.may(Errand::WriteDocuments)?;
    shared.app.write(caller, Change::DeleteDocument(id_of(path)?), None).await?;
    Ok(no_content())
}
