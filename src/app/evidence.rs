//! What the log can prove of itself: checkpoints, proofs, exports.
//!
//! A checkpoint is signed only of a log that goes on from the one signed before it: the last one is kept by the service
//! itself and, outside the database, in a file, and the tree must prove that it begins with it. A database that was
//! rolled back or rewritten is therefore found by the service that would have to sign it.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{App, Caller, history::HistoryError, new_id};
use crate::{
    audit::{
        AppendError, EntryKind, Head, LogReader, NewEntry, StoredEntry, Write,
        checkpoint::{Checkpoint, Disbelieved, Notary, origin_of},
        entry::Hash,
        merkle::{self, Node, Span},
        publish::{CheckpointFile, Unpublished},
    },
    domain::id::Id,
    pap::callers::{Circumstances, Errand},
    pip::{Change, Unreadable},
};

/// Signs and keeps checkpoints.
pub struct Checkpoints {
    notary: Notary,
    file: Option<CheckpointFile>,
    /// The last one signed or found.
    last: Mutex<Option<Signed>>,
    /// When this process last signed, or found the log as it was when it last did.
    signed_at: ArcSwapOption<Timestamp>,
    sound: AtomicBool,
}

/// A checkpoint with its note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    pub checkpoint: Checkpoint,
    pub epoch: u64,
    pub note: String,
}

/// Why no checkpoint is signed.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("the log ends at entry {size}, but a checkpoint of {signed} entries was signed: a backup was restored")]
    Behind { size: u64, signed: u64 },
    #[error("the log's first {signed} entries are not those of the checkpoint signed of them")]
    Forked { signed: u64 },
    #[error("a checkpoint kept outside the database: {0}")]
    Kept(Disbelieved),
    #[error("the log's name cannot be the name of a key")]
    Name,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    Unpublished(#[from] Unpublished),
    #[error("the checkpoint cannot be kept")]
    Unkept(#[source] AppendError),
}

impl CheckpointError {
    /// Whether the log itself is not what was signed.
    pub fn is_of_the_log(&self) -> bool {
        matches!(self, Self::Behind { .. } | Self::Forked { .. } | Self::Kept(_))
    }
}

/// That an entry is in the log as a checkpoint signs it.
#[derive(Clone, Debug, Serialize)]
pub struct Proof {
    pub index: u64,
    pub epoch: u64,
    /// The leaf as it was hashed: canonical JSON.
    pub leaf: String,
    pub leaf_hash: String,
    pub size: u64,
    pub root: String,
    /// Nearest first, in hexadecimal.
    pub path: Vec<String>,
    /// A C2SP signed note.
    pub checkpoint: String,
    pub key: String,
}

/// That a later tree begins with an earlier one.
#[derive(Clone, Debug, Serialize)]
pub struct Consistency {
    pub from: u64,
    pub to: u64,
    pub from_root: String,
    pub to_root: String,
    pub path: Vec<String>,
}

impl Checkpoints {
    pub fn new(notary: Notary, file: Option<CheckpointFile>) -> Self {
        Self { notary, file, last: Mutex::new(None), signed_at: ArcSwapOption::empty(), sound: AtomicBool::new(true) }
    }

    pub fn signed_at(&self) -> Option<Timestamp> {
        self.signed_at.load().as_deref().copied()
    }

    /// Whether the log is what was signed of it, as far as was last seen.
    pub fn sound(&self) -> bool {
        self.sound.load(Ordering::Relaxed)
    }

    /// Until the service is started anew: what was found does not mend itself.
    pub(super) fn unsound(&self) {
        self.sound.store(false, Ordering::Relaxed);
    }

    pub fn notary(&self) -> &Notary {
        &self.notary
    }
}

impl App {
    /// Takes up the last checkpoint that was signed, in the database or outside it, and refuses a log that does not go
    /// on from it. To be called once, before anything is answered.
    pub async fn resume(&self) -> Result<(), CheckpointError> {
        let kept = self.kept(&[]).await?;
        self.resume_from(&kept).await
    }

    /// What was signed last, as far as it is known: by the database, by the file outside it, and by whoever kept some.
    async fn kept(&self, outside: &[String]) -> Result<Vec<Signed>, CheckpointError> {
        let mut notes: Vec<String> = self.store.checkpoint().await?.map(|kept| kept.note).into_iter().collect();
        if let Some(file) = &self.checkpoints.file {
            notes.extend(file.read()?);
        }
        notes.extend_from_slice(outside);
        let (trusted, log) = (self.checkpoints.notary.trusted(), self.checkpoints.notary.log());
        let read = |note: String| {
            let checkpoint = trusted.read(&note).map_err(CheckpointError::Kept)?;
            Ok(Signed { epoch: checkpoint.epoch(log), checkpoint, note })
        };
        notes.into_iter().map(read).collect()
    }

    async fn resume_from(&self, kept: &[Signed]) -> Result<(), CheckpointError> {
        let head = self.store.head().await?;
        let mut last = self.checkpoints.last.lock().await;
        for signed in kept.iter().filter(|signed| signed.epoch >= head.epoch) {
            self.goes_on(&head, &signed.checkpoint).await?;
            if last.as_ref().is_none_or(|last| last.checkpoint.size < signed.checkpoint.size) {
                *last = Some(signed.clone());
            }
        }
        Ok(())
    }

    /// A signed checkpoint of the whole log as it now stands.
    pub async fn checkpoint(&self) -> Result<Signed, CheckpointError> {
        let signed = self.sign().await;
        if signed.is_ok() {
            self.checkpoints.signed_at.store(Some(Arc::new(self.clock.now())));
        }
        if let Err(error) = &signed
            && error.is_of_the_log()
        {
            self.checkpoints.unsound();
        }
        signed
    }

    async fn sign(&self) -> Result<Signed, CheckpointError> {
        let mut last = self.checkpoints.last.lock().await;
        let head = self.store.head().await?;
        let before = last.as_ref().filter(|last| last.epoch == head.epoch);
        if let Some(before) = before {
            if before.checkpoint.size == head.peaks.size() && before.checkpoint.root == head.peaks.root() {
                return Ok(before.clone());
            }
            self.goes_on(&head, &before.checkpoint).await?;
        }
        let (size, root) = (head.peaks.size(), head.peaks.root());
        let notary = &self.checkpoints.notary;
        let note = notary.sign(head.epoch, size, root).ok_or(CheckpointError::Name)?;
        let keep = Change::KeepCheckpoint { epoch: head.epoch, size, note: note.clone() };
        self.store.keep(keep).await.map_err(CheckpointError::Unkept)?;
        if let Some(file) = &self.checkpoints.file {
            file.write(&note)?;
        }
        let checkpoint = Checkpoint { origin: origin_of(notary.log(), head.epoch), size, root };
        Ok(last.insert(Signed { checkpoint, epoch: head.epoch, note }).clone())
    }

    async fn goes_on(&self, head: &Head, from: &Checkpoint) -> Result<(), CheckpointError> {
        let of_this_epoch = from.origin == origin_of(self.checkpoints.notary.log(), head.epoch);
        if !of_this_epoch || from.size > head.peaks.size() {
            return Err(CheckpointError::Behind { size: head.peaks.size(), signed: from.size });
        }
        if goes_on(&*self.store, head, from).await? {
            return Ok(());
        }
        Err(CheckpointError::Forked { signed: from.size })
    }

    /// That a decision is in the log, for whoever may read the decision.
    pub async fn proof(&self, caller: &Caller, id: &str) -> Result<Proof, EvidenceError> {
        let entry = self.find_decision(caller, id).await?;
        self.proof_of(&entry).await
    }

    async fn proof_of(&self, entry: &StoredEntry) -> Result<Proof, EvidenceError> {
        let signed = self.checkpoint().await?;
        let (index, size) = (entry.position.index, signed.checkpoint.size);
        let spans = merkle::inclusion(index, size).ok_or(EvidenceError::Damaged)?;
        let path = self.path(&spans).await?;
        let raw = self.store.raw(index, 1).await?.into_iter().next().ok_or(EvidenceError::Damaged)?;
        let leaf_hash: Hash = raw.leaf_hash.as_slice().try_into().map_err(|_| EvidenceError::Damaged)?;
        // A proof that proves nothing is not handed out.
        if !merkle::verify_inclusion(index, size, &leaf_hash, &path, &signed.checkpoint.root) {
            return Err(EvidenceError::Damaged);
        }
        Ok(Proof {
            index,
            epoch: entry.position.epoch,
            leaf: String::from_utf8(raw.leaf).map_err(|_| EvidenceError::Damaged)?,
            leaf_hash: hex::encode(leaf_hash),
            size,
            root: hex::encode(signed.checkpoint.root),
            path: path.iter().map(hex::encode).collect(),
            checkpoint: signed.note,
            key: self.checkpoints.notary.public(),
        })
    }

    /// That the log of one size begins with that of another. None if it is not that long, or the sizes are reversed.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Option<Consistency>, Unreadable> {
        let Some(path) = self.consistent(from, to).await? else { return Ok(None) };
        Ok(Some(Consistency {
            from,
            to,
            from_root: hex::encode(self.root(from).await?),
            to_root: hex::encode(self.root(to).await?),
            path: path.iter().map(hex::encode).collect(),
        }))
    }

    /// The hashes that show it.
    pub(super) async fn consistent(&self, from: u64, to: u64) -> Result<Option<Vec<Hash>>, Unreadable> {
        let head = self.store.head().await?;
        match merkle::consistency(from, to).filter(|_| to <= head.peaks.size()) {
            Some(spans) => self.path(&spans).await.map(Some),
            None => Ok(None),
        }
    }

    async fn root(&self, size: u64) -> Result<Hash, Unreadable> {
        let hashes = self.store.hashes(&Span(0..size).nodes()).await?;
        Ok(merkle::fold(&hashes).unwrap_or_else(merkle::empty_root))
    }

    async fn path(&self, spans: &[Span]) -> Result<Vec<Hash>, Unreadable> {
        path(&*self.store, spans).await
    }

    /// The hashes of what lies before or after a run of entries.
    pub(super) async fn subtrees(&self, run: Range<u64>) -> Result<Vec<String>, Unreadable> {
        Ok(self.store.hashes(&Span(run).nodes()).await?.iter().map(hex::encode).collect())
    }

    /// Opens a new epoch of a log that does not go on from what was signed, here or in the notes that somebody kept
    /// outside: it has lost entries, and says so. No epoch that was ever signed is opened again, since one origin signs one
    /// history. `None` if nothing is the matter.
    pub async fn open_epoch(&self, reason: &str, outside: &[String]) -> Result<Option<Signed>, CheckpointError> {
        let kept = self.kept(outside).await?;
        let lost = match self.resume_from(&kept).await {
            Ok(()) => return Ok(None),
            Err(error @ (CheckpointError::Behind { .. } | CheckpointError::Forked { .. })) => error,
            Err(error) => return Err(error),
        };
        let last = kept.iter().max_by_key(|signed| (signed.epoch, signed.checkpoint.size));
        let epoch = last.map_or(0, |last| last.epoch).max(self.store.head().await?.epoch) + 1;
        let note = last.map(|last| &last.note);
        let told = json!({"found": lost.to_string(), "last_checkpoint": note, "reason": reason});
        let entry = self.of_the_service(EntryKind::EpochOpened, told);
        let write = Write { change: Change::OpenEpoch { epoch }, if_version: None };
        self.store.write(write, entry).await.map_err(CheckpointError::Unkept)?;
        *self.checkpoints.last.lock().await = None;
        self.checkpoint().await.map(Some)
    }

    /// Puts a checkpoint with the signatures of its witnesses in the place of the bare one.
    pub(super) async fn keep_outside(&self, signed: &Signed, cosigned: String) -> Result<(), CheckpointError> {
        let mut last = self.checkpoints.last.lock().await;
        // One signed meanwhile covers more.
        let Some(last) = last.as_mut().filter(|last| last.checkpoint == signed.checkpoint) else { return Ok(()) };
        if cosigned != last.note {
            if let Some(file) = &self.checkpoints.file {
                file.write(&cosigned)?;
            }
            last.note = cosigned;
        }
        Ok(())
    }

    pub(super) fn of_the_service(&self, kind: EntryKind, act: Value) -> NewEntry {
        NewEntry {
            kind,
            id: new_id(),
            at: self.clock.now(),
            outcome: None,
            policy_bundle: self.policies.load().hash.clone(),
            facts_version: None,
            payload: vec![("act", act)],
            search: None,
            idempotency: None,
            erased: None,
        }
    }

    /// Whether the log may be read as a whole.
    pub(super) async fn reads_the_log(&self, caller: &Caller, what: Value) -> Result<(), HistoryError> {
        if !self.allows(caller, Errand::ExportLog, Circumstances::default()) {
            return Err(HistoryError::NotAllowed);
        }
        self.log_read(caller, what).await
    }
}

/// Whether the log as it stands begins with the entries of a checkpoint.
pub async fn goes_on(log: &(impl LogReader + ?Sized), head: &Head, from: &Checkpoint) -> Result<bool, Unreadable> {
    let size = head.peaks.size();
    let Some(spans) = merkle::consistency(from.size, size) else { return Ok(false) };
    let path = path(log, &spans).await?;
    Ok(merkle::verify_consistency(from.size, &from.root, size, &head.peaks.root(), &path))
}

/// The hash of each span.
async fn path(log: &(impl LogReader + ?Sized), spans: &[Span]) -> Result<Vec<Hash>, Unreadable> {
    let nodes: Vec<Vec<Node>> = spans.iter().map(Span::nodes).collect();
    let mut hashes = log.hashes(&nodes.concat()).await?.into_iter();
    let fold = |of: &Vec<Node>| merkle::fold(&hashes.by_ref().take(of.len()).collect::<Vec<_>>());
    Ok(nodes.iter().filter_map(fold).collect())
}

/// Why there is no evidence.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("there is no randomness")]
    NoRandomness,
    #[error("the tree does not hold the entry")]
    Damaged,
}

/// What to export.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub view: crate::audit::export::View,
    /// Inclusive.
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
    /// Decisions of one thing alone: of a table only, since what leaves entries out proves nothing.
    pub only: Only,
}

/// What a decision must be about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Only {
    pub document: Option<Id>,
    /// Decided or referred by this rule.
    pub rule: Option<String>,
}

impl Only {
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether what may be released of a decision (its `summary`) is about it.
    pub fn holds(&self, summary: &Value) -> bool {
        let document = self.document.as_ref().is_none_or(|wanted| summary["document"] == wanted.as_str());
        let rules = summary["rules"].as_array();
        let rule = self.rule.as_ref().is_none_or(|wanted| rules.is_some_and(|all| all.iter().any(|one| one == wanted)));
        document && rule
    }
}
