//! Checkpoints: the service's signed word for how long the log was, and what its root then was.
//!
//! A checkpoint is a C2SP [signed note](https://c2sp.org/signed-note) whose text is a
//! [tlog-checkpoint](https://c2sp.org/tlog-checkpoint): the log's name (its *origin*), its size, its root. Kept by
//! someone else (a file, an auditor, a witness), it fixes every entry before it: a log that lost or changed one can
//! never again prove that it goes on from there.
//!
//! After a restored backup the log goes on in a new *epoch*, under an origin of its own, because one origin never signs
//! two histories.
//!
//! It does not know the tree, only its root, nor where checkpoints are kept or sent.
//!
//! Worked example: with the refusal of Cllr B. One as entry 1233 the notary signs
//! `papers.exampleton.gov.uk/log`, `1234`, and the root in base64. Anyone with the key line of `GET /v1/log/key` reads
//! it with [`Trusted::read`].
//!
//! The invariant: [`Trusted::read`] gives only what the holder of that key signed for that log.
//!
//! Where next: [`super::export`].

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{SignatureError, VerifyingKey};
use signed_note::{Note, StandardVerifier, Verifier as _, VerifierList};

use super::{entry::Hash, key::Signer};

/// The signature type of Ed25519 in C2SP signed notes.
const ED25519: u8 = 0x01;

/// How long a log was and what stood for its entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub origin: String,
    pub size: u64,
    pub root: Hash,
}

/// Why a checkpoint is not believed.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Disbelieved {
    #[error("it is not a signed checkpoint")]
    Form,
    #[error("it is not signed by this key")]
    Signature,
    #[error("it is not a checkpoint of this log")]
    Origin,
}

/// The name of a log in one of its epochs.
pub fn origin_of(log: &str, epoch: u64) -> String {
    if epoch <= 1 { log.to_owned() } else { format!("{log}/epoch-{epoch}") }
}

impl Checkpoint {
    /// The epoch that its origin names.
    pub fn epoch(&self, log: &str) -> u64 {
        let epoch = self.origin.strip_prefix(log).and_then(|rest| rest.strip_prefix("/epoch-"));
        epoch.and_then(|epoch| epoch.parse().ok()).unwrap_or(1)
    }

    /// The text that is signed.
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64.encode(self.root))
    }

    /// What a note says, whoever signed it. Lines after the third are extensions, and allowed.
    pub fn of(note: &Note) -> Option<Self> {
        let mut lines = std::str::from_utf8(note.text()).ok()?.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let plain = size.parse::<u64>().ok().filter(|number| number.to_string() == size)?;
        let root = BASE64.decode(root).ok()?.try_into().ok()?;
        (!origin.is_empty()).then(|| Self { origin: origin.to_owned(), size: plain, root })
    }
}

/// Signs the checkpoints of one log.
#[derive(Debug)]
pub struct Notary {
    key: Signer,
    log: String,
    id: u32,
}

impl Notary {
    /// `log` is the name of the log, and of the key.
    pub fn new(key: Signer, log: impl Into<String>) -> Self {
        let log = log.into();
        let public = [&[ED25519], key.public_key().as_bytes().as_slice()].concat();
        Self { id: signed_note::key_id(&log, &public), key, log }
    }

    pub fn log(&self) -> &str {
        &self.log
    }

    /// The public key as C2SP writes it: `name+id+base64`.
    pub fn public(&self) -> String {
        signed_note::new_ed25519_verifier_key(&self.log, &self.key.public_key())
    }

    pub fn trusted(&self) -> Trusted {
        Trusted { log: self.log.clone(), line: self.public() }
    }

    /// None only where the log's name cannot be the name of a key: empty, or with a space or a `+`.
    pub fn sign(&self, epoch: u64, size: u64, root: Hash) -> Option<String> {
        let checkpoint = Checkpoint { origin: origin_of(&self.log, epoch), size, root };
        let mut note = Note::new(checkpoint.text().as_bytes(), &[]).ok()?;
        note.add_sigs(&[self]).ok()?;
        String::from_utf8(note.to_bytes()).ok()
    }
}

impl signed_note::Signer for Notary {
    fn name(&self) -> &str {
        &self.log
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignatureError> {
        Ok(self.key.sign(message).to_vec())
    }
}

/// A public key that someone believes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    log: String,
    line: String,
}

impl Trusted {
    /// A key line as [`Notary::public`] gives it.
    pub fn parse(line: &str) -> Option<Self> {
        let line = line.trim();
        let key = StandardVerifier::new(line).ok()?;
        Some(Self { log: key.name().to_owned(), line: line.to_owned() })
    }

    /// The log it is the key of.
    pub fn log(&self) -> &str {
        &self.log
    }

    pub fn line(&self) -> &str {
        &self.line
    }

    /// The checkpoint that a note holds, if this key signed it for this log, in whichever epoch.
    pub fn read(&self, note: &str) -> Result<Checkpoint, Disbelieved> {
        let note = Note::from_bytes(note.as_bytes()).map_err(|_| Disbelieved::Form)?;
        let key = StandardVerifier::new(&self.line).map_err(|_| Disbelieved::Form)?;
        note.verify(&VerifierList::new(vec![Box::new(key)])).map_err(|_| Disbelieved::Signature)?;
        let checkpoint = Checkpoint::of(&note).ok_or(Disbelieved::Form)?;
        let of_an_epoch = checkpoint.origin.strip_prefix(&self.log).is_some_and(|rest| {
            rest.is_empty() || rest.strip_prefix("/epoch-").is_some_and(|epoch| epoch.parse::<u64>().is_ok())
        });
        if of_an_epoch { Ok(checkpoint) } else { Err(Disbelieved::Origin) }
    }
}

/// The key that a receipt is checked with, as the export carries it: base64 of its 32 bytes.
pub fn receipt_key(line: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = BASE64.decode(line.trim()).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "papers.exampleton.gov.uk/log";

    fn notary(log: &str) -> Notary {
        Notary::new(Signer::fleeting().expect("a key"), log)
    }

    #[test]
    fn a_checkpoint_is_read_by_whoever_trusts_its_key() {
        let notary = notary(LOG);
        let note = notary.sign(1, 1234, [7; 32]).expect("signed");
        assert!(note.starts_with("papers.exampleton.gov.uk/log\n1234\nBwcH"), "{note}");
        let trusted = Trusted::parse(&format!("{}\n", notary.public())).expect("a key line");
        assert_eq!(trusted, notary.trusted());
        assert_eq!(trusted.read(&note), Ok(Checkpoint { origin: LOG.to_owned(), size: 1234, root: [7; 32] }));
    }

    #[test]
    fn one_origin_never_stands_for_two_epochs() {
        let notary = notary(LOG);
        let note = notary.sign(3, 9, [7; 32]).expect("signed");
        assert_eq!(notary.trusted().read(&note).expect("read").origin, "papers.exampleton.gov.uk/log/epoch-3");
    }

    #[test]
    fn another_key_another_log_and_changed_words_are_not_believed() {
        let (notary, other) = (notary(LOG), notary(LOG));
        let note = notary.sign(1, 1234, [7; 32]).expect("signed");
        assert_eq!(other.trusted().read(&note), Err(Disbelieved::Signature));
        assert_eq!(notary.trusted().read(&note.replace("1234", "1235")), Err(Disbelieved::Signature));
        assert_eq!(notary.trusted().read("papers"), Err(Disbelieved::Form));
        // Signed by the right key under a name it does not stand for.
        let text = Checkpoint { origin: "elsewhere/log".to_owned(), size: 1, root: [7; 32] }.text();
        let mut stray = Note::new(text.as_bytes(), &[]).expect("a note");
        stray.add_sigs(&[&notary]).expect("signed");
        let stray = String::from_utf8(stray.to_bytes()).expect("text");
        assert_eq!(notary.trusted().read(&stray), Err(Disbelieved::Origin));
    }

    #[test]
    fn numbers_are_written_one_way() {
        let notary = notary(LOG);
        for size in ["01", "+1", "1 ", "", "-1", "18446744073709551616"] {
            let text = format!("{LOG}\n{size}\n{}\n", BASE64.encode([7; 32]));
            let mut note = Note::new(text.as_bytes(), &[]).expect("a note");
            note.add_sigs(&[&notary]).expect("signed");
            let note = String::from_utf8(note.to_bytes()).expect("text");
            assert_eq!(notary.trusted().read(&note), Err(Disbelieved::Form), "{size}");
        }
    }

    #[test]
    fn a_key_line_with_a_changed_letter_is_refused() {
        let line = notary(LOG).public();
        assert!(Trusted::parse(&line.replace("exampleton", "exampletom")).is_none());
        assert!(Trusted::parse("").is_none());
        assert!(Trusted::parse("a+b").is_none());
    }

    #[test]
    fn a_log_whose_name_cannot_name_a_key_signs_nothing() {
        assert_eq!(notary("a log").sign(1, 0, [0; 32]), None);
    }

    /// The checkpoint reader of other people takes ours.
    #[test]
    fn the_text_is_a_checkpoint_to_others() {
        let checkpoint = Checkpoint { origin: LOG.to_owned(), size: 1234, root: [7; 32] };
        let theirs = tlog_tiles::Checkpoint::from_bytes(checkpoint.text().as_bytes()).expect("a checkpoint");
        assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), (LOG, 1234, [7; 32]));
    }
}
