//! API keys: hashed at rest, compared in constant time. To change one, its successor stands beside it under the same
//! name until it ends.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::app::Caller;

/// How every key begins.
pub const PREFIX: &str = "pp_";

/// A key the service knows.
#[derive(Clone, Debug)]
pub struct ApiKey {
    pub caller: Caller,
    pub sha256: [u8; 32],
    /// From when it is good; left out: at once.
    pub not_before: Option<Timestamp>,
    /// From when it is not; left out: never.
    pub expires_at: Option<Timestamp>,
}

/// Every key.
#[derive(Clone, Debug, Default)]
pub struct Keys(pub Vec<ApiKey>);

impl Keys {
    /// The caller a key belongs to. Every known key is compared, whichever matches.
    pub fn caller(&self, key: &str, now: Timestamp) -> Option<&Caller> {
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let mut found = None;
        for known in &self.0 {
            let live =
                known.not_before.is_none_or(|start| start <= now) && known.expires_at.is_none_or(|end| now < end);
            if bool::from(known.sha256.ct_eq(&hash)) && live {
                found = Some(&known.caller);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::words::CallerRole;

    fn key(text: &str, not_before: Option<&str>, expires_at: Option<&str>) -> ApiKey {
        let at = |text: Option<&str>| text.map(|text| text.parse().expect("a time"));
        ApiKey {
            caller: Caller { name: text.to_owned(), roles: vec![CallerRole::Pep], person: None, personal: false },
            sha256: Sha256::digest(text.as_bytes()).into(),
            not_before: at(not_before),
            expires_at: at(expires_at),
        }
    }

    #[test]
    fn a_key_is_good_between_its_times_only() {
        let (start, end) = ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z");
        let keys = Keys(vec![key("pp_old", None, Some(end)), key("pp_new", Some(start), None)]);
        for (now, old, new) in [
            ("2026-10-31T23:59:59Z", true, false),
            ("2026-11-01T00:00:00Z", true, true),
            ("2026-11-30T23:59:59Z", true, true),
            ("2026-12-01T00:00:00Z", false, true),
        ] {
            let good = |text: &str| keys.caller(text, now.parse().expect("a time")).is_some();
            assert_eq!((good("pp_old"), good("pp_new")), (old, new), "{now}");
        }
        assert!(keys.caller("pp_other", Timestamp::UNIX_EPOCH).is_none());
        assert!(keys.caller("", Timestamp::UNIX_EPOCH).is_none());
    }
}
