//! The service over HTTP: the route table, and one file per noun.
//!
//! Only here is actix-web. A request is read strictly ([`body`]): duplicate keys, unknown members and wrong types are
//! told all at once with their JSON Pointers, checked against the same schema files the OpenAPI document is composed
//! from ([`schemas`]). Then it is a type of [`crate::domain`] and raw JSON travels no further.
//!
//! It deliberately decides nothing: which caller may do what is policy ([`crate::pap::callers`]), asked for by every
//! handler through [`caller::Authenticated`]; which status an error has stands in [`problem`].
//!
//! The invariant: a route without an errand in [`ROUTES`] does not exist (`tests/api/coverage.rs`).

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    middleware::from_fn,
    web::{self, ServiceConfig, delete, get, post, put},
};

use crate::{app::App, pap::callers::Errand};

mod body;
mod caller;
mod decisions;
mod determinations;
mod docs;
mod documents;
mod erasures;
mod health;
mod holds;
mod log;
mod page;
mod policies;
mod problem;
mod referrals;
mod register;
mod request_id;
pub mod schemas;

pub use caller::{ApiKey, Keys};
pub use docs::DocsExamples;

/// Sizes a body may have, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub request: usize,
    pub bulk: usize,
}

/// What the handlers share.
pub struct Shared {
    pub app: Arc<App>,
    pub keys: Keys,
    pub schemas: schemas::Schemas,
    pub limits: Limits,
    pub examples: DocsExamples,
}

/// Every route: method, path, and what a caller must be allowed. `None`: open to all.
pub const ROUTES: &[(&str, &str, Option<Errand>)] = &[
    ("POST", "/v1/decisions", Some(Errand::Decide)),
    ("POST", "/v1/decisions/batch", Some(Errand::Decide)),
    ("GET", "/v1/decisions", Some(Errand::ListDecisions)),
    ("GET", "/v1/decisions/{id}", Some(Errand::ReadDecision)),
    ("GET", "/v1/decisions/{id}/explanation", Some(Errand::ReadDecision)),
    ("GET", "/v1/decisions/{id}/statement", Some(Errand::ReadDecision)),
    ("POST", "/v1/decisions/{id}/replay", Some(Errand::ReplayDecision)),
    ("GET", "/v1/decisions/{id}/proof", Some(Errand::ReadDecision)),
    ("GET", "/v1/log/checkpoint", Some(Errand::CheckLog)),
    ("GET", "/v1/log/consistency", Some(Errand::CheckLog)),
    ("GET", "/v1/log/key", Some(Errand::CheckLog)),
    ("GET", "/v1/log/export", Some(Errand::ExportLog)),
    ("GET", "/v1/referrals", Some(Errand::ReadReferrals)),
    ("GET", "/v1/referrals/{id}", Some(Errand::ReadReferrals)),
    ("POST", "/v1/referrals/{id}/close", Some(Errand::CloseReferral)),
    ("POST", "/v1/determinations", Some(Errand::Determine)),
    ("GET", "/v1/determinations", Some(Errand::ReadDeterminations)),
    ("GET", "/v1/determinations/{id}", Some(Errand::ReadDeterminations)),
    ("DELETE", "/v1/determinations/{id}", Some(Errand::Determine)),
    ("GET", "/v1/register", Some(Errand::ReadRegister)),
    ("PUT", "/v1/register", Some(Errand::WriteRegister)),
    ("GET", "/v1/register/{collection}", Some(Errand::ReadRegister)),
    ("GET", "/v1/register/{collection}/{id}", Some(Errand::ReadRegister)),
    ("PUT", "/v1/register/{collection}/{id}", Some(Errand::WriteRegister)),
    ("DELETE", "/v1/register/{collection}/{id}", Some(Errand::WriteRegister)),
    ("GET", "/v1/documents", Some(Errand::ReadDocuments)),
    ("GET", "/v1/documents/{id}", Some(Errand::ReadDocuments)),
    ("PUT", "/v1/documents/{id}", Some(Errand::WriteDocuments)),
    ("DELETE", "/v1/documents/{id}", Some(Errand::WriteDocuments)),
    ("POST", "/v1/holds", Some(Errand::KeepHolds)),
    ("GET", "/v1/holds", Some(Errand::ReadHolds)),
    ("GET", "/v1/holds/{id}", Some(Errand::ReadHolds)),
    ("DELETE", "/v1/holds/{id}", Some(Errand::KeepHolds)),
    ("POST", "/v1/log/erasures", Some(Errand::EraseRecords)),
    ("GET", "/v1/policies", Some(Errand::ReadPolicies)),
    ("GET", "/v1/policies/{id}", Some(Errand::ReadPolicies)),
    ("GET", "/v1/profile", Some(Errand::ReadPolicies)),
    ("GET", "/livez", None),
    ("GET", "/readyz", None),
    ("GET", "/openapi.json", None),
];

/// Mounts every route. `web::resource` rather than `App::route`, so that another method is `405` and not `404`.
pub fn routes(config: &mut ServiceConfig) {
    let resource = |path| web::resource(path).default_service(web::to(problem::method_not_allowed));
    config
        .service(
            web::scope("/v1")
                .service(resource("/decisions").route(get().to(decisions::list)).route(post().to(decisions::decide)))
                .service(resource("/decisions/batch").route(post().to(decisions::decide_batch)))
                .service(resource("/decisions/{id}").route(get().to(decisions::read)))
                .service(resource("/decisions/{id}/explanation").route(get().to(decisions::explain)))
                .service(resource("/decisions/{id}/statement").route(get().to(decisions::statement)))
                .service(resource("/decisions/{id}/replay").route(post().to(decisions::replay)))
                .service(resource("/decisions/{id}/proof").route(get().to(log::proof)))
                .service(resource("/log/checkpoint").route(get().to(log::checkpoint)))
                .service(resource("/log/consistency").route(get().to(log::consistency)))
                .service(resource("/log/key").route(get().to(log::key)))
                .service(resource("/log/export").route(get().to(log::export)))
                .service(resource("/referrals").route(get().to(referrals::list)))
                .service(resource("/referrals/{id}").route(get().to(referrals::read)))
                .service(resource("/referrals/{id}/close").route(post().to(referrals::close)))
                .service(
                    resource("/determinations")
                        .route(get().to(determinations::list))
                        .route(post().to(determinations::record)),
                )
                .service(
                    resource("/determinations/{id}")
                        .route(get().to(determinations::read))
                        .route(delete().to(determinations::withdraw)),
                )
                .service(resource("/register").route(get().to(register::read)).route(put().to(register::replace)))
                .service(resource("/register/{collection}").route(get().to(register::list)))
                .service(
                    resource("/register/{collection}/{id:.+}")
                        .route(get().to(register::read_one))
                        .route(put().to(register::put_one))
                        .route(delete().to(register::delete_one)),
                )
                .service(resource("/documents").route(get().to(documents::list)))
                .service(
                    resource("/documents/{id:.+}")
                        .route(get().to(documents::read))
                        .route(put().to(documents::put))
                        .route(delete().to(documents::remove)),
                )
                .service(resource("/holds").route(get().to(holds::list)).route(post().to(holds::place)))
                .service(resource("/holds/{id}").route(get().to(holds::read)).route(delete().to(holds::release)))
                .service(resource("/log/erasures").route(post().to(erasures::record)))
                .service(resource("/policies").route(get().to(policies::list)))
                .service(resource("/policies/{id}").route(get().to(policies::read)))
                .service(resource("/profile").route(get().to(policies::profile))),
        )
        .service(resource("/livez").route(get().to(health::live)))
        .service(resource("/readyz").route(get().to(health::ready)))
        .service(resource("/openapi.json").route(get().to(docs::openapi)))
        .service(web::resource("/docs").route(get().to(docs::redirect)))
        .service(docs::swagger_ui())
        .service(web::resource("/").route(get().to(docs::redirect)))
        .default_service(web::to(problem::not_found));
}

/// Runs the server until it is told to stop; answers in flight are finished.
pub async fn serve(shared: Shared, listener: std::net::TcpListener, workers: usize) -> std::io::Result<()> {
    let shared = web::Data::new(shared);
    actix_web::HttpServer::new(move || {
        actix_web::App::new()
            .app_data(shared.clone())
            .app_data(web::PayloadConfig::new(shared.limits.bulk))
            .wrap(from_fn(request_id::keep))
            .configure(routes)
    })
    .workers(workers)
    .client_request_timeout(std::time::Duration::from_secs(5))
    .shutdown_timeout(30)
    .listen(listener)?
    .run()
    .await
}

fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}
