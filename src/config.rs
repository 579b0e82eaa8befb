//! The configuration (contract §9): defaults, then a TOML file, then `PINKPAPER_…` variables, then flags.
//!
//! An unknown key is refused at start, named. Nothing here is a secret: API keys stand as hashes.

mod auth;
mod log;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

pub use self::{
    auth::{Auth, Key, Oidc},
    log::{Log, Witness},
};
use crate::pdp::StatutoryLayer;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: SocketAddr,
    /// How callers reach the service.
    pub public_url: String,
    /// `sqlite://relative.db`, `sqlite:///abs/path.db` or `postgres://…`.
    pub database_url: String,
    /// Which council's rules: `baseline`, `th52`, …
    pub profile: String,
    pub statutory_layer: StatutoryLayer,
    #[serde(default)]
    pub tls: Tls,
    #[serde(default)]
    pub auth: Auth,
    #[serde(default)]
    pub policies: Policies,
    #[serde(default)]
    pub log: Log,
    #[serde(default)]
    pub metrics: Metrics,
    #[serde(default)]
    pub limits: Limits,
}

/// How callers are spoken to: with TLS, or in plain HTTP to whoever ends TLS before the service.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// PEM, the service's certificate first. A new one is taken without a restart.
    pub certificate_file: Option<PathBuf>,
    /// PEM.
    pub key_file: Option<PathBuf>,
    /// Plain HTTP on an address that others can reach: something before the service ends TLS.
    pub plain_http: bool,
}

/// Where the policies come from.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policies {
    /// Left out: those that the program was built with.
    pub directory: Option<PathBuf>,
    /// Whether a change of the directory is taken without being asked for.
    pub watch: bool,
}

impl Default for Policies {
    fn default() -> Self {
        Self { directory: None, watch: true }
    }
}

/// What is told to those who watch the service. Where it is sent is said by the `OTEL_…` variables.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Whether `GET /metrics` is there, for callers with the role `operator`.
    pub prometheus: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest body of one question, document or person, in bytes.
    pub request_bytes: usize,
    /// Largest body of a batch or a whole register, in bytes.
    pub bulk_bytes: usize,
    /// How long the body of a request may take to come, in seconds.
    pub body_seconds: u64,
    /// Requests of one caller a second, over time; each question of a batch counts as one. 0 for no limit.
    pub requests_per_second: u32,
    /// The same, at once.
    pub burst: u32,
    /// Threads that answer requests.
    pub workers: usize,
}

impl Limits {
    fn check(&self) -> Result<(), ConfigError> {
        let needed = [("workers", self.workers == 0), ("body_seconds", self.body_seconds == 0)];
        needed.iter().find(|(_, zero)| *zero).map_or(Ok(()), |(name, _)| Err(ConfigError::Zero(name)))
    }
}

impl Default for Limits {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            request_bytes: 1 << 20,
            bulk_bytes: 16 << 20,
            body_seconds: 30,
            requests_per_second: 200,
            burst: 2000,
            workers,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: "http://127.0.0.1:8080".to_owned(),
            database_url: "sqlite://pinkpaper.db".to_owned(),
            profile: "th52".to_owned(),
            statutory_layer: StatutoryLayer::Enforce,
            tls: Tls::default(),
            auth: Auth::default(),
            policies: Policies::default(),
            log: Log::default(),
            metrics: Metrics::default(),
            limits: Limits::default(),
        }
    }
}

/// What the command line says, above everything else.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Flags {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration file `{0}` cannot be read")]
    NoFile(String),
    #[error("the configuration is refused: {0}")]
    Refused(Box<figment::Error>),
    #[error("`log.witnesses`: `{0}` is not the public key of a witness")]
    Witness(String),
    #[error("`log.name` must not be empty nor hold a space or a `+`")]
    LogName,
    #[error("API key `{0}`: `sha256` must be 64 hexadecimal digits")]
    Hash(String),
    #[error("API key `{0}`: the role `councillor` needs `person`")]
    Person(String),
    #[error("API key `{0}`: keys of one name are of one caller, and must have the same `roles` and `person`")]
    OneName(String),
    #[error("API key `{0}`: its `sha256` stands at another key, too")]
    Repeated(String),
    #[error("`limits.{0}` must not be 0")]
    Zero(&'static str),
    #[error("API key `{0}`: a name must not be empty nor begin like those of callers with a token")]
    KeyName(String),
    #[error("`auth.oidc.issuer` must be an https address")]
    Issuer,
    #[error("`auth.oidc.audience` must not be empty")]
    Audience,
    #[error("`auth.oidc.algorithms` must name at least one, and none that is made with a shared secret")]
    Algorithms,
    #[error("`tls.certificate_file` and `tls.key_file` go together")]
    HalfTls,
    #[error(
        "`listen` is an address that others can reach: set `tls.certificate_file` and `tls.key_file`, or \
         `tls.plain_http = true` where something before the service ends TLS"
    )]
    PlainHttp,
}

impl Config {
    pub fn read(file: Option<&Path>, flags: &Flags) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError::NoFile(file.display().to_string()));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let config: Self = figment
            .merge(Env::prefixed("PINKPAPER_").split("__"))
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|error| ConfigError::Refused(Box::new(error)))?;
        config.check()?;
        Ok(config)
    }

    /// By which checkpoints and receipts are known.
    pub fn log_name(&self) -> String {
        let host = self.public_url.split_once("://").map_or(self.public_url.as_str(), |(_, host)| host);
        self.log.name.clone().unwrap_or_else(|| format!("{}/log", host.trim_end_matches('/')))
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !signed_note::is_key_name_valid(&self.log_name()) {
            return Err(ConfigError::LogName);
        }
        self.log.witnesses()?;
        self.tls.check(self.listen)?;
        self.auth.check()?;
        self.limits.check()
    }
}

impl Tls {
    fn check(&self, listen: SocketAddr) -> Result<(), ConfigError> {
        match (&self.certificate_file, &self.key_file) {
            (Some(_), Some(_)) => Ok(()),
            (None, None) if self.plain_http || listen.ip().is_loopback() => Ok(()),
            (None, None) => Err(ConfigError::PlainHttp),
            _ => Err(ConfigError::HalfTls),
        }
    }

    /// Certificate and key, where there are any.
    pub fn files(&self) -> Option<(&Path, &Path)> {
        self.certificate_file.as_deref().zip(self.key_file.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    pub(super) fn read(text: &str) -> Result<Config, ConfigError> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        Config::read(Some(file.path()), &Flags::default())
    }

    #[test]
    fn an_unknown_key_is_refused_by_name() {
        let error = read("profil = \"th52\"").expect_err("refused").to_string();
        assert!(error.contains("profil"), "{error}");
        let error = read("[auth.oauth]\nissuer = \"x\"").expect_err("refused").to_string();
        assert!(error.contains("oauth"), "{error}");
    }

    #[test]
    fn flags_stand_above_the_file() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(b"profile = \"baseline\"\nlisten = \"127.0.0.1:9000\"").expect("written");
        let flags = Flags { profile: Some("th52".to_owned()), ..Flags::default() };
        let config = Config::read(Some(file.path()), &flags).expect("accepted");
        assert_eq!((config.profile.as_str(), config.listen.port()), ("th52", 9000));
    }

    #[test]
    fn limits_that_would_stop_the_service_are_refused() {
        for name in ["workers", "body_seconds"] {
            assert!(matches!(read(&format!("[limits]\n{name} = 0")), Err(ConfigError::Zero(_))), "{name}");
        }
        assert!(read("[limits]\nrequests_per_second = 0").is_ok());
    }

    #[test]
    fn plain_http_where_others_can_reach_it_must_be_asked_for() {
        let listen = |address: &str, more: &str| read(&format!("listen = \"{address}\"\n{more}"));
        assert!(matches!(listen("0.0.0.0:8080", ""), Err(ConfigError::PlainHttp)));
        assert!(matches!(listen("[::]:8080", ""), Err(ConfigError::PlainHttp)));
        assert!(listen("[::1]:8080", "").is_ok());
        assert!(listen("0.0.0.0:8080", "[tls]\nplain_http = true").is_ok());
        assert!(listen("0.0.0.0:8443", "[tls]\ncertificate_file = \"c.pem\"\nkey_file = \"k.pem\"").is_ok());
        assert!(matches!(listen("0.0.0.0:8443", "[tls]\nkey_file = \"k.pem\""), Err(ConfigError::HalfTls)));
    }

    #[test]
    fn the_example_configuration_is_accepted_and_says_the_defaults() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/config/pinkpaper.toml");
        let example = Config::read(Some(&file), &Flags::default()).expect("accepted");
        let plain = Config { auth: example.auth.clone(), ..Config::default() };
        assert_eq!(serde_json::to_value(&example).expect("JSON"), serde_json::to_value(&plain).expect("JSON"));
    }
}
