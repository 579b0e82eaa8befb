//! The configuration (contract §9): defaults, then a TOML file, then `PINKPAPER_…` variables, then flags.
//!
//! An unknown key is refused at start, named. Nothing here is a secret: API keys stand as hashes.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    audit::witness::WitnessKey,
    auth::issuer,
    domain::{id::Id, retention::Schedule, words::CallerRole},
    pdp::StatutoryLayer,
    publish,
};

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
    pub log: Log,
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

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    #[serde(default)]
    pub api_keys: Vec<Key>,
    /// The council's identity provider, whose access tokens are taken.
    #[serde(default)]
    pub oidc: Option<Oidc>,
}

/// An API key, sent as `Authorization: Bearer pp_…`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub name: String,
    pub roles: Vec<CallerRole>,
    /// Hexadecimal SHA-256 of the key.
    pub sha256: String,
    /// The person of the register for whom the key speaks; needed for the role `councillor`.
    #[serde(default)]
    pub person: Option<Id>,
    /// From when the key is good; left out: at once.
    #[serde(default)]
    pub not_before: Option<Timestamp>,
    /// From when it is not; left out: never. A successor of the same name may stand beside it until then.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// The issuer as it calls itself; its metadata are below this address.
    pub issuer: String,
    /// What the issuer calls this service.
    pub audience: String,
    /// The claim that lists roles, or the way to it (`realm_access.roles`).
    #[serde(default = "Oidc::roles")]
    pub roles_claim: String,
    /// The claim that is the id of the person of the register for whom the caller speaks.
    #[serde(default = "Oidc::subject")]
    pub person_claim: String,
    /// Which signatures are taken. None is made with a shared secret.
    #[serde(default = "Oidc::algorithms")]
    pub algorithms: Vec<Algorithm>,
}

impl Oidc {
    fn roles() -> String {
        "roles".to_owned()
    }

    fn subject() -> String {
        "sub".to_owned()
    }

    fn algorithms() -> Vec<Algorithm> {
        vec![Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA]
    }

    pub fn settings(&self) -> issuer::Settings {
        let Self { issuer, audience, roles_claim, person_claim, algorithms } = self.clone();
        issuer::Settings { issuer, audience, roles_claim, person_claim, algorithms, times: issuer::Times::default() }
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !Url::parse(&self.issuer).is_ok_and(|address| issuer::is_safe(&address)) {
            return Err(ConfigError::Issuer);
        }
        if self.audience.is_empty() {
            return Err(ConfigError::Audience);
        }
        let shared = |algorithm: &Algorithm| [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512].contains(algorithm);
        if self.algorithms.is_empty() || self.algorithms.iter().any(shared) {
            return Err(ConfigError::Algorithms);
        }
        Ok(())
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// The key that signs receipts; made on first start. Default: beside the database, or `pinkpaper.key`.
    pub key_file: Option<String>,
    /// The key that signs checkpoints, another than that of the receipts; made on first start. Default: beside the
    /// database, or `pinkpaper.checkpoint.key`.
    pub checkpoint_key_file: Option<String>,
    /// Where the newest checkpoint is kept outside the database. The service does not start on a log that does not go
    /// on from it. Default: beside a database in a file; with PostgreSQL none, unless set.
    pub checkpoint_file: Option<String>,
    /// The log's name, by which its checkpoints and receipts are known: fixed by the first start. Default: host and
    /// path of `public_url`, and `/log`.
    pub name: Option<String>,
    /// Seconds between two heartbeats, each of which is signed; 0 for none.
    pub heartbeat_seconds: u64,
    /// Where each signed checkpoint is posted, as `text/plain`.
    pub publish_url: Option<Url>,
    /// Who countersigns checkpoints.
    pub witnesses: Vec<Witness>,
    /// Entries that may wait to be written before callers are turned away.
    pub queue: usize,
    /// How long what is personal in the log is kept.
    pub retention: Schedule,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            key_file: None,
            checkpoint_key_file: None,
            checkpoint_file: None,
            name: None,
            heartbeat_seconds: 60,
            publish_url: None,
            witnesses: Vec::new(),
            queue: 1024,
            retention: Schedule::default(),
        }
    }
}

/// A C2SP witness.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// The address that takes checkpoints, `…/add-checkpoint`.
    pub url: Url,
    /// Its public key, `name+id+base64`, of cosignature type.
    pub key: String,
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
            log: Log::default(),
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

    /// Who countersigns checkpoints.
    pub fn witnesses(&self) -> Result<Vec<publish::Witness>, ConfigError> {
        let of = |witness: &Witness| {
            let key = WitnessKey::parse(&witness.key).ok_or_else(|| ConfigError::Witness(witness.key.clone()))?;
            Ok(publish::Witness::new(witness.url.clone(), key))
        };
        self.log.witnesses.iter().map(of).collect()
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !signed_note::is_key_name_valid(&self.log_name()) {
            return Err(ConfigError::LogName);
        }
        self.witnesses()?;
        self.tls.check(self.listen)?;
        if let Some(oidc) = &self.auth.oidc {
            oidc.check()?;
        }
        self.limits.check()?;
        let mut named: BTreeMap<&str, &Key> = BTreeMap::new();
        let mut hashes: BTreeSet<[u8; 32]> = BTreeSet::new();
        for key in &self.auth.api_keys {
            if !hashes.insert(key.hash()?) {
                return Err(ConfigError::Repeated(key.name.clone()));
            }
            if key.name.is_empty() || key.name.starts_with(issuer::PREFIX) {
                return Err(ConfigError::KeyName(key.name.clone()));
            }
            let first = named.entry(&key.name).or_insert(key);
            if first.roles != key.roles || first.person != key.person {
                return Err(ConfigError::OneName(key.name.clone()));
            }
            if key.roles.contains(&CallerRole::Councillor) && key.person.is_none() {
                return Err(ConfigError::Person(key.name.clone()));
            }
        }
        Ok(())
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

impl Log {
    /// How often the log is signed, where it is.
    pub fn heartbeat(&self) -> Option<Duration> {
        (self.heartbeat_seconds > 0).then(|| Duration::from_secs(self.heartbeat_seconds))
    }
}

impl Key {
    pub fn hash(&self) -> Result<[u8; 32], ConfigError> {
        let mut hash = [0; 32];
        hex::decode_to_slice(&self.sha256, &mut hash).map_err(|_| ConfigError::Hash(self.name.clone()))?;
        Ok(hash)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(text: &str) -> Result<Config, ConfigError> {
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
    fn a_retention_schedule_is_read_class_by_class_and_what_it_does_not_name_keeps_its_default() {
        let shipped = Config::default().log.retention;
        let told = |config: Config| serde_json::to_value(config.log.retention).expect("JSON");
        let mut expected = serde_json::to_value(shipped).expect("JSON");
        expected["allow"] = "18mo".into();
        expected["log_read"] = "0".into();
        expected["after"]["foi"] = "6w".into();
        let config = read("[log.retention]\nallow = \"18mo\"\nlog_read = 0\nafter.foi = \"6w\"").expect("accepted");
        assert_eq!(told(config), expected);
        assert!(shipped.enabled && !read("[log.retention]\nenabled = false").expect("accepted").log.retention.enabled);
    }

    #[test]
    fn a_retention_schedule_that_is_none_is_refused_by_name() {
        for (text, named) in [
            ("[log.retention]\nallows = \"2y\"", "allows"),
            ("[log.retention.after]\nico = \"6w\"", "ico"),
            ("[log.retention]\nallow = \"2 years\"", "log.retention.allow"),
            ("[log.retention]\nother = 6", "log.retention.other"),
        ] {
            let error = read(text).expect_err(text).to_string();
            assert!(error.contains(named), "{error}");
        }
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
    fn a_key_must_be_a_hash_and_a_councillors_key_must_name_the_person() {
        let key = |rest: &str| format!("[[auth.api_keys]]\nname = \"k\"\n{rest}");
        let hash = "ab".repeat(32);
        assert!(matches!(read(&key("roles = [\"pep\"]\nsha256 = \"abc\"")), Err(ConfigError::Hash(_))));
        let councillor = key(&format!("roles = [\"councillor\"]\nsha256 = \"{hash}\""));
        assert!(matches!(read(&councillor), Err(ConfigError::Person(_))));
        assert!(read(&key(&format!("roles = [\"pep\"]\nsha256 = \"{hash}\""))).is_ok());
    }

    #[test]
    fn a_key_may_stand_beside_its_successor_which_is_the_same_caller() {
        let hashed = |byte: &str, rest: &str| {
            format!("[[auth.api_keys]]\nname = \"k\"\nsha256 = \"{}\"\n{rest}\n", byte.repeat(32))
        };
        let key = |rest: &str| hashed("ab", rest);
        let (old, new) = ("expires_at = \"2026-12-01T00:00:00Z\"", "not_before = \"2026-11-01T00:00:00Z\"");
        let both = |old: &str, new: &str| read(&format!("{}{}", key(old), hashed("cd", new)));
        let pep = "roles = [\"pep\"]\n";
        assert!(both(&format!("{pep}{old}"), &format!("{pep}{new}")).is_ok());
        let other = both(&format!("{pep}{old}"), "roles = [\"officer\"]");
        assert!(matches!(other, Err(ConfigError::OneName(_))), "{other:?}");
        let copied = read(&format!("{}{}", key(pep), key(pep).replace("\"k\"", "\"l\"")));
        assert!(matches!(copied, Err(ConfigError::Repeated(_))), "{copied:?}");
        let token = read(&key(pep).replace("\"k\"", "\"oidc:abc\""));
        assert!(matches!(token, Err(ConfigError::KeyName(_))), "{token:?}");
    }

    #[test]
    fn an_issuer_must_be_one_whose_word_cannot_be_changed_on_the_way() {
        let oidc = |issuer: &str, more: &str| {
            read(&format!("[auth.oidc]\nissuer = \"{issuer}\"\naudience = \"pinkpaper\"\n{more}"))
        };
        assert!(oidc("https://login.example/tenant/v2.0", "").is_ok());
        assert!(oidc("http://127.0.0.1:9000", "").is_ok());
        for plain in ["http://login.example/", "http://127.0.0.1.example/", "http://localhost/", "ftp://login.example/"]
        {
            assert!(matches!(oidc(plain, ""), Err(ConfigError::Issuer)), "{plain}");
        }
        for algorithms in ["[]", "[\"HS256\"]", "[\"RS256\", \"HS512\"]"] {
            let told = oidc("https://login.example/", &format!("algorithms = {algorithms}"));
            assert!(matches!(told, Err(ConfigError::Algorithms)), "{algorithms}");
        }
        assert!(oidc("https://login.example/", "algorithms = [\"none\"]").is_err());
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
