//! Each request as a span and among the numbers, by the semantic conventions for HTTP servers, less what could be personal:
//! no path or query (an id of a person or document is in them), no address, no user agent.
//!
//! `traceparent` is honoured: the span belongs to the caller's trace, and so does every line and entry made under it.

use std::time::Instant;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, header::HeaderMap},
    middleware::Next,
};
use opentelemetry::{global, propagation::Extractor, trace::TraceContextExt};
use tracing::{Instrument, Span, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::telemetry::{self, metrics::Active};

struct Sent<'a>(&'a HeaderMap);

impl Extractor for Sent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}

/// Watches a request from its head to the head of its answer.
pub async fn observe<B: MessageBody>(
    scheme: &'static str,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let (began, method) = (Instant::now(), known(request.method()));
    let active = Active::begin(method, scheme);
    let span = span(method, scheme, request.headers());
    let answer = next.call(request).instrument(span.clone()).await;
    let (route, status) = match &answer {
        Ok(response) => (response.request().match_pattern().map(readable), response.status()),
        Err(error) => (None, error.as_response_error().status_code()),
    };
    span.record("http.response.status_code", status.as_u16());
    if let Some(route) = &route {
        // The span has begun, so its name is no longer a field.
        span.context().span().update_name(format!("{method} {route}"));
        span.record("http.route", route);
    }
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", status.as_str());
    }
    active.answered(route, status.as_u16(), began.elapsed());
    answer
}

fn span(method: &'static str, scheme: &'static str, headers: &HeaderMap) -> Span {
    let span = tracing::info_span!(
        "request",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = Empty,
        http.response.status_code = Empty,
        url.scheme = scheme,
        error.r#type = Empty,
        trace_id = Empty,
    );
    let parent = global::get_text_map_propagator(|propagator| propagator.extract(&Sent(headers)));
    // Without a collector's layer there is no trace to belong to.
    let _there_is_none = span.set_parent(parent);
    if let Some(id) = span.in_scope(telemetry::trace_id) {
        span.record("trace_id", id);
    }
    span
}

/// The methods of HTTP by their names; whatever else a stranger sends is not one.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "_OTHER",
    }
}

/// A pattern as the route is described: without what a segment may consist of.
fn readable(pattern: String) -> String {
    pattern.replace(":.+}", "}").replace(":.*}", "}")
}
