//! `/metrics`: the numbers as Prometheus reads them, where the configuration asks for it.

use actix_web::{HttpResponse, web::Data};

use super::{Shared, caller::Authenticated, problem::Problem};
use crate::pap::callers::Errand;

/// The text format's own name.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub async fn read(who: Authenticated, shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    who.may(Errand::ReadMetrics)?;
    let numbers = shared.numbers.as_ref().ok_or(Problem::NotFound)?;
    let text = numbers.text().map_err(|error| {
        tracing::error!(error = %error, "the numbers could not be written");
        Problem::Unavailable
    })?;
    Ok(HttpResponse::Ok().content_type(TEXT).body(text))
}
