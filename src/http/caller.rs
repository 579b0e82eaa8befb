//! Who calls: an API key, hashed at rest, compared in constant time, with its roles.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web::Data};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{Shared, problem::Problem};
use crate::{
    app::Caller,
    pap::callers::{Circumstances, Errand},
};

/// A key the service knows.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub caller: Caller,
    pub sha256: [u8; 32],
    /// Demonstration keys end; configured ones do not.
    pub expires_at: Option<Timestamp>,
}

/// Every key.
#[derive(Clone, Debug, Default)]
pub struct Keys(pub Vec<ApiKey>);

impl Keys {
    /// The caller a key belongs to. Every known key is compared, whichever matches.
    fn caller(&self, key: &str, now: Timestamp) -> Option<&Caller> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let mut found = None;
        for known in &self.0 {
            let live = known.expires_at.is_none_or(|end| now < end);
            if bool::from(known.sha256.ct_eq(&hash)) && live {
                found = Some(&known.caller);
            }
        }
        found
    }
}

/// A caller with good credentials. What it may do is asked with [`Authenticated::may`].
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
}

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(authenticate(request).ok_or(Problem::NotAuthenticated))
    }
}

fn authenticate(request: &HttpRequest) -> Option<Authenticated> {
    let shared = request.app_data::<Data<Shared>>()?;
    let sent = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, key) = sent.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let caller = shared.keys.caller(key.trim(), shared.app.clock.now())?.clone();
    Some(Authenticated { caller, shared: shared.clone() })
}
