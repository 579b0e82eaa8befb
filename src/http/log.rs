//! `/v1/log` and the proof of a decision: what lets others check the log.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Bytes, Data, Path},
};
use futures_util::stream;
use serde_json::json;

use super::{Shared, caller::Authenticated, page::Query, problem::Problem};
use crate::{
    app::{
        evidence::{Only, Wanted},
        export::Format,
    },
    audit::export::View,
    pap::callers::{Circumstances, Errand},
};

const NOTE: &str = "text/plain; charset=utf-8";

/// The newest checkpoint, a C2SP signed note.
pub async fn checkpoint(who: Authenticated, shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    may_check(&who, &shared)?;
    let signed = shared.app.checkpoint().await?;
    Ok(HttpResponse::Ok().content_type(NOTE).body(signed.note))
}

/// The public key of the checkpoints, a line as C2SP writes it.
pub async fn key(who: Authenticated, shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    may_check(&who, &shared)?;
    Ok(HttpResponse::Ok().content_type(NOTE).body(format!("{}\n", shared.app.checkpoints.notary().public())))
}

pub async fn consistency(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    may_check(&who, &shared)?;
    let mut query = Query::of(&request)?;
    let size = |query: &mut Query, name| query.take(name, |text| text.parse::<u64>().ok(), "must be a size of the log");
    let (from, to) = (size(&mut query, "from"), size(&mut query, "to"));
    query.finish()?;
    let missing = |name: &str| Problem::invalid(name, "is missing");
    let (from, to) = (from.ok_or_else(|| missing("from"))?, to.ok_or_else(|| missing("to"))?);
    let proof = shared.app.consistency(from, to).await?;
    let proof = proof.ok_or_else(|| Problem::invalid("to", "must not be below `from`, nor beyond the log's end"))?;
    Ok(HttpResponse::Ok().json(proof))
}

/// That the log holds a decision.
pub async fn proof(who: Authenticated, shared: Data<Shared>, id: Path<String>) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(shared.app.proof(&who.caller, &id).await?))
}

pub async fn export(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut query = Query::of(&request)?;
    let unknown = "is not one of the allowed values";
    let format = query.take("format", format_of, unknown).unwrap_or(Format::Ndjson);
    let view = query.take("view", view_of, unknown).unwrap_or(View::Full);
    let (from, to) = query.days();
    let only = Only { document: query.id("document"), rule: query.rule("rule") };
    if format == Format::Ndjson && !only.is_all() {
        return Err(Problem::invalid(
            "format",
            "must be `csv` with `document` or `rule`: what leaves entries out proves nothing",
        ));
    }
    query.finish()?;
    let wanted = Wanted { view, only, from, to };
    let exporter = shared.app.export(&who.caller, wanted, format).await?;
    let (kind, name) = match format {
        Format::Ndjson => ("application/x-ndjson", "decision-log.ndjson"),
        Format::Csv => ("text/csv; charset=utf-8", "decision-log.csv"),
    };
    let lines = stream::try_unfold((shared, exporter), |(shared, mut exporter)| async move {
        let lines = shared.app.more(&mut exporter).await;
        let lines = lines.inspect_err(|error| tracing::error!(error = %error, "an export broke off"));
        lines.map(|lines| Some((Bytes::from(lines?), (shared, exporter))))
    });
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(Box::pin(lines)))
}

fn may_check(who: &Authenticated, shared: &Shared) -> Result<(), Problem> {
    let allowed = shared.app.allows(&who.caller, Errand::CheckLog, Circumstances::default());
    if allowed { Ok(()) } else { Err(Problem::NotAllowed) }
}

fn format_of(text: &str) -> Option<Format> {
    match text {
        "ndjson" => Some(Format::Ndjson),
        "csv" => Some(Format::Csv),
        _ => None,
    }
}

fn view_of(text: &str) -> Option<View> {
    serde_json::from_value(json!(text)).ok()
}
