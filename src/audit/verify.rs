//! Checks an export, offline, and says what is wrong with it.
//!
//! One pass from first line to last with the tree's peaks in hand: every leaf is hashed, every shown group opened,
//! every index counted, every receipt checked, every group that is not there looked for in the erasures
//! ([`super::accounted`]), and at the end the root must be the one that the checkpoint signs. The root alone proves the
//! entries; the receipts tell which entry it was, and what was done to it, when it does not fit.
//!
//! It knows no database and no network. Whom to believe is the reader's: the key they kept, and any earlier checkpoints
//! they kept, which tell a log that forgot (a restored backup) from one that shows different people different pasts (a
//! split view). A log that says itself what it forgot (a new epoch) is believed only by a reader who says so: whoever
//! holds its key can say it of anything.
//!
//! Worked example: in the export of a month somebody writes `allow` for the refusal of Cllr B. One, and hashes the line
//! again. The root no longer fits; the receipt of entry 1234 does not sign that hash: `altered leaf: entry 1234`.
//!
//! What nothing signs is not proved: when the export was made, and the names made up for the people in it.
//!
//! The invariant: no changed, missing, moved or added byte of leaf, place, receipt or payload is verified, but for payload
//! that an act on record erased. (Of a part of the log the act may come after the part: that is told.)
//!
//! Where next: `src/cli/log.rs`.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, BufRead, Read},
};

use ed25519_dalek::VerifyingKey;

use super::{
    EntryKind,
    accounted::Missing,
    checkpoint::{self, Checkpoint, Trusted},
    entry::{self, Group, Hash, Leaf},
    export::{FORMAT, Header, Line, View},
    merkle::{Peaks, Span},
    receipt,
    witness::WitnessKey,
};
use crate::domain::decision::LogPosition;

/// The longest line read: an entry with all its facts is some hundred kilobytes.
const LONGEST_LINE: u64 = 64 << 20;
/// How far around its place the receipt of an entry is tried.
const NEIGHBOURHOOD: u64 = 512;

/// What the reader believes, besides arithmetic.
#[derive(Debug, Default)]
pub struct Trust {
    /// The log's key, had from somewhere else than the export.
    pub key: Option<Trusted>,
    /// Checkpoints kept from earlier.
    pub checkpoints: Vec<String>,
    /// Who must have countersigned the checkpoint.
    pub witnesses: Vec<WitnessKey>,
    /// Whether the log may say that entries which a kept checkpoint signs were lost, and go on in another epoch.
    pub accepts_loss: bool,
}

/// What was found to be in order.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    pub view: View,
    pub entries: u64,
    pub from: u64,
    pub to: u64,
    /// How long the log was when the checkpoint was signed.
    pub size: u64,
    pub epoch: u64,
    /// Groups of payload that were opened, withheld by the view, and erased.
    pub shown: u64,
    pub withheld: u64,
    pub erased: u64,
    /// Of those erased, how many the acts in this part of the log do not name: a later part must.
    pub erased_later: u64,
    pub key_trusted: bool,
    /// Earlier checkpoints that this log goes on from.
    pub checkpoints: usize,
    /// Earlier checkpoints of an epoch that was given up, which sign entries that were lost with it.
    pub given_up: usize,
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "verified: {} entries", self.entries)?;
        if !self.key_trusted {
            f.write_str(", trusted key not given")?;
        }
        match (self.erased, self.erased_later) {
            (0, _) => {}
            (erased, 0) => write!(f, "\nerased: {erased} groups of payload, by acts on record")?,
            (erased, later) => write!(
                f,
                "\nerased: {erased} groups of payload, {later} of them by no act in this part of the log; a later part must name it"
            )?,
        }
        if self.given_up > 0 {
            write!(
                f,
                "\ngiven up: {} of the kept checkpoints, which sign entries that the log says were lost",
                self.given_up
            )?;
        }
        Ok(())
    }
}

/// What is wrong. The words before the colon are the verdict.
#[derive(Debug, thiserror::Error)]
pub enum Verdict {
    #[error("unreadable: the file cannot be read")]
    Unreadable(#[source] io::Error),
    #[error("not an export: {0}")]
    NotAnExport(&'static str),
    #[error("malformed: line {line} is not an entry")]
    Malformed { line: u64 },
    #[error("swapped key: the checkpoint is signed with another key than the trusted one")]
    SwappedKey,
    #[error("false checkpoint: {0}")]
    Checkpoint(checkpoint::Disbelieved),
    #[error("not witnessed: `{0}` has not countersigned the checkpoint")]
    NotWitnessed(String),
    #[error("altered leaf: entry {index}")]
    AlteredLeaf { index: u64 },
    #[error("altered receipt: entry {index}")]
    AlteredReceipt { index: u64 },
    #[error("altered payload: entry {index}, group `{group}`")]
    AlteredPayload { index: u64, group: String },
    #[error("missing payload: entry {index}, group `{group}`, which no act erased")]
    MissingPayload { index: u64, group: String },
    #[error("deleted middle: entries {from} to {to} are missing")]
    DeletedMiddle { from: u64, to: u64 },
    #[error("deleted tail: the entries end before {found}, the checkpoint signs that they go on to {promised}")]
    DeletedTail { found: u64, promised: u64 },
    #[error("added: there are more entries than the {promised} that the checkpoint signs")]
    Added { promised: u64 },
    #[error("reordered: entry {index} does not stand in its place")]
    Reordered { index: u64 },
    #[error("renumbered: the entry at {index} was recorded as entry {recorded}")]
    Renumbered { index: u64, recorded: u64 },
    #[error("epoch changed: entry {index} is in another epoch than what is before or after it")]
    Epoch { index: u64 },
    #[error("given up: the log says that epoch {epoch} ended at {at}, a kept checkpoint signs {kept} entries of it")]
    GivenUp { epoch: u64, at: u64, kept: u64 },
    #[error("restored backup: the log ends at {size}, a kept checkpoint signs {kept} entries")]
    RestoredBackup { size: u64, kept: u64 },
    #[error("split view: the first {kept} entries are not those that a kept checkpoint signs")]
    SplitView { kept: u64 },
    #[error("root mismatch: the entries are not those that the checkpoint signs")]
    Root,
}

/// Reads an export from its beginning to its end. `progress` is told after each entry how many were read.
pub fn verify(export: impl BufRead, trust: &Trust, mut progress: impl FnMut(u64)) -> Result<Verified, Verdict> {
    let mut lines = Lines { from: export, number: 0, line: Vec::new() };
    let header = lines.header()?;
    let key = Trusted::parse(&header.key).ok_or(Verdict::NotAnExport("its key is not a key"))?;
    if trust.key.as_ref().is_some_and(|trusted| *trusted != key) {
        return Err(Verdict::SwappedKey);
    }
    let signed = key.read(&header.checkpoint).map_err(Verdict::Checkpoint)?;
    if let Some(missing) = trust.witnesses.iter().find(|witness| witness.signed_at(&header.checkpoint).is_none()) {
        return Err(Verdict::NotWitnessed(missing.name().to_owned()));
    }
    let kept = earlier(trust, &key)?;
    let pass = Pass::over(&header, &signed, &kept)?.read(&mut lines, &mut progress)?;
    let verified = pass.finish(&header, &signed, &kept, trust.accepts_loss)?;
    Ok(Verified { key_trusted: trust.key.is_some(), ..verified })
}

/// The kept checkpoints by their size, each believed by the same key.
fn earlier(trust: &Trust, key: &Trusted) -> Result<Vec<Checkpoint>, Verdict> {
    let mut kept = Vec::with_capacity(trust.checkpoints.len());
    for note in &trust.checkpoints {
        kept.push(key.read(note).map_err(Verdict::Checkpoint)?);
    }
    Ok(kept)
}

struct Lines<R> {
    from: R,
    number: u64,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// The next line that is not empty.
    fn next(&mut self) -> Result<Option<&[u8]>, Verdict> {
        loop {
            self.line.clear();
            let read = self.from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut self.line);
            if read.map_err(Verdict::Unreadable)? == 0 {
                return Ok(None);
            }
            self.number += 1;
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(self.line.trim_ascii()));
            }
        }
    }

    fn header(&mut self) -> Result<Header, Verdict> {
        let first = self.next()?.ok_or(Verdict::NotAnExport("it is empty"))?;
        let header: Header = serde_json::from_slice(first)
            .map_err(|_| Verdict::NotAnExport("its first line is not the header of one"))?;
        if header.format != FORMAT {
            return Err(Verdict::NotAnExport("its format is another one"));
        }
        if header.from > header.to || header.to > header.size {
            return Err(Verdict::NotAnExport("its header contradicts itself"));
        }
        Ok(header)
    }

    fn entry(&mut self) -> Result<Option<Line>, Verdict> {
        let Some(line) = self.next()? else { return Ok(None) };
        let entry = serde_json::from_slice(line).ok();
        let line = self.number;
        entry.map(Some).ok_or(Verdict::Malformed { line })
    }
}

/// One pass over the entries.
struct Pass {
    receipts: Receipts,
    /// The first entry whose receipt is not for it.
    unsigned: Option<u64>,
    verified: Verified,
    peaks: Peaks,
    epoch: Option<u64>,
    missing: Missing,
    /// Where each epoch began of this run; the first one it knows, at its beginning.
    began: BTreeMap<u64, u64>,
    /// The roots at the sizes of the kept checkpoints.
    roots: BTreeMap<u64, Option<Hash>>,
}

impl Pass {
    fn over(header: &Header, signed: &Checkpoint, kept: &[Checkpoint]) -> Result<Self, Verdict> {
        let expected = checkpoint::origin_of(&header.log, header.epoch);
        if signed.size != header.size || signed.origin != expected {
            return Err(Verdict::NotAnExport("its header is not that of its checkpoint"));
        }
        let verified = Verified {
            view: header.view,
            entries: 0,
            from: header.from,
            to: header.to,
            size: header.size,
            epoch: header.epoch,
            shown: 0,
            withheld: 0,
            erased: 0,
            erased_later: 0,
            key_trusted: false,
            checkpoints: 0,
            given_up: 0,
        };
        let mut peaks = Peaks::default();
        graft(&mut peaks, &header.before, 0..header.from)?;
        let mut roots: BTreeMap<u64, Option<Hash>> = kept.iter().map(|kept| (kept.size, None)).collect();
        note(&mut roots, &peaks);
        let receipts = Receipts::of(header)?;
        // What is before the first entry of all is the first epoch.
        let epoch = (header.from == 0).then_some(1);
        let (began, missing) = (epoch.into_iter().map(|epoch| (epoch, 0)).collect(), Missing::default());
        Ok(Self { receipts, unsigned: None, verified, peaks, epoch, missing, began, roots })
    }

    fn read<R: BufRead>(mut self, lines: &mut Lines<R>, progress: &mut impl FnMut(u64)) -> Result<Self, Verdict> {
        while let Some(line) = lines.entry()? {
            let expected = self.peaks.size();
            if line.index != expected {
                return Err(misplaced(lines, expected, line.index));
            }
            if expected >= self.verified.to {
                return Err(Verdict::Added { promised: self.verified.to });
            }
            let leaf = self.check(&line)?;
            if self.unsigned.is_none() && !self.receipts.signs(&line, expected) {
                if let Some(recorded) = self.receipts.elsewhere(&line) {
                    return Err(Verdict::Renumbered { index: expected, recorded });
                }
                self.unsigned = Some(expected);
            }
            self.peaks.push(leaf);
            note(&mut self.roots, &self.peaks);
            self.verified.entries += 1;
            progress(self.verified.entries);
        }
        Ok(self)
    }

    /// The halves of one entry.
    fn check(&mut self, line: &Line) -> Result<Hash, Verdict> {
        let index = line.index;
        let canonical = canonical(line.leaf.get()).ok_or(Verdict::AlteredLeaf { index })?;
        let hash = entry::leaf_hash(canonical.as_bytes());
        if hex::encode(hash) != line.leaf_hash {
            return Err(Verdict::AlteredLeaf { index });
        }
        let leaf: Leaf = serde_json::from_str(&canonical).map_err(|_| Verdict::AlteredLeaf { index })?;
        for (name, shown) in &line.payload {
            let altered = || Verdict::AlteredPayload { index, group: name.clone() };
            let salt = hex::decode(&shown.salt).ok().and_then(|salt| salt.try_into().ok()).ok_or_else(altered)?;
            let body = self::canonical(shown.value.get()).ok_or_else(altered)?;
            if !entry::opens(&leaf, &Group { name: name.clone(), salt, body }) {
                return Err(altered());
            }
        }
        self.account(line, &leaf)?;
        self.place(line, &leaf)?;
        Ok(hash)
    }

    /// What becomes of each group that the leaf commits to.
    fn account(&mut self, line: &Line, leaf: &Leaf) -> Result<(), Verdict> {
        let index = line.index;
        let promised = |name: &String| leaf.commitments.contains_key(name) && !line.payload.contains_key(name);
        if let Some(group) = line.withheld.iter().find(|name| !promised(name)) {
            return Err(Verdict::AlteredPayload { index, group: group.clone() });
        }
        if let (View::Full, Some(group)) = (self.verified.view, line.withheld.first()) {
            return Err(Verdict::MissingPayload { index, group: group.clone() });
        }
        let is_there = |name: &str| line.payload.contains_key(name) || line.withheld.iter().any(|held| held == name);
        let too_many = |_| Verdict::NotAnExport("its entries have more groups than a log knows");
        self.verified.erased += self.missing.note(index, leaf, is_there).map_err(too_many)?;
        if let Some(act) = leaf.erased.as_ref().filter(|_| leaf.kind == EntryKind::Erasure) {
            self.missing.erased(act);
        }
        self.verified.shown += line.payload.len() as u64;
        self.verified.withheld += line.withheld.len() as u64;
        Ok(())
    }

    /// Another epoch begins with an entry that opens it, and with nothing else.
    fn place(&mut self, line: &Line, leaf: &Leaf) -> Result<(), Verdict> {
        let opens_epoch = leaf.kind == EntryKind::EpochOpened;
        let fits = |before| if opens_epoch { line.epoch > before } else { line.epoch == before };
        if !self.epoch.is_none_or(fits) {
            return Err(Verdict::Epoch { index: line.index });
        }
        self.epoch = Some(line.epoch);
        self.began.entry(line.epoch).or_insert(line.index);
        Ok(())
    }

    /// Where an epoch was given up, if what it signed of this size went with it: it ended before that, or is no part of
    /// this history at all.
    fn lost(&self, epoch: u64, size: u64) -> Option<u64> {
        let (_, ended) = self.began.range(epoch + 1..).next()?;
        let is_known = self.began.first_key_value().is_some_and(|(first, _)| *first <= epoch);
        (size > *ended || (is_known && !self.began.contains_key(&epoch))).then_some(*ended)
    }

    /// All entries are read: do they end where they should, and are they the ones that were signed?
    fn finish(
        mut self,
        header: &Header,
        signed: &Checkpoint,
        kept: &[Checkpoint],
        accepts_loss: bool,
    ) -> Result<Verified, Verdict> {
        let found = self.peaks.size();
        if found < header.to {
            return Err(Verdict::DeletedTail { found, promised: header.to });
        }
        graft(&mut self.peaks, &header.after, header.to..header.size)?;
        note(&mut self.roots, &self.peaks);
        match (self.peaks.root() == signed.root, self.unsigned) {
            (true, None) => {}
            (true, Some(index)) => return Err(Verdict::AlteredReceipt { index }),
            (false, Some(index)) => return Err(Verdict::AlteredLeaf { index }),
            (false, None) => return Err(Verdict::Root),
        }
        let to_the_end = header.to == header.size;
        if to_the_end && found > header.from && self.epoch.is_some_and(|last| last != header.epoch) {
            return Err(Verdict::Epoch { index: found - 1 });
        }
        if let (true, Some((index, group))) = (to_the_end, self.missing.first()) {
            return Err(Verdict::MissingPayload { index, group: group.to_owned() });
        }
        self.verified.erased_later = self.missing.count();
        for kept in kept {
            // What an epoch that was given up held beyond the restored backup is not here, and its end says so.
            let epoch = kept.epoch(&header.log);
            match self.lost(epoch, kept.size) {
                Some(_) if accepts_loss => {
                    self.verified.given_up += 1;
                    continue;
                }
                Some(at) => return Err(Verdict::GivenUp { epoch, at, kept: kept.size }),
                // Where it ended is not in this part of the log.
                None if epoch < header.epoch && self.began.keys().all(|known| *known > epoch) => continue,
                None => {}
            }
            if kept.size > header.size {
                return Err(Verdict::RestoredBackup { size: header.size, kept: kept.size });
            }
            match self.roots.get(&kept.size) {
                Some(Some(root)) if *root == kept.root => self.verified.checkpoints += 1,
                Some(Some(_)) => return Err(Verdict::SplitView { kept: kept.size }),
                // Within a run of entries that this export does not hold.
                _ => {}
            }
        }
        Ok(self.verified)
    }
}

fn note(roots: &mut BTreeMap<u64, Option<Hash>>, peaks: &Peaks) {
    if let Some(root) = roots.get_mut(&peaks.size()) {
        *root = Some(peaks.root());
    }
}

/// Puts the perfect subtrees of a run that the export does not hold into the tree.
fn graft(peaks: &mut Peaks, hashes: &[String], run: std::ops::Range<u64>) -> Result<(), Verdict> {
    let nodes = Span(run).nodes();
    let contradicts = || Verdict::NotAnExport("its header does not join the entries to the checkpoint");
    if nodes.len() != hashes.len() {
        return Err(contradicts());
    }
    for (node, hash) in nodes.into_iter().zip(hashes) {
        let hash = hex::decode(hash).ok().and_then(|hash| hash.try_into().ok()).ok_or_else(contradicts)?;
        peaks.graft(node.level, hash);
    }
    Ok(())
}

/// Another entry stands where one was expected: is the expected one somewhere else, or gone?
fn misplaced<R: BufRead>(lines: &mut Lines<R>, expected: u64, found: u64) -> Verdict {
    if found < expected {
        return Verdict::Reordered { index: found };
    }
    loop {
        match lines.entry() {
            Ok(Some(line)) if line.index == expected => return Verdict::Reordered { index: found },
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => return Verdict::DeletedMiddle { from: expected, to: found - 1 },
        }
    }
}

fn canonical(json: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(json).ok()?;
    serde_json_canonicalizer::to_string(&value).ok()
}

/// The receipts of an export, for telling what was done to it.
struct Receipts {
    key: VerifyingKey,
    log: String,
    size: u64,
}

impl Receipts {
    fn of(header: &Header) -> Result<Self, Verdict> {
        let key =
            checkpoint::receipt_key(&header.receipt_key).ok_or(Verdict::NotAnExport("its receipt key is no key"))?;
        Ok(Self { key, log: header.log.clone(), size: header.size })
    }

    /// The place near by that an entry was recorded at, if its receipt says so.
    fn elsewhere(&self, line: &Line) -> Option<u64> {
        let around = line.index.saturating_sub(NEIGHBOURHOOD)..self.size.min(line.index + NEIGHBOURHOOD);
        around.into_iter().find(|place| self.signs(line, *place))
    }

    fn signs(&self, line: &Line, index: u64) -> bool {
        let (leaf_hash, receipt) = (line.leaf_hash.clone(), line.receipt.clone());
        let position = LogPosition { index, epoch: line.epoch, leaf_hash, receipt };
        receipt::verify(&self.key, &self.log, &position).is_ok()
    }
}
