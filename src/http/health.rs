//! `/livez` and `/readyz`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{HttpResponse, web::Data};
use serde_json::json;
use tokio::{sync::Mutex, time::timeout};

use super::Shared;
use crate::app::standing::Readiness;

/// For how long one look at the store answers for all: it costs a commit, and anyone may ask.
const ONE_LOOK: Duration = Duration::from_secs(1);
/// A store that takes longer is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// When readiness was last looked at, to the end, and what was found.
pub struct Looked {
    answers_for: Duration,
    last: Arc<Mutex<Option<(Instant, Readiness)>>>,
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
    // A store that says nothing in time says nothing of the others either.
    let nothing = Readiness { store: false, log: false, policies: false };
    let now = timeout(PATIENCE, looked(&shared)).await.unwrap_or(nothing);
    let word = |good: bool| if good { "ok" } else { "unavailable" };
    let body = json!({
        "status": word(now.is_complete()),
        "checks": {
            "store": word(now.store), "log": word(now.log), "policies": word(now.policies), "register": word(now.store),
        },
    });
    if now.is_complete() { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

async fn looked(shared: &Shared) -> Readiness {
    let mut last = Arc::clone(&shared.ready.last).lock_owned().await;
    if let Some((at, found)) = *last
        && at.elapsed() < shared.ready.answers_for
    {
        return found;
    }
    let app = Arc::clone(&shared.app);
    // In a task of its own: whoever goes away meanwhile must not have the next one look again.
    let look = tokio::spawn(async move {
        let found = app.readiness().await;
        *last = Some((Instant::now(), found));
        found
    });
    look.await.unwrap_or(Readiness { store: false, log: false, policies: false })
}
