//! A form of the desk: of a size and within a time, as every body.

use std::pin::Pin;

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::StatusCode,
    web::{self, Data},
};
use serde::de::DeserializeOwned;

use crate::http::{Shared, problem::Problem};

/// Twice five thousand characters, each of four bytes and each byte written as three, and what else a form has.
pub const LARGEST: usize = 128 * 1024;

pub struct Form<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Form<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let form = web::Form::<T>::from_request(request, payload);
        let within = request.app_data::<Data<Shared>>().map(|shared| shared.limits.body_within);
        Box::pin(async move {
            let form = tokio::time::timeout(within.unwrap_or_default(), form);
            form.await.map_err(|_| Problem::TooSlow)?.map(|form| Self(form.into_inner())).map_err(|error| {
                match error.as_response_error().status_code() {
                    StatusCode::PAYLOAD_TOO_LARGE => Problem::TooLarge,
                    _ => Problem::invalid("", "is not this form, filled in"),
                }
            })
        })
    }
}
