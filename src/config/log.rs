//! How the log is kept, signed and shown to others: `[log]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::ConfigError;
use crate::{audit::witness::WitnessKey, domain::retention::Schedule, publish};

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

impl Log {
    /// How often the log is signed, where it is.
    pub fn heartbeat(&self) -> Option<Duration> {
        (self.heartbeat_seconds > 0).then(|| Duration::from_secs(self.heartbeat_seconds))
    }

    /// Who countersigns checkpoints.
    pub fn witnesses(&self) -> Result<Vec<publish::Witness>, ConfigError> {
        let of = |witness: &Witness| {
            let key = WitnessKey::parse(&witness.key).ok_or_else(|| ConfigError::Witness(witness.key.clone()))?;
            Ok(publish::Witness::new(witness.url.clone(), key))
        };
        self.witnesses.iter().map(of).collect()
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

#[cfg(test)]
mod tests {
    use super::super::{Config, tests::read};

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
}
