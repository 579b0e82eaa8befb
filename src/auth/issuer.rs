//! Access tokens of the council's identity provider (OpenID Connect): discovery, the issuer's keys, and what a token
//! must be.
//!
//! A token is a JWT signed by the issuer (RFC 9068 and the tokens of those who do not follow it). Its algorithm must be on
//! the list of the configuration, which holds no `none` and nothing made with a shared secret; it must be that of the
//! key's kind, and the key's own where the issuer says it. Keys come from the issuer's address only: what a token's header
//! says of keys, but for their id, is not looked at. `iss`, `aud`, `exp` and `sub` must be there; `nbf` is kept to where it
//! is; clocks may differ by [`LEEWAY`].
//!
//! Keys are fetched anew every [`FRESH`] whether anyone asks or not ([`Issuer::keep_fresh`]), and when a token names one not
//! among them, but with at least [`PAUSE`] between: whoever makes up key ids cannot make the service flood the issuer. What is
//! fetched replaces what was there, so a key the issuer withdraws is not taken for longer than [`FRESH`] while the issuer can
//! be reached. A fetch runs by itself: whoever waits for it waits no longer than [`WAIT`], and giving up ends nothing.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use jsonwebtoken::{
    Algorithm, DecodingKey, Header, Validation, decode, decode_header,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use super::Refused;
use crate::{
    app::Caller,
    domain::{id::Id, words::CallerRole},
    outbound,
};

/// After this the issuer's keys are fetched anew.
pub const FRESH: Duration = Duration::from_secs(300);
/// For so long keys are used while the issuer cannot be reached.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// At least this lies between two attempts to fetch them.
pub const PAUSE: Duration = Duration::from_secs(10);
/// For so long a token of an unknown key waits for them.
pub const WAIT: Duration = Duration::from_secs(3);
/// By how much the issuer's clock may differ from ours, in seconds.
pub const LEEWAY: u64 = 30;
/// The longest token that is looked at, in bytes.
const LONGEST_TOKEN: usize = 16 * 1024;
/// The longest metadata and key set that are read, in bytes.
const LONGEST_ANSWER: usize = 256 * 1024;
/// The most keys of an issuer that are kept.
const MOST_KEYS: usize = 100;
/// The longest `sub` (OpenID Connect Core §2).
const LONGEST_SUBJECT: usize = 255;

/// What an access token says it is, if it says anything (RFC 9068 §2.1).
const ACCESS: [&str; 3] = ["jwt", "at+jwt", "application/at+jwt"];
/// Claims by which tokens are known that are not for access: those of a sign-in and of a sign-out.
const NOT_ACCESS: [&str; 2] = ["nonce", "events"];

/// What callers with a token are called in the log, before the issuer and their `sub`.
pub const PREFIX: &str = "oidc:";

/// What the configuration says of the issuer.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Exactly as it calls itself.
    pub issuer: String,
    /// What the issuer calls this service.
    pub audience: String,
    /// Where a token lists roles: the name of a claim, or the way to it through objects, with dots.
    pub roles_claim: String,
    /// Which claim is the id of the register's person for whom the caller speaks.
    pub person_claim: String,
    pub algorithms: Vec<Algorithm>,
    pub times: Times,
}

/// How its keys are kept: [`FRESH`], [`KEPT`], [`PAUSE`] and [`WAIT`].
#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub fresh: Duration,
    pub kept: Duration,
    pub pause: Duration,
    pub wait: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { fresh: FRESH, kept: KEPT, pause: PAUSE, wait: WAIT }
    }
}

/// An identity provider, and its keys as they were last fetched.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    settings: Settings,
    client: Client,
    keys: ArcSwapOption<KeySet>,
    /// When keys were last asked for, to the end. Held while they are asked for.
    attempt: Arc<Mutex<Option<Instant>>>,
}

struct KeySet {
    keys: Vec<Jwk>,
    fetched: Instant,
}

/// Why the issuer's keys are not to be had. Addresses are not repeated.
#[derive(Debug, thiserror::Error)]
enum NoKeys {
    #[error("the issuer's {0} cannot be reached")]
    Unreachable(&'static str),
    #[error("the issuer's {0} are not in form")]
    Form(&'static str),
    #[error("the metadata are of another issuer")]
    OtherIssuer,
    #[error("the issuer's keys are not at an https address")]
    Plain,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: Url,
}

#[derive(Deserialize)]
struct Fetched {
    keys: Vec<Value>,
}

impl Issuer {
    pub fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        let client = outbound::client()?;
        Ok(Self(Arc::new(Inner { settings, client, keys: ArcSwapOption::empty(), attempt: Arc::default() })))
    }

    /// Fetches the keys again and again, for as long as the service runs. That they are not to be had is logged.
    pub async fn keep_fresh(self) {
        let mut again = tokio::time::interval(self.0.settings.times.fresh);
        loop {
            again.tick().await;
            self.0.refresh().await;
        }
    }

    /// The caller a token speaks for.
    pub async fn caller(&self, token: &str) -> Result<Caller, Refused> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refused::Form);
        }
        let header = decode_header(token).map_err(|error| refused(&error))?;
        let typ = header.typ.as_deref().map(str::to_ascii_lowercase);
        if !typ.is_none_or(|typ| ACCESS.contains(&typ.as_str())) {
            return Err(Refused::Form);
        }
        if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
            return Err(Refused::Form);
        }
        if !self.0.settings.algorithms.contains(&header.alg) {
            return Err(Refused::Algorithm);
        }
        let key = self.0.key(&header).await?;
        let claims = decode::<Map<String, Value>>(token, &key, &self.0.validation(header.alg));
        self.0.settings.caller(&claims.map_err(|error| refused(&error))?.claims)
    }
}

impl Inner {
    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY;
        validation.validate_nbf = true;
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_audience(&[&self.settings.audience]);
        validation.set_issuer(&[&self.settings.issuer]);
        validation
    }

    /// The key a token says it is signed with, of those the issuer has now.
    async fn key(self: &Arc<Self>, header: &Header) -> Result<DecodingKey, Refused> {
        if let Some(key) = self.set().and_then(|set| set.find(header)) {
            return key;
        }
        let _given_up = tokio::time::timeout(self.settings.times.wait, self.refresh()).await;
        self.set().ok_or(Refused::NoKeys)?.find(header).unwrap_or(Err(Refused::Key))
    }

    /// The keys, while they may still be used.
    fn set(&self) -> Option<Arc<KeySet>> {
        self.keys.load_full().filter(|set| set.fetched.elapsed() < self.settings.times.kept)
    }

    /// Fetches the keys, unless somebody did a moment ago. Those who come meanwhile wait for the same fetch.
    async fn refresh(self: &Arc<Self>) {
        let mut attempt = Arc::clone(&self.attempt).lock_owned().await;
        if attempt.is_some_and(|last| last.elapsed() < self.settings.times.pause) {
            return;
        }
        let issuer = Arc::clone(self);
        // In a task of its own: a request that is given up must not end it.
        let fetched = tokio::spawn(async move {
            match issuer.fetch().await {
                Ok(keys) => issuer.keys.store(Some(Arc::new(KeySet { keys, fetched: Instant::now() }))),
                Err(error) => tracing::error!(error = %error, "the issuer's keys could not be fetched"),
            }
            *attempt = Some(Instant::now());
        });
        let _done = fetched.await;
    }

    async fn fetch(&self) -> Result<Vec<Jwk>, NoKeys> {
        let address = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
        let address = Url::parse(&address).map_err(|_| NoKeys::Form("metadata"))?;
        let metadata: Metadata = self.get(address, "metadata").await?;
        if metadata.issuer != self.settings.issuer {
            return Err(NoKeys::OtherIssuer);
        }
        if !is_safe(&metadata.jwks_uri) {
            return Err(NoKeys::Plain);
        }
        let Fetched { keys } = self.get(metadata.jwks_uri, "keys").await?;
        // Kinds of keys that are not known are passed over: an issuer may have them for others.
        Ok(keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).filter(signs).take(MOST_KEYS).collect())
    }

    async fn get<T: serde::de::DeserializeOwned>(&self, address: Url, what: &'static str) -> Result<T, NoKeys> {
        let answer = self.client.get(address).send().await.and_then(reqwest::Response::error_for_status);
        let answer = answer.map_err(|_| NoKeys::Unreachable(what))?;
        let text = outbound::text(answer, LONGEST_ANSWER).await.ok_or(NoKeys::Unreachable(what))?;
        serde_json::from_str(&text).map_err(|_| NoKeys::Form(what))
    }
}

impl KeySet {
    /// The key of the id in the header; with none there, the only key there is.
    fn find(&self, header: &Header) -> Option<Result<DecodingKey, Refused>> {
        let named: Vec<&Jwk> = match (&header.kid, self.keys.as_slice()) {
            (Some(id), keys) => keys.iter().filter(|key| key.common.key_id.as_ref() == Some(id)).collect(),
            (None, [only]) => vec![only],
            (None, _) => Vec::new(),
        };
        if named.is_empty() {
            return None;
        }
        let algorithm = KeyAlgorithm::from(header.alg);
        let mut fits =
            named.into_iter().filter(|key| key.common.key_algorithm.is_none_or(|stated| stated == algorithm));
        Some(fits.next().map_or(Err(Refused::Algorithm), |key| DecodingKey::from_jwk(key).map_err(|_| Refused::Key)))
    }
}

/// Whether a key is a public one that signatures are made with.
fn signs(key: &Jwk) -> bool {
    let public = matches!(
        key.algorithm,
        AlgorithmParameters::RSA(_) | AlgorithmParameters::EllipticCurve(_) | AlgorithmParameters::OctetKeyPair(_)
    );
    let stated_use = key.common.public_key_use.as_ref().is_none_or(|stated| *stated == PublicKeyUse::Signature);
    let operations = key.common.key_operations.as_ref();
    public && stated_use && operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify))
}

impl Settings {
    /// Who a good token speaks for. Roles that are none of ours are for other services; without one of ours the caller
    /// may do nothing, and that is for the policies to say.
    pub fn caller(&self, claims: &Map<String, Value>) -> Result<Caller, Refused> {
        // The library takes a list of issuers, too; a token has one.
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Refused::NotForUs);
        }
        if NOT_ACCESS.iter().any(|claim| claims.contains_key(*claim)) {
            return Err(Refused::Form);
        }
        let subject = claims.get("sub").and_then(Value::as_str).filter(|subject| {
            (1..=LONGEST_SUBJECT).contains(&subject.len()) && subject.bytes().all(|byte| byte.is_ascii_graphic())
        });
        let subject = subject.ok_or(Refused::Form)?;
        // A `sub` is somebody only within its issuer.
        let issuer = self.issuer.split_once("://").map_or(self.issuer.as_str(), |(_, name)| name);
        Ok(Caller {
            name: format!("{PREFIX}{issuer}#{subject}"),
            roles: roles(claim(claims, &self.roles_claim)),
            person: claim(claims, &self.person_claim).and_then(person),
            personal: true,
        })
    }
}

/// A claim by its name, or by the way to it.
fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let (first, rest) = name.split_once('.')?;
        claim(claims.get(first)?.as_object()?, rest)
    })
}

/// The id of a person, which may be a number.
fn person(stated: &Value) -> Option<Id> {
    match stated {
        Value::String(id) => Id::try_from(id.as_str()).ok(),
        Value::Number(id) => Id::try_from(id.as_u64()?.to_string()).ok(),
        _ => None,
    }
}

/// Roles as a list, or as words in a text.
fn roles(stated: Option<&Value>) -> Vec<CallerRole> {
    let words: Vec<&str> = match stated {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(words)) => words.split(' ').collect(),
        _ => Vec::new(),
    };
    CallerRole::ALL.iter().copied().filter(|role| words.contains(&role.word())).collect()
}

/// Whether nobody on the way can change what comes from there.
pub fn is_safe(address: &Url) -> bool {
    let on_this_machine = match address.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        _ => false,
    };
    address.scheme() == "https" || (address.scheme() == "http" && on_this_machine)
}

fn refused(error: &jsonwebtoken::errors::Error) -> Refused {
    match error.kind() {
        ErrorKind::InvalidSignature => Refused::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm | ErrorKind::InvalidAlgorithmName => {
            Refused::Algorithm
        }
        ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => Refused::NotForUs,
        ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => Refused::Time,
        _ => Refused::Form,
    }
}
