//! The two halves of an entry: the leaf that stays and the payload that may be erased.
//!
//! The leaf is canonical JSON (RFC 8785) without a word of the payload; each group of the payload is bound to it by
//! a commitment under 32 random salt bytes of its own. Erase value and salt, and the commitment tells nothing; the
//! leaf and its hash (RFC 9162: SHA-256 over `0x00` and the leaf) stay as they were.
//!
//! It does not know where the halves are kept, nor an entry's place in the log: a leaf is the same at any index.
//!
//! Worked example: the refusal of Cllr B. One seals into
//! `{"at":"…","commitments":{"answer":"9f…","request":"41…"},"facts_version":41,"id":"d-1","kind":"decision",…}` and
//! two groups, each with its salt and its canonical text.
//!
//! The invariant: what [`seal`] made, [`unseal`] opens; with any byte of either half changed it does not.
//!
//! Where next: [`super::receipt`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use rand_core::{OsRng, RngCore};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{EntryKind, NewEntry};
use crate::domain::{retention::Erasing, words::Outcome};

/// The version of this form of leaf.
const VERSION: u8 = 1;
const COMMITMENT_DOMAIN: &str = "pinkpaper/commit/v1";
/// RFC 9162 §2.1.1: a leaf can never be taken for an inner node.
const LEAF_PREFIX: u8 = 0x00;

pub type Hash = [u8; 32];
pub type Salt = [u8; 32];

/// What an entry leaves for good. Nothing in it is personal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Leaf {
    pub v: u8,
    pub kind: EntryKind,
    pub id: String,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    pub policy_bundle: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts_version: Option<u64>,
    /// By group, in hex.
    pub commitments: BTreeMap<String, String>,
    /// What an erasure took of other entries: neither an index nor the name of a group is personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Erasing>,
}

/// An entry ready to be kept.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub leaf: Vec<u8>,
    pub leaf_hash: Hash,
    pub groups: Vec<Group>,
}

/// One group of a payload with what opens its commitment.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    pub salt: Salt,
    /// Canonical JSON: what was committed to is what is kept, byte for byte.
    pub body: String,
}

/// Why an entry cannot be sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    #[error("the payload names the group `{0}` twice")]
    RepeatedGroup(&'static str),
    #[error("the entry has no canonical form")]
    NotCanonical(#[source] serde_json::Error),
    #[error("there is no randomness for a salt")]
    NoRandomness,
}

/// A kept half is not what was sealed. Says which, never what it holds.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Altered {
    #[error("the leaf does not have the hash it was kept under")]
    Leaf,
    #[error("the leaf is not one of this service")]
    Form,
    #[error("the payload `{0}` does not open its commitment")]
    Payload(String),
}

impl EntryKind {
    /// As it is written in leaves and columns.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::Determination => "determination",
            Self::Withdrawal => "withdrawal",
            Self::RegisterWrite => "register_write",
            Self::DocumentWrite => "document_write",
            Self::LogRead => "log_read",
            Self::Refusal => "refusal",
            Self::ReferralClosed => "referral_closed",
            Self::Enquiry => "enquiry",
            Self::Audience => "audience",
            Self::PoliciesKept => "policies_kept",
            Self::PoliciesInForce => "policies_in_force",
            Self::Heartbeat => "heartbeat",
            Self::EpochOpened => "epoch_opened",
            Self::Hold => "hold",
            Self::HoldReleased => "hold_released",
            Self::Erasure => "erasure",
            Self::ErasureRefused => "erasure_refused",
        }
    }
}

/// Makes leaf, commitments and leaf hash.
pub fn seal(entry: &NewEntry) -> Result<Sealed, SealError> {
    let mut commitments = BTreeMap::new();
    let mut groups = Vec::with_capacity(entry.payload.len());
    for (name, value) in &entry.payload {
        let body = serde_json_canonicalizer::to_string(value).map_err(SealError::NotCanonical)?;
        let mut salt = Salt::default();
        OsRng.try_fill_bytes(&mut salt).map_err(|_| SealError::NoRandomness)?;
        let commitment = hex::encode(commitment(name, &salt, &body));
        if commitments.insert((*name).to_owned(), commitment).is_some() {
            return Err(SealError::RepeatedGroup(name));
        }
        groups.push(Group { name: (*name).to_owned(), salt, body });
    }
    let leaf = Leaf {
        v: VERSION,
        kind: entry.kind,
        id: entry.id.clone(),
        at: entry.at,
        outcome: entry.outcome,
        policy_bundle: entry.policy_bundle.clone(),
        facts_version: entry.facts_version,
        commitments,
        erased: entry.erased.clone(),
    };
    let leaf = serde_json_canonicalizer::to_vec(&leaf).map_err(SealError::NotCanonical)?;
    Ok(Sealed { leaf_hash: leaf_hash(&leaf), leaf, groups })
}

/// Reads a kept entry back, leaf and payload checked. A group that was erased is simply not among `groups`.
pub fn unseal(leaf: &[u8], hash: &[u8], groups: &[Group]) -> Result<(Leaf, Vec<(String, Value)>), Altered> {
    if leaf_hash(leaf) != hash {
        return Err(Altered::Leaf);
    }
    let leaf: Leaf = serde_json::from_slice(leaf).map_err(|_| Altered::Form)?;
    if leaf.v != VERSION {
        return Err(Altered::Form);
    }
    let mut payload = Vec::with_capacity(groups.len());
    for group in groups {
        let altered = || Altered::Payload(group.name.clone());
        if !opens(&leaf, group) {
            return Err(altered());
        }
        payload.push((group.name.clone(), serde_json::from_str(&group.body).map_err(|_| altered())?));
    }
    Ok((leaf, payload))
}

/// Whether a group is the one the leaf commits to.
pub fn opens(leaf: &Leaf, group: &Group) -> bool {
    leaf.commitments
        .get(&group.name)
        .is_some_and(|kept| *kept == hex::encode(commitment(&group.name, &group.salt, &group.body)))
}

/// `SHA-256(lp(domain) ‖ lp(group) ‖ lp(salt) ‖ lp(canonical value))`.
pub fn commitment(group: &str, salt: &Salt, canonical: &str) -> Hash {
    let mut digest = Sha256::new();
    for part in [COMMITMENT_DOMAIN.as_bytes(), group.as_bytes(), salt, canonical.as_bytes()] {
        // The length before each part: no two lists of parts join into the same bytes.
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// The hash under which a leaf enters an RFC 9162 tree.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([LEAF_PREFIX]).chain_update(leaf).finalize().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refusal() -> NewEntry {
        NewEntry {
            kind: EntryKind::Decision,
            id: "d-1".into(),
            at: "2026-11-22T12:00:00.123456Z".parse().expect("a time"),
            outcome: Some(Outcome::Deny),
            policy_bundle: "sha256:0a".into(),
            facts_version: Some(41),
            payload: vec![
                ("request", json!({"principal": {"type": "person", "id": "b1"}, "document": "edrms:2026/0117"})),
                ("answer", json!({"text": "Ask the Monitoring Officer", "days": 10})),
            ],
            search: None,
            idempotency: None,
            erased: None,
        }
    }

    #[test]
    fn a_sealed_entry_opens_to_what_it_was_made_of() {
        let sealed = seal(&refusal()).expect("sealed");
        let (leaf, payload) = unseal(&sealed.leaf, &sealed.leaf_hash, &sealed.groups).expect("unaltered");
        assert_eq!((leaf.id.as_str(), leaf.at, leaf.facts_version), ("d-1", refusal().at, Some(41)));
        let expected: Vec<_> = refusal().payload.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(payload, expected);
    }

    #[test]
    fn the_leaf_is_canonical_and_holds_no_string_of_the_payload() {
        let sealed = seal(&refusal()).expect("sealed");
        let text = String::from_utf8(sealed.leaf.clone()).expect("text");
        let again: Value = serde_json::from_str(&text).expect("json");
        assert_eq!(serde_json_canonicalizer::to_string(&again).expect("canonical"), text);
        assert!(text.starts_with(r#"{"at":"2026-11-22T12:00:00.123456Z","commitments":{"answer":""#), "{text}");
        for private in ["b1\"", "person", "edrms", "0117", "Monitoring", "principal", "days"] {
            assert!(!text.contains(private), "`{private}` is in {text}");
        }
    }

    #[test]
    fn a_changed_byte_of_the_payload_is_found() {
        let sealed = seal(&refusal()).expect("sealed");
        for (at, group) in sealed.groups.iter().enumerate() {
            for byte in 0..group.body.len() {
                let mut changed = sealed.groups.clone();
                let mut body = group.body.clone().into_bytes();
                body[byte] ^= 1;
                changed[at].body = String::from_utf8(body).expect("still text");
                let found = unseal(&sealed.leaf, &sealed.leaf_hash, &changed);
                assert_eq!(found.map(|_| ()), Err(Altered::Payload(group.name.clone())), "byte {byte}");
            }
        }
    }

    #[test]
    fn a_changed_byte_of_leaf_or_salt_is_found_and_groups_cannot_be_swapped() {
        let sealed = seal(&refusal()).expect("sealed");
        for byte in 0..sealed.leaf.len() {
            let mut leaf = sealed.leaf.clone();
            leaf[byte] ^= 1;
            assert_eq!(unseal(&leaf, &sealed.leaf_hash, &[]).map(|_| ()), Err(Altered::Leaf));
        }
        let mut salted = sealed.groups.clone();
        salted[0].salt[31] ^= 1;
        assert!(unseal(&sealed.leaf, &sealed.leaf_hash, &salted).is_err());
        let mut swapped = sealed.groups.clone();
        (swapped[0].name, swapped[1].name) = (swapped[1].name.clone(), swapped[0].name.clone());
        assert!(unseal(&sealed.leaf, &sealed.leaf_hash, &swapped).is_err());
    }

    #[test]
    fn an_erased_group_leaves_the_rest_open() {
        let sealed = seal(&refusal()).expect("sealed");
        let (_, payload) = unseal(&sealed.leaf, &sealed.leaf_hash, &sealed.groups[1..]).expect("unaltered");
        assert_eq!(payload.len(), 1);
    }

    #[test]
    fn the_same_value_is_committed_to_differently_each_time() {
        let (one, two) = (seal(&refusal()).expect("sealed"), seal(&refusal()).expect("sealed"));
        assert_ne!(one.leaf, two.leaf);
        assert_ne!(one.leaf_hash, two.leaf_hash);
    }

    #[test]
    fn a_kind_is_the_same_word_in_the_leaf_and_in_a_column() {
        for kind in [EntryKind::Decision, EntryKind::RegisterWrite, EntryKind::LogRead, EntryKind::Refusal] {
            assert_eq!(serde_json::to_value(kind).expect("json"), Value::from(kind.word()));
        }
    }

    #[test]
    fn a_group_named_twice_is_refused() {
        let mut entry = refusal();
        entry.payload.push(("answer", Value::Null));
        assert!(matches!(seal(&entry), Err(SealError::RepeatedGroup("answer"))));
    }

    /// Worked out with another implementation (Python's hashlib and struct).
    #[test]
    fn commitment_and_leaf_hash_are_the_published_formulas() {
        assert_eq!(hex::encode(commitment("answer", &[7; 32], r#"{"a":1}"#)), COMMITMENT_OF_PYTHON);
        // RFC 9162: the hash of an empty leaf.
        assert_eq!(hex::encode(leaf_hash(b"")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }

    const COMMITMENT_OF_PYTHON: &str = "1c69a2170e1a79b9532e8f32018bc73d579ec90145b69fe6799a5e1bb0736be6";
}
