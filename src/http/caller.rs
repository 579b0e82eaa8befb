//! Who calls, read from the request: `Authorization: Bearer …`, and nothing else.
//!
//! It is asked before a handler is chosen and before the body is read ([`authenticate`]), so nothing behind it runs for a
//! stranger, nor for a caller who asks too often. A handler takes the [`Authenticated`] that was left for it.

use std::future::{Ready, ready};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web::Data,
};

use super::{Shared, desk, problem::Problem};
use crate::{
    app::Caller,
    auth::Refused,
    pap::callers::{Circumstances, Errand},
};

/// Whether callers must be known here. Elsewhere there is nothing but what anyone may read.
fn is_for_known_callers(path: &str) -> bool {
    path.starts_with("/v1/") || path == "/metrics" || desk::is_behind_the_door(path)
}

/// A caller with good credentials. What it may do is asked with [`Authenticated::may`].
#[derive(Clone)]
pub struct Authenticated {
    pub caller: Caller,
    shared: Data<Shared>,
}

impl Authenticated {
    /// Refuses the caller whose roles do not allow the errand.
    pub fn may(&self, errand: Errand) -> Result<&Caller, Problem> {
        if self.shared.app.allows(&self.caller, errand, Circumstances::default()) {
            Ok(&self.caller)
        } else {
            Err(Problem::NotAllowed)
        }
    }

    /// Refuses the caller whose roles allow the errand in no circumstances: before anything is made of what it sent.
    pub fn might(&self, errand: Errand) -> Result<&Caller, Problem> {
        if self.shared.app.might_allow(&self.caller, errand) { Ok(&self.caller) } else { Err(Problem::NotAllowed) }
    }

    /// Uses up what so many more requests would.
    pub fn charge(&self, cost: usize) -> Result<(), Problem> {
        let cost = u32::try_from(cost).unwrap_or(u32::MAX);
        self.shared.rate.take(&self.caller.name, cost).map_err(Problem::TooMany)
    }
}

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(Problem::NotAuthenticated))
    }
}

/// Answers strangers and those who ask too often; lets the others through, by name.
pub async fn authenticate<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if is_for_known_callers(request.path()) {
        match known(request.request()).await {
            Ok(who) => {
                request.extensions_mut().insert(who);
            }
            // Whoever has not signed in is shown where to.
            Err(Problem::NotAuthenticated) if desk::is_behind_the_door(request.path()) => {
                let door = desk::door(StatusCode::UNAUTHORIZED, Some("Sign in first."));
                return Ok(request.into_response(door).map_into_right_body());
            }
            Err(problem) => return Ok(request.into_response(problem.error_response()).map_into_right_body()),
        }
    }
    Ok(next.call(request).await?.map_into_left_body())
}

async fn known(request: &HttpRequest) -> Result<Authenticated, Problem> {
    let shared = request.app_data::<Data<Shared>>().ok_or(Problem::NotAuthenticated)?;
    let credential = sent(request).ok_or(Problem::NotAuthenticated)?;
    let caller = shared.callers.caller(&credential, shared.app.clock.now()).await.map_err(refused)?;
    let who = Authenticated { caller, shared: shared.clone() };
    who.charge(1)?;
    Ok(who)
}

/// The credential of a request: at the desk the browser's cookie, elsewhere what the caller sent with it.
fn sent(request: &HttpRequest) -> Option<String> {
    if desk::is_behind_the_door(request.path()) {
        return desk::credential(request);
    }
    credential(request).map(str::to_owned)
}

/// The one credential a request was sent with. With several, who calls is not certain.
fn credential(request: &HttpRequest) -> Option<&str> {
    let mut sent = request.headers().get_all(header::AUTHORIZATION);
    let (only, None) = (sent.next()?, sent.next()) else { return None };
    let (scheme, credential) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim())
}

/// What a refused credential is answered with, after it is in the log.
pub fn refused(why: Refused) -> Problem {
    tracing::info!(why = %why, "a credential was refused");
    match why {
        Refused::NoKeys => Problem::Unavailable,
        _ => Problem::NotAuthenticated,
    }
}
