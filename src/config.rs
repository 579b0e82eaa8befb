//! The configuration (contract §9): defaults, then a TOML file, then `PINKPAPER_…` variables, then flags.
//!
//! An unknown key is refused at start, named. Nothing here is a secret: API keys stand as hashes.

use std::{net::SocketAddr, path::Path, time::Duration};

use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{
    audit::witness::WitnessKey,
    domain::{id::Id, words::CallerRole},
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
    pub auth: Auth,
    #[serde(default)]
    pub log: Log,
    #[serde(default)]
    pub limits: Limits,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    #[serde(default)]
    pub api_keys: Vec<Key>,
    /// Tokens of the council's identity provider. Read and checked, but no token is accepted by this version: the
    /// service says so when it starts.
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
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    pub issuer: String,
    pub audience: String,
    #[serde(default = "Oidc::roles")]
    pub roles_claim: String,
    #[serde(default = "Oidc::subject")]
    pub person_claim: String,
}

impl Oidc {
    fn roles() -> String {
        "roles".to_owned()
    }

    fn subject() -> String {
        "sub".to_owned()
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
    /// Threads that answer requests.
    pub workers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        Self { request_bytes: 1 << 20, bulk_bytes: 16 << 20, workers }
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
        for key in &self.auth.api_keys {
            key.hash()?;
            if key.roles.contains(&CallerRole::Councillor) && key.person.is_none() {
                return Err(ConfigError::Person(key.name.clone()));
            }
        }
        Ok(())
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
    fn the_example_configuration_is_accepted_and_says_the_defaults() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/config/pinkpaper.toml");
        let example = Config::read(Some(&file), &Flags::default()).expect("accepted");
        let plain = Config { auth: example.auth.clone(), ..Config::default() };
        assert_eq!(serde_json::to_value(&example).expect("JSON"), serde_json::to_value(&plain).expect("JSON"));
    }
}
