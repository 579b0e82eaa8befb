//! Who calls: a credential in, a [`Caller`] out, and no word of what the caller may do.
//!
//! A credential is an API key of the configuration ([`keys`]) or an access token of the council's identity provider
//! ([`issuer`]). Nothing else says who calls: no header, no member of a body, no address. What a caller may do is policy
//! ([`crate::pap::callers`]). How often is [`rate`].
//!
//! It deliberately knows no HTTP server and keeps no session. Credentials are never logged; of a token that is refused
//! the log says why, in fixed words.
//!
//! Worked example: the Monitoring Officer signs in at the council's Entra ID and her desk sends the token. It is signed
//! with key `k7`, which the service has not seen, so it asks the issuer once for its keys, finds `k7`, and checks
//! signature, issuer, audience and times. Her roles are read from the claim `roles`.
//!
//! The invariant: whatever cannot be checked is refused. With the issuer out of reach its keys go on being used for
//! [`issuer::KEPT`], then no token is good; keys of the configuration are not affected.

use jiff::Timestamp;

use crate::app::Caller;

pub mod issuer;
pub mod keys;
pub mod rate;

pub use issuer::Issuer;
pub use keys::{ApiKey, Keys};

/// Everyone who may call.
#[derive(Default)]
pub struct Callers {
    pub keys: Keys,
    pub issuer: Option<Issuer>,
}

/// Why a credential is not good. The caller is told only whether to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("no key of the configuration and no token of the issuer")]
    Unknown,
    #[error("the token is not in form, or is of a kind that is not taken")]
    Form,
    #[error("the token's algorithm is not taken")]
    Algorithm,
    #[error("the token is signed with a key the issuer does not have")]
    Key,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token is of another issuer or for another audience")]
    NotForUs,
    #[error("the token has ended or has not begun")]
    Time,
    #[error("the issuer's keys cannot be had")]
    NoKeys,
}

impl Callers {
    /// The caller a credential belongs to.
    pub async fn caller(&self, credential: &str, now: Timestamp) -> Result<Caller, Refused> {
        if let Some(caller) = self.keys.caller(credential, now) {
            return Ok(caller.clone());
        }
        match &self.issuer {
            // A key never goes to the parser of tokens, nor a token's parts into a comparison of keys.
            Some(issuer) if !credential.starts_with(keys::PREFIX) => issuer.caller(credential).await,
            _ => Err(Refused::Unknown),
        }
    }
}
