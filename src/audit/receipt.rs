//! Receipts: the service's signed word that an entry stands at an index of its log.
//!
//! Between an entry's commit and the first checkpoint that covers it, only the receipt in the caller's hands could
//! show that the entry existed. The signature is Ed25519 over canonical JSON of epoch, index, leaf hash and the log's
//! name (its *origin*), so it is worth nothing for another place or another log.
//!
//! It does not know what the leaf says; nor is this the key that signs checkpoints.
//!
//! Worked example: the refusal of Cllr B. One is entry 1234 of `papers.exampleton.gov.uk/log`. The caller keeps
//! `log.receipt`. Should a restored backup end at entry 1200, [`verify`] still proves that 1234 was promised.
//!
//! The invariant: [`verify`] accepts what [`sign`] made, for its own place in its own log, and nothing else.
//!
//! Where next: [`super::merkle`].

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

use super::key::Signer;
use crate::domain::decision::LogPosition;

/// A receipt that this key did not sign for this place in this log.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the receipt was not signed by this key for this entry")]
pub struct NotGenuine;

/// The same entry always has the same receipt.
pub fn sign(signer: &Signer, origin: &str, epoch: u64, index: u64, leaf_hash: &[u8]) -> String {
    BASE64.encode(signer.sign(message(origin, epoch, index, &hex::encode(leaf_hash)).as_bytes()))
}

/// Whether the receipt of a position was signed by this key, for this log.
pub fn verify(key: &VerifyingKey, origin: &str, position: &LogPosition) -> Result<(), NotGenuine> {
    let signature = BASE64.decode(&position.receipt).map_err(|_| NotGenuine)?;
    let signature = Signature::from_slice(&signature).map_err(|_| NotGenuine)?;
    let message = message(origin, position.epoch, position.index, &position.leaf_hash);
    key.verify_strict(message.as_bytes(), &signature).map_err(|_| NotGenuine)
}

/// The canonical form (RFC 8785) by hand: members in order, integers, and strings as `serde_json` escapes them.
fn message(origin: &str, epoch: u64, index: u64, leaf_hash: &str) -> String {
    let (leaf_hash, origin) = (Value::from(leaf_hash), Value::from(origin));
    format!(r#"{{"epoch":{epoch},"index":{index},"leaf_hash":{leaf_hash},"origin":{origin}}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: &str = "papers.exampleton.gov.uk/log";

    fn position(signer: &Signer) -> LogPosition {
        let leaf_hash = [0xab; 32];
        let receipt = sign(signer, ORIGIN, 1, 1234, &leaf_hash);
        LogPosition { index: 1234, epoch: 1, leaf_hash: hex::encode(leaf_hash), receipt }
    }

    #[test]
    fn a_receipt_is_good_for_its_own_place_log_and_key_only() {
        let signer = Signer::fleeting().expect("a key");
        let key = signer.public_key();
        let good = position(&signer);
        assert_eq!(verify(&key, ORIGIN, &good), Ok(()));
        assert_eq!(verify(&key, "elsewhere", &good), Err(NotGenuine));
        for wrong in [
            LogPosition { index: 1235, ..good.clone() },
            LogPosition { epoch: 2, ..good.clone() },
            LogPosition { leaf_hash: hex::encode([0xac; 32]), ..good.clone() },
            LogPosition { receipt: String::new(), ..good.clone() },
            position(&Signer::fleeting().expect("another key")),
        ] {
            assert_eq!(verify(&key, ORIGIN, &wrong), Err(NotGenuine), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_signed_is_canonical_json() {
        let odd = "a \"log\"\n\u{1}\u{e9}";
        let expected = serde_json::json!({"origin": odd, "leaf_hash": "ab", "index": 2, "epoch": 1});
        let expected = serde_json_canonicalizer::to_string(&expected).expect("canonical");
        assert_eq!(message(odd, 1, 2, "ab"), expected);
    }
}
