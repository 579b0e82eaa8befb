//! What every answer tells a browser: believe the content type, keep nothing, frame nothing, load from nowhere else.
//!
//! No answer allows another origin (CORS): whoever calls from a browser on another origin goes through a server of theirs.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{self, HeaderName, HeaderValue},
    middleware::Next,
};

/// For data: nothing in it is to be run, shown in a frame or fetched.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";

/// For Swagger UI, which comes from the binary whole. It sets styles on its elements; its icons are in the style sheet.
const PAGES: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// For our own pages: one style sheet, forms to ourselves, no script.
const DESK: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Once spoken to with TLS, a browser does not go back.
const TLS_ONLY: &str = "max-age=31536000";

const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // To nobody else; our own forms must say where they come from.
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Adds the headers to an answer.
pub async fn headers(
    encrypted: bool,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let pages = request.path().starts_with("/docs/");
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let policy = if pages {
        PAGES
    } else if is_page {
        DESK
    } else {
        DATA
    };
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    if !pages {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if encrypted {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TLS_ONLY));
    }
    Ok(response)
}
