//! `/livez` and `/readyz`.

use actix_web::{HttpResponse, web::Data};
use serde_json::json;

use super::Shared;

/// The process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// Whether a question could be answered now, and if not, what stands in the way. An empty register is ready.
pub async fn ready(shared: Data<Shared>) -> HttpResponse {
    let log = shared.app.store.ready().await;
    if let Err(error) = &log {
        tracing::warn!(error = %error, "not ready");
    }
    let sound = shared.app.checkpoints.sound();
    let policies = shared.app.rules().is_ok();
    let word = |good: bool| if good { "ok" } else { "unavailable" };
    let body = json!({
        "status": word(log.is_ok() && sound && policies),
        "checks": {
            "store": word(log.is_ok()), "log": word(log.is_ok() && sound), "policies": word(policies), "register": "ok",
        },
    });
    if log.is_ok() && sound && policies {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}
