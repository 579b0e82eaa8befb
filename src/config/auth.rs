//! Who may call: `[auth]`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Serialize};
use url::Url;

use super::ConfigError;
use crate::{
    auth::issuer,
    domain::{id::Id, words::CallerRole},
};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    #[serde(default)]
    pub api_keys: Vec<Key>,
    /// The council's identity provider, whose access tokens are taken.
    #[serde(default)]
    pub oidc: Option<Oidc>,
}

impl Auth {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if let Some(oidc) = &self.oidc {
            oidc.check()?;
        }
        let mut named: BTreeMap<&str, &Key> = BTreeMap::new();
        let mut hashes: BTreeSet<[u8; 32]> = BTreeSet::new();
        for key in &self.api_keys {
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

impl Key {
    pub fn hash(&self) -> Result<[u8; 32], ConfigError> {
        let mut hash = [0; 32];
        hex::decode_to_slice(&self.sha256, &mut hash).map_err(|_| ConfigError::Hash(self.name.clone()))?;
        Ok(hash)
    }
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

#[cfg(test)]
mod tests {
    use super::{super::tests::read, *};

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
}
