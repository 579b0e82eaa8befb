//! `X-Request-ID` in, the same out; one is made up where none is sent.

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};

const NAME: HeaderName = HeaderName::from_static("x-request-id");

pub async fn keep(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let sent = request.headers().get(&NAME).filter(|value| {
        let bytes = value.as_bytes();
        (1..=200).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    });
    let id = match sent {
        Some(id) => Some(id.clone()),
        None => HeaderValue::from_str(&crate::app::new_id()).ok(),
    };
    let mut response = next.call(request).await?;
    if let Some(id) = id {
        response.headers_mut().insert(NAME, id);
    }
    Ok(response)
}
