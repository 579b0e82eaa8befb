//! The service over HTTP: the route table, and one file per noun.
//!
//! Only here is actix-web. A request is read strictly ([`body`]): duplicate keys, unknown members and wrong types are
//! told all at once with their JSON Pointers, checked against the same schema files the OpenAPI document is composed
//! from ([`schemas`]). Then it is a type of [`crate::domain`] and raw JSON travels no further.
//!
//! It deliberately decides nothing: which caller may do what is policy ([`crate::pap::callers`]), asked for by every
//! handler through [`caller::Authenticated`]; which status an error has stands in [`problem`].
//!
//! The invariant: a route that is not in the table below does not exist, and who reaches it is a reviewed snapshot
//! (`tests/api/callers.rs`).

use std::{sync::Arc, time::Duration};

use actix_web::{
    HttpResponse,
    http::Method,
    middleware::from_fn,
    web::{self, ServiceConfig},
};

use crate::{
    app::App,
    auth::{Callers, rate::Rate},
    pap::callers::Errand,
    telemetry::export::Numbers,
};

pub mod audience;
pub mod body;
mod caller;
mod decisions;
mod desk;
mod determinations;
mod docs;
mod documents;
mod enquiries;
mod erasures;
pub mod health;
mod holds;
mod log;
mod metrics;
mod observed;
mod page;
mod pages;
mod policies;
pub mod problem;
mod referrals;
mod register;
mod request_id;
pub mod schemas;
mod security;
mod statistics;
pub mod tls;

pub use docs::DocsExamples;

/// How long a caller may take to send the head of a request.
const HEADERS_WITHIN: Duration = Duration::from_secs(5);

/// How large a body may be, in bytes, and how long it may take to come.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub request: usize,
    pub bulk: usize,
    pub body_within: Duration,
}

/// What the handlers share.
pub struct Shared {
    pub app: Arc<App>,
    pub callers: Callers,
    pub rate: Rate,
    pub schemas: schemas::Schemas,
    pub limits: Limits,
    pub examples: DocsExamples,
    /// Whether the service was ready when it was last looked at.
    pub ready: health::Looked,
    /// What `/metrics` tells; `None`: nothing.
    pub numbers: Option<Numbers>,
    /// Whether callers reach the service over TLS, its own or that of whatever stands before it.
    pub https: bool,
}

/// Makes [`ROUTES`] and what mounts it from one table, so that no route is in one of them alone. A path whose pattern
/// differs from how it is described says so: an id may hold a slash.
macro_rules! routes {
    ($(#[$about:meta])* $routes:ident, $mount:ident: $($path:literal $(as $pattern:literal)? { $($method:ident $errand:expr => $handler:path),+ })+) => {
        $(#[$about])*
        pub const $routes: &[(&str, &str, Option<Errand>)] = &[$($((stringify!($method), $path, $errand)),+),+];

        /// Mounts every route. A path is a resource, so that another method is `405` and not `404`.
        fn $mount(config: &mut ServiceConfig) {
            $(
                let resource = web::resource(routes!(@pattern $path $($pattern)?))
                    $(.route(web::method(Method::$method).to($handler)))+;
                let others = || async { problem::Problem::MethodNotAllowed(&[$(stringify!($method)),+]) };
                config.service(resource.default_service(web::to(others)));
            )+
        }
    };
    (@pattern $path:literal) => { $path };
    (@pattern $path:literal $pattern:literal) => { $pattern };
}

routes! {
    /// Every route of the API: method, path, and what a caller must be allowed. `None`: open to all.
    ROUTES, mount:
    "/v1/decisions" { GET Some(Errand::ListDecisions) => decisions::list, POST Some(Errand::Decide) => decisions::decide }
    "/v1/enquiries" { GET Some(Errand::Enquire) => enquiries::read }
    "/v1/audience" { POST Some(Errand::ListAudience) => audience::list }
    "/v1/decisions/batch" { POST Some(Errand::Decide) => decisions::decide_batch }
    "/v1/decisions/{id}" { GET Some(Errand::ReadDecision) => decisions::read }
    "/v1/decisions/{id}/explanation" { GET Some(Errand::ReadDecision) => decisions::explain }
    "/v1/decisions/{id}/statement" { GET Some(Errand::ReadDecision) => decisions::statement }
    "/v1/decisions/{id}/replay" { POST Some(Errand::ReplayDecision) => decisions::replay }
    "/v1/decisions/{id}/proof" { GET Some(Errand::ReadDecision) => log::proof }
    "/v1/log/checkpoint" { GET Some(Errand::CheckLog) => log::checkpoint }
    "/v1/log/consistency" { GET Some(Errand::CheckLog) => log::consistency }
    "/v1/log/key" { GET Some(Errand::CheckLog) => log::key }
    "/v1/log/statistics" { GET Some(Errand::ExportLog) => statistics::read }
    "/v1/log/export" { GET Some(Errand::ExportLog) => log::export }
    "/v1/log/erasures" { POST Some(Errand::EraseRecords) => erasures::record }
    "/v1/referrals" { GET Some(Errand::ReadReferrals) => referrals::list }
    "/v1/referrals/{id}" { GET Some(Errand::ReadReferrals) => referrals::read }
    "/v1/referrals/{id}/close" { POST Some(Errand::CloseReferral) => referrals::close }
    "/v1/determinations" {
        GET Some(Errand::ReadDeterminations) => determinations::list,
        POST Some(Errand::Determine) => determinations::record
    }
    "/v1/determinations/{id}" {
        GET Some(Errand::ReadDeterminations) => determinations::read,
        DELETE Some(Errand::Determine) => determinations::withdraw
    }
    "/v1/register" { GET Some(Errand::ReadRegister) => register::read, PUT Some(Errand::WriteRegister) => register::replace }
    "/v1/register/{collection}" { GET Some(Errand::ReadRegister) => register::list }
    "/v1/register/{collection}/{id}" as "/v1/register/{collection}/{id:.+}" {
        GET Some(Errand::ReadRegister) => register::read_one,
        PUT Some(Errand::WriteRegister) => register::put_one,
        DELETE Some(Errand::WriteRegister) => register::delete_one
    }
    "/v1/documents" { GET Some(Errand::ReadDocuments) => documents::list }
    "/v1/documents/{id}" as "/v1/documents/{id:.+}" {
        GET Some(Errand::ReadDocuments) => documents::read,
        PUT Some(Errand::WriteDocuments) => documents::put,
        DELETE Some(Errand::WriteDocuments) => documents::remove
    }
    "/v1/holds" { GET Some(Errand::ReadHolds) => holds::list, POST Some(Errand::KeepHolds) => holds::place }
    "/v1/holds/{id}" { GET Some(Errand::ReadHolds) => holds::read, DELETE Some(Errand::KeepHolds) => holds::release }
    "/v1/policies" { GET Some(Errand::ReadPolicies) => policies::list }
    "/v1/policies/reload" { POST Some(Errand::ReloadPolicies) => policies::reload }
    "/v1/policies/{id}" { GET Some(Errand::ReadPolicies) => policies::read }
    "/v1/profile" { GET Some(Errand::ReadPolicies) => policies::profile }
    "/metrics" { GET Some(Errand::ReadMetrics) => metrics::read }
    "/livez" { GET None => health::live }
    "/readyz" { GET None => health::ready }
    "/openapi.json" { GET None => docs::openapi }
}

routes! {
    /// The pages of the desk, in the same form.
    DESK, mount_desk:
    "/policies" { GET None => desk::to_the_rule_book }
    "/desk" { GET None => desk::sign_in_page }
    "/desk/style.css" { GET None => desk::style }
    "/desk/session" { POST None => desk::sign_in }
    "/desk/session/end" { POST None => desk::sign_out }
    "/desk/home" { GET Some(Errand::ReadPolicies) => desk::work::home }
    "/desk/enquiries" { GET Some(Errand::Enquire) => desk::work::enquire }
    "/desk/audience" { GET Some(Errand::ListAudience) => desk::work::list_audience }
    "/desk/referrals" { GET Some(Errand::ReadReferrals) => desk::work::referrals }
    "/desk/referrals/{id}" {
        GET Some(Errand::ReadReferrals) => desk::work::referral,
        POST Some(Errand::CloseReferral) => desk::work::answer
    }
    "/desk/policies" { GET Some(Errand::ReadPolicies) => desk::reading::rules }
    "/desk/policies/{id}" { GET Some(Errand::ReadPolicies) => desk::reading::rule }
    "/desk/statistics" { GET Some(Errand::ExportLog) => desk::reading::count }
    "/desk/statistics/table" { GET Some(Errand::ExportLog) => desk::reading::counts }
    "/desk/decisions/table" { GET Some(Errand::ExportLog) => desk::reading::decisions }
}

/// The routes, the pages, and what is told of everything else.
fn configure(config: &mut ServiceConfig) {
    mount(config);
    mount_desk(config);
    config
        .service(web::resource("/docs").route(web::get().to(docs::redirect)))
        .service(docs::swagger_ui())
        .service(web::resource("/").route(web::get().to(docs::redirect)))
        .default_service(web::to(problem::not_found));
}

/// Runs the server until it is told to stop; answers in flight are finished.
pub async fn serve(
    shared: Shared,
    listener: std::net::TcpListener,
    certificate: Option<Arc<tls::Certificate>>,
    workers: usize,
) -> std::io::Result<()> {
    let shared = web::Data::new(shared);
    let encrypted = certificate.is_some();
    let scheme = if encrypted { "https" } else { "http" };
    let server = actix_web::HttpServer::new(move || {
        actix_web::App::new()
            .app_data(shared.clone())
            .app_data(web::PayloadConfig::new(shared.limits.bulk))
            .app_data(web::FormConfig::default().limit(desk::form::LARGEST))
            .wrap(from_fn(caller::authenticate))
            .wrap(from_fn(move |request, next| security::headers(encrypted, request, next)))
            .wrap(from_fn(request_id::keep))
            .wrap(from_fn(move |request, next| observed::observe(scheme, request, next)))
            .configure(configure)
    })
    .workers(workers)
    .client_request_timeout(HEADERS_WITHIN)
    .shutdown_timeout(30);
    let server = match certificate {
        Some(certificate) => {
            let tls = certificate.server().map_err(std::io::Error::other)?;
            actix_web::rt::spawn(certificate.watch(tls::LOOK));
            server.listen_rustls_0_23(listener, tls)?
        }
        None => server.listen(listener)?,
    };
    server.run().await
}

fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}
