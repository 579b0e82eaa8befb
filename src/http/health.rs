//! `/livez` and `/readyz`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{HttpResponse, web::Data};
use serde_json::json;
use tokio::{sync::Mutex, time::timeout};

use super::Shared;

/// For how long one look at the store answers for all: it costs a commit, and anyone may ask.
const ONE_LOOK: Duration = Duration::from_secs(1);
/// A store that takes longer is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// When the store was last looked at, to the end, and whether it was ready.
pub struct Looked {
    answers_for: Duration,
    last: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl Looked {
    /// Whose look answers for so long.
    pub fn answering_for(answers_for: Duration) -> Self {
        Self { answers_for, last: Arc::default() }
    }
}

impl Default for Looked {
    fn default() -> Self {
        Self::answering_for(ONE_LOOK)
    }
}

/// The process answers.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

/// Whether a question could be answered now, and if not, what stands in the way. An empty register is ready.
pub async fn ready(shared: Data<Shared>) -> HttpResponse {
    let store = store_is_ready(&shared).await;
    let sound = shared.app.checkpoints.sound();
    let policies = shared.app.rules().is_ok();
    let word = |good: bool| if good { "ok" } else { "unavailable" };
    let body = json!({
        "status": word(store && sound && policies),
        "checks": {
            "store": word(store), "log": word(store && sound), "policies": word(policies), "register": "ok",
        },
    });
    if store && sound && policies {
        HttpResponse::Ok().json(body)
    } else {
        HttpResponse::ServiceUnavailable().json(body)
    }
}

async fn store_is_ready(shared: &Shared) -> bool {
    let look = async {
        let mut last = Arc::clone(&shared.ready.last).lock_owned().await;
        if let Some((at, ready)) = *last
            && at.elapsed() < shared.ready.answers_for
        {
            return ready;
        }
        let store = Arc::clone(&shared.app.store);
        // In a task of its own: whoever goes away meanwhile must not have the next one look again.
        let looked = tokio::spawn(async move {
            let ready = store.ready().await;
            if let Err(error) = &ready {
                tracing::warn!(error = %error, "not ready");
            }
            *last = Some((Instant::now(), ready.is_ok()));
            ready.is_ok()
        });
        looked.await.unwrap_or(false)
    };
    timeout(PATIENCE, look).await.unwrap_or(false)
}
