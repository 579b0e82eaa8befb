//! The log as a file, a page at a time: as evidence (NDJSON) or for a spreadsheet (CSV).
//!
//! The reading is logged first, then a checkpoint signed, and what is exported is the log as that checkpoint has it:
//! what comes later is not in it, however long the reader takes.

use std::ops::Range;

use serde_json::{Value, json};

use super::{
    App, Caller,
    evidence::{EvidenceError, Only, Signed, Wanted},
    history::HistoryError,
};
use crate::{
    audit::{
        EntryKind, RawEntry,
        accounted::Missing,
        entry::Leaf,
        export::{self, FORMAT, Header, Pseudonyms, View},
        sheet,
    },
    pip::Unreadable,
};

/// Entries fetched at a time: some hundred kilobytes each at most, so that memory stays bounded.
const PAGE: u32 = 200;

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Ndjson,
    Csv,
}

/// Part of what an export was to hold was erased while it was written.
#[derive(Debug, thiserror::Error)]
#[error("something was erased while it was exported: export it again")]
struct Meanwhile;

/// An export under way.
pub struct Exporter {
    format: Format,
    view: View,
    pseudonyms: Pseudonyms,
    only: Only,
    first: Option<String>,
    left: Range<u64>,
    /// How long the log was when it was signed for this.
    size: u64,
}

impl App {
    /// Begins an export of the log, or of the entries of a time.
    pub async fn export(&self, caller: &Caller, wanted: Wanted, format: Format) -> Result<Exporter, EvidenceError> {
        let told = json!({"export": wanted.view, "from": wanted.from, "to": wanted.to, "only": wanted.only});
        self.reads_the_log(caller, told).await?;
        self.exporter(wanted, format).await
    }

    /// The same for whoever holds the database, on record like any other reading.
    pub async fn export_by_operator(&self, wanted: Wanted, format: Format) -> Result<Exporter, EvidenceError> {
        let told = json!({"export": wanted.view, "from": wanted.from, "to": wanted.to, "by": "operator"});
        let entry = self.of_the_service(EntryKind::LogRead, told);
        self.store.append(entry).await.map_err(HistoryError::Unrecorded)?;
        self.exporter(wanted, format).await
    }

    async fn exporter(&self, wanted: Wanted, format: Format) -> Result<Exporter, EvidenceError> {
        let signed = self.checkpoint().await?;
        let size = signed.checkpoint.size;
        let whole = wanted.from.is_none() && wanted.to.is_none();
        let run = if whole { 0..size } else { self.store.indexes(wanted.from, wanted.to).await? };
        let run = run.start.min(size)..run.end.min(size);
        let first = match format {
            Format::Ndjson => self.header(&signed, wanted.view, run.clone()).await?,
            Format::Csv => sheet::titles(),
        };
        let pseudonyms = Pseudonyms::fresh().ok_or(EvidenceError::NoRandomness)?;
        Ok(Exporter { format, view: wanted.view, pseudonyms, only: wanted.only, first: Some(first), left: run, size })
    }

    async fn header(&self, signed: &Signed, view: View, run: Range<u64>) -> Result<String, Unreadable> {
        let size = signed.checkpoint.size;
        let header = Header {
            format: FORMAT.to_owned(),
            view,
            exported_at: self.clock.now(),
            from: run.start,
            to: run.end,
            size,
            epoch: signed.epoch,
            before: self.subtrees(0..run.start).await?,
            after: self.subtrees(run.end..size).await?,
            checkpoint: signed.note.clone(),
            key: self.checkpoints.notary().public(),
            receipt_key: self.store.receipt_key(),
            log: self.store.origin().to_owned(),
        };
        Ok(told(&header))
    }

    /// The next lines of an export; none after the last. An error ends it in the middle, and what was sent will not
    /// verify.
    pub async fn more(&self, exporter: &mut Exporter) -> Result<Option<String>, Unreadable> {
        if let Some(first) = exporter.first.take() {
            return Ok(Some(first));
        }
        let left = exporter.left.end.saturating_sub(exporter.left.start);
        if left == 0 {
            return Ok(None);
        }
        let limit = u32::try_from(left).unwrap_or(PAGE).min(PAGE);
        let entries = self.store.raw(exporter.left.start, limit).await?;
        let Some(last) = entries.last() else { return Ok(None) };
        if exporter.format == Format::Ndjson {
            self.is_whole(&entries, exporter.size).await?;
        }
        exporter.left.start = last.index + 1;
        Ok(Some(entries.iter().map(|raw| self.written(raw, exporter)).collect()))
    }

    /// Whether what entries lack was erased before the log was signed for this export. What is erased while it is written
    /// would look as if it had been taken away: the act comes after its end.
    async fn is_whole(&self, entries: &[RawEntry], size: u64) -> Result<(), Unreadable> {
        let (mut before, mut until_now) = (Missing::default(), Missing::default());
        for raw in entries {
            let Ok(leaf) = serde_json::from_slice::<Leaf>(&raw.leaf) else { continue };
            for missing in [&mut before, &mut until_now] {
                // What cannot be noted is for whoever verifies.
                let _ = missing.note(raw.index, &leaf, |name| raw.groups.iter().any(|group| group.name == name));
            }
        }
        let (Some(first), Some(last), true) = (entries.first(), entries.last(), before.count() > 0) else {
            return Ok(());
        };
        for (index, act) in self.store.erasures(first.index..last.index + 1).await? {
            until_now.erased(&act);
            if index < size {
                before.erased(&act);
            }
        }
        if before.count() == until_now.count() { Ok(()) } else { Err(Unreadable(Box::new(Meanwhile))) }
    }

    fn written(&self, raw: &RawEntry, exporter: &Exporter) -> String {
        match exporter.format {
            Format::Ndjson => {
                let receipt = self.store.receipt(raw.epoch, raw.index, &raw.leaf_hash);
                told(&export::line(raw, receipt, exporter.view, &exporter.pseudonyms))
            }
            Format::Csv if !exporter.only.is_all() && !is_one_of(raw, &exporter.only) => String::new(),
            Format::Csv => sheet::row(raw, exporter.view, &exporter.pseudonyms),
        }
    }
}

/// Whether the entry is a decision of those wanted. An enquiry gave nobody anything.
fn is_one_of(raw: &RawEntry, only: &Only) -> bool {
    export::kind(raw) == Some(EntryKind::Decision) && only.holds(&sheet::summary(raw))
}

fn told(line: &impl serde::Serialize) -> String {
    // These types have no map with keys other than strings: nothing to fail on.
    format!("{}\n", serde_json::to_string(line).unwrap_or_else(|_| Value::Null.to_string()))
}
