//! The log as a file that anyone can check: NDJSON, the signed checkpoint first, then one entry to a line.
//!
//! An export holds a run of entries (all of them, or those between two times) and what joins them to the checkpoint:
//! the hashes of the perfect subtrees before and after the run. So a month of a log of a million entries is as provable
//! as the whole. Each line carries its leaf, the receipt of its place, and those groups of its payload that are shown,
//! each with the salt that opens its commitment.
//!
//! The `full` view shows every group that was not erased. The `foi` view shows of a decision its `summary` alone, which
//! is committed to by itself and holds nothing personal, and a pseudonym that lasts for one export; all else is
//! withheld, and the leaves still verify.
//!
//! It does not know how entries are fetched or sent, and checks nothing: what is kept is what is written, so that
//! [`super::verify`] finds what is wrong with it.
//!
//! Worked example: the refusal of Cllr B. One in the `foi` view is
//! `{"index":1234,"leaf":{"kind":"decision","outcome":"deny",…},"payload":{"summary":{"salt":…,"value":{…}}},`
//! `"person":"p-5c0e91fa",…}`.
//!
//! The invariant: [`super::verify`] accepts an export of an untouched log, in either view, whatever was erased.
//!
//! Where next: [`super::verify`].

use std::collections::BTreeMap;

use jiff::Timestamp;
use rand_core::{OsRng, RngCore};
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};

use super::{EntryKind, RawEntry, entry::Leaf};

/// What the first line says it is.
pub const FORMAT: &str = "pinkpaper-log-export/1";

/// The group of a decision that holds nothing personal.
pub const SUMMARY: &str = "summary";

/// How much of the payload is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum View {
    Full,
    Foi,
}

impl View {
    /// Whether a group of an entry of this kind is shown. For release only decisions tell what they say: what was enquired
    /// or listed beforehand gave nobody anything, and is told of by its leaf alone.
    pub fn shows(self, kind: Option<EntryKind>, group: &str) -> bool {
        self == Self::Full || (kind == Some(EntryKind::Decision) && group == SUMMARY)
    }
}

/// The first line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub format: String,
    pub view: View,
    pub exported_at: Timestamp,
    /// The first index, and the one after the last.
    pub from: u64,
    pub to: u64,
    /// How long the log was: the size that the checkpoint signs.
    pub size: u64,
    pub epoch: u64,
    /// Perfect subtrees of all entries before the run, and of all after it, left to right, in hexadecimal.
    pub before: Vec<String>,
    pub after: Vec<String>,
    /// A C2SP signed note.
    pub checkpoint: String,
    /// The public key of the checkpoint.
    pub key: String,
    /// The public key of the receipts, in base64.
    pub receipt_key: String,
    /// The log's name, which receipts are signed for.
    pub log: String,
}

/// An entry.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub index: u64,
    pub epoch: u64,
    /// As it was hashed: canonical JSON.
    pub leaf: Box<RawValue>,
    pub leaf_hash: String,
    pub receipt: String,
    pub payload: BTreeMap<String, Shown>,
    /// Groups that are kept but not shown in this view. What is neither shown nor named here was erased.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<String>,
    /// Who it is about, under a name made up for this export.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

/// A group of the payload with what opens its commitment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    pub salt: String,
    pub value: Box<RawValue>,
}

/// Names made up for the people of one export: the same person has the same name in it, and nobody can go back.
#[derive(Debug)]
pub struct Pseudonyms([u8; 32]);

impl Pseudonyms {
    /// None if there is no randomness.
    pub fn fresh() -> Option<Self> {
        let mut secret = [0; 32];
        OsRng.try_fill_bytes(&mut secret).ok()?;
        Some(Self(secret))
    }

    pub fn of(&self, person: &str) -> String {
        let digest = Sha256::new().chain_update(self.0).chain_update(person).finalize();
        format!("p-{}", hex::encode(digest.get(..8).unwrap_or_default()))
    }
}

/// An entry as a line of an export. A half that is not what it should be is written all the same, as far as JSON can
/// hold it.
pub fn line(raw: &RawEntry, receipt: String, view: View, pseudonyms: &Pseudonyms) -> Line {
    let kind = kind(raw);
    let mut line = Line {
        index: raw.index,
        epoch: raw.epoch,
        leaf: text(&raw.leaf),
        leaf_hash: hex::encode(&raw.leaf_hash),
        receipt,
        payload: BTreeMap::new(),
        withheld: Vec::new(),
        person: None,
    };
    for group in &raw.groups {
        if view.shows(kind, &group.name) {
            let kept = Shown { salt: hex::encode(group.salt), value: text(group.body.as_bytes()) };
            line.payload.insert(group.name.clone(), kept);
        } else {
            line.withheld.push(group.name.clone());
        }
    }
    if view == View::Foi && view.shows(kind, SUMMARY) {
        line.person = principal(raw).map(|person| pseudonyms.of(&person));
    }
    line
}

/// Of which kind the entry is, as its leaf says.
pub fn kind(raw: &RawEntry) -> Option<EntryKind> {
    serde_json::from_slice::<Leaf>(&raw.leaf).ok().map(|leaf| leaf.kind)
}

/// JSON as it is kept; what is no JSON becomes a string, which no hash will fit.
fn text(bytes: &[u8]) -> Box<RawValue> {
    let kept = String::from_utf8_lossy(bytes).into_owned();
    RawValue::from_string(kept.clone())
        .or_else(|_| RawValue::from_string(Value::from(kept).to_string()))
        .unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// The person a decision was asked for, while the request is kept.
pub fn principal(raw: &RawEntry) -> Option<String> {
    let request = raw.groups.iter().find(|group| group.name == "request")?;
    let request: Value = serde_json::from_str(&request.body).ok()?;
    request.pointer("/principal/id").and_then(Value::as_str).map(str::to_owned)
}
