//! Witnesses: others who sign that a log has only grown since they last looked.
//!
//! A witness (another council, internal audit, the external auditor) keeps the newest checkpoint it has seen and
//! countersigns a later one only with proof that it begins with it ([C2SP tlog-witness](https://c2sp.org/tlog-witness),
//! [tlog-cosignature](https://c2sp.org/tlog-cosignature)). With a witness the log cannot show different people different
//! pasts, even with its own key.
//!
//! It sends nothing: [`crate::publish`] does. It does not know the tree.
//!
//! Worked example: the witness last saw 1,200 entries. [`submission`] says `old 1200`, the consistency proof, and the
//! checkpoint of 1,234 entries with the refusal of Cllr B. One; the answer is a line, which [`cosigned`] checks and puts
//! under the checkpoint.
//!
//! The invariant: [`cosigned`] adds nothing that the witness's key did not sign for this very checkpoint.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, VerifyingKey};
use signed_note::Note;

use super::entry::Hash;

/// The signature type of a timestamped Ed25519 cosignature.
const COSIGNATURE: u8 = 0x04;

/// The public key of a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: u32,
    key: VerifyingKey,
}

impl WitnessKey {
    /// A key line `name+id+base64` of cosignature type.
    pub fn parse(line: &str) -> Option<Self> {
        let mut parts = line.trim().splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = BASE64.decode(key).ok()?;
        let (kind, key) = bytes.split_first()?;
        let id = u32::from_str_radix(id, 16).ok().filter(|_| id.len() == 8)?;
        let plain = signed_note::is_key_name_valid(name) && *kind == COSIGNATURE;
        (plain && id == signed_note::key_id(name, &bytes)).then_some(())?;
        Some(Self { name: name.to_owned(), id, key: VerifyingKey::from_bytes(key.try_into().ok()?).ok()? })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// When it signed a note, in seconds since 1970; none if it did not.
    pub fn signed_at(&self, note: &str) -> Option<u64> {
        let lines = note.rsplit_once("\n\n")?.1;
        let note = Note::from_bytes(note.as_bytes()).ok()?;
        let mut signatures = lines.lines().filter_map(|line| signed_note::Signature::from_bytes(line.as_bytes()).ok());
        signatures.find_map(|signature| self.time_of(note.text(), &signature))
    }

    fn time_of(&self, text: &[u8], signature: &signed_note::Signature) -> Option<u64> {
        if signature.name() != self.name || signature.id() != self.id {
            return None;
        }
        let (time, bytes) = signature.signature().split_first_chunk::<8>()?;
        let time = u64::from_be_bytes(*time);
        let message = [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat();
        self.key.verify_strict(&message, &Signature::from_slice(bytes).ok()?).ok()?;
        Some(time)
    }
}

/// What a witness is sent: the size it last saw, the proof from there, the checkpoint.
pub fn submission(old: u64, path: &[Hash], note: &str) -> String {
    let path: String = path.iter().map(|hash| format!("{}\n", BASE64.encode(hash))).collect();
    format!("old {old}\n{path}\n{note}")
}

/// A note with the witness's signature under it; none if its answer holds no signature of that key on that note.
pub fn cosigned(note: &str, answer: &str, key: &WitnessKey) -> Option<String> {
    let parsed = Note::from_bytes(note.as_bytes()).ok()?;
    let mut signatures = answer.lines().filter_map(|line| signed_note::Signature::from_bytes(line.as_bytes()).ok());
    let good = signatures.find(|signature| key.time_of(parsed.text(), signature).is_some())?;
    Some(format!("{note}{}", String::from_utf8(good.to_bytes()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{checkpoint::Notary, key::Signer};

    struct Witness {
        signer: Signer,
        public: Vec<u8>,
    }

    impl Witness {
        fn new() -> Self {
            let signer = Signer::fleeting().expect("a key");
            let public = [&[COSIGNATURE], signer.public_key().as_bytes().as_slice()].concat();
            Self { signer, public }
        }

        fn key(&self) -> String {
            format!(
                "audit.example+{:08x}+{}",
                signed_note::key_id("audit.example", &self.public),
                BASE64.encode(&self.public)
            )
        }

        fn sign(&self, note: &str, time: u64) -> String {
            let text = note.rsplit_once("\n\n").expect("a note").0.to_owned() + "\n";
            let signature = self.signer.sign(format!("cosignature/v1\ntime {time}\n{text}").as_bytes());
            let id = signed_note::key_id("audit.example", &self.public);
            let bytes = [time.to_be_bytes().as_slice(), &signature].concat();
            let line = signed_note::Signature::new("audit.example".to_owned(), id, bytes).expect("a signature");
            String::from_utf8(line.to_bytes()).expect("text")
        }
    }

    #[test]
    fn a_cosignature_stands_under_the_note_and_nothing_else_does() {
        let notary = Notary::new(Signer::fleeting().expect("a key"), "papers.exampleton.gov.uk/log");
        let note = notary.sign(1, 7, [7; 32]).expect("signed");
        let (witness, other) = (Witness::new(), Witness::new());
        let key = WitnessKey::parse(&witness.key()).expect("a key");
        let both = cosigned(&note, &witness.sign(&note, 1_800_000_000), &key).expect("cosigned");
        assert_eq!((key.signed_at(&both), key.signed_at(&note)), (Some(1_800_000_000), None));
        assert_eq!(notary.trusted().read(&both), notary.trusted().read(&note), "still the log's own");
        assert!(cosigned(&note, &other.sign(&note, 1), &key).is_none(), "another key under the same name");
        let later = notary.sign(1, 8, [8; 32]).expect("signed");
        assert!(cosigned(&later, &witness.sign(&note, 1), &key).is_none(), "of another checkpoint");
        assert!(cosigned(&note, "", &key).is_none());
        assert_eq!(key.signed_at(&both.replace("\n7\n", "\n8\n")), None);
    }

    #[test]
    fn a_key_of_another_sort_or_with_a_changed_letter_is_refused() {
        let line = Witness::new().key();
        assert!(WitnessKey::parse(&line.replace("audit", "audjt")).is_none());
        let notary = Notary::new(Signer::fleeting().expect("a key"), "papers.exampleton.gov.uk/log");
        assert!(WitnessKey::parse(&notary.public()).is_none(), "the key of a log is not one of a witness");
        assert!(WitnessKey::parse("").is_none());
    }

    #[test]
    fn a_submission_is_as_the_protocol_writes_it() {
        let told = submission(3, &[[0; 32]], "note");
        assert_eq!(told, "old 3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nnote");
        assert_eq!(submission(0, &[], "note"), "old 0\n\nnote");
    }
}
