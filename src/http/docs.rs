//! `/openapi.json` and Swagger UI at `/docs`, from the binary and with no foreign origin.

use actix_web::{HttpResponse, http::header, web::Data};
use serde_json::Value;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::Shared;

/// Ids that the examples of the description use, as this council has them.
#[derive(Clone, Debug, Default)]
pub struct DocsExamples {
    /// A decision on record.
    pub decision: Option<String>,
    /// A determination on record.
    pub determination: Option<String>,
}

/// The ids that stand in `schemas/openapi.json`.
const EXAMPLE_DECISION: &str = "019ab3f0-7c1e-7a52-9d53-2f6b8f0c1a12";
const EXAMPLE_DETERMINATION: &str = "det-0001";

pub async fn openapi(shared: Data<Shared>) -> HttpResponse {
    let mut description = shared.schemas.openapi().clone();
    let real = [
        ("/components/parameters/DecisionId/example", EXAMPLE_DECISION, &shared.examples.decision),
        ("/components/parameters/DeterminationId/example", EXAMPLE_DETERMINATION, &shared.examples.determination),
    ];
    for (place, example, real) in real {
        if let (Some(slot), Some(real)) = (description.pointer_mut(place), real)
            && slot == example
        {
            *slot = Value::String(real.clone());
        }
    }
    HttpResponse::Ok().json(description)
}

pub async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

pub fn swagger_ui() -> SwaggerUi {
    let config = Config::new(["/openapi.json"])
        .try_it_out_enabled(true)
        .persist_authorization(false)
        .display_request_duration(true)
        .default_models_expand_depth(-1)
        .doc_expansion("list");
    SwaggerUi::new("/docs/{_:.*}").config(config)
}
