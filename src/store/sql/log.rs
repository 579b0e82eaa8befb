//! The log, read and appended to. Each entry read is checked against its hashes before anyone is told of it.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use jiff::{Timestamp, civil::Date};
use sqlx::QueryBuilder;
use tokio::sync::{mpsc::error::TrySendError, oneshot};

use super::{
    change::Prepared,
    dialect::Db,
    facts::{cut, unreadable},
    fault::{Fault, Refused},
    job::{Conditional, Done, Job, Record},
    reader::LeafRow,
    store::Store,
};
use crate::{
    audit::{
        AppendError, DecisionLog, LogFilter, NewEntry, ReferralFilter, Standing, StoredEntry, StoredReferral, Write,
        Written,
        entry::{self, Group, Hash},
        receipt,
        statistics::{Asked, Counts},
    },
    domain::{decision::LogPosition, id::Id},
    pip::{Change, Page, PageRequest, Unreadable},
    telemetry::metrics,
};

/// An entry kept is not the entry that was appended.
#[derive(Debug, thiserror::Error)]
#[error("log entry {index} is not as it was appended")]
struct NotAsAppended {
    index: i64,
    source: entry::Altered,
}

#[async_trait::async_trait]
impl DecisionLog for Store {
    async fn append(&self, entry: NewEntry) -> Result<LogPosition, AppendError> {
        let (done, hashes) = self.submit(vec![entry], None).await?;
        self.positions(&done, &hashes).next().ok_or_else(ended)
    }

    async fn append_all(&self, entries: Vec<NewEntry>) -> Result<Vec<LogPosition>, AppendError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let (done, hashes) = self.submit(entries, None).await?;
        Ok(self.positions(&done, &hashes).collect())
    }

    async fn write(&self, write: Write, entry: NewEntry) -> Result<Written, AppendError> {
        let change = Prepared::new(write.change, entry.at).map_err(unwritable)?;
        let change = Conditional { change, if_version: write.if_version };
        let (done, hashes) = self.submit(vec![entry], Some(change)).await?;
        let position = self.positions(&done, &hashes).next().ok_or_else(ended)?;
        Ok(Written { position, facts_version: done.facts_version, created: done.created })
    }

    async fn keep(&self, change: Change) -> Result<(), AppendError> {
        let change = Prepared::new(change, Timestamp::UNIX_EPOCH).map_err(unwritable)?;
        self.submit(Vec::new(), Some(Conditional { change, if_version: None })).await.map(|_| ())
    }

    async fn entry(&self, id: &str) -> Result<Option<StoredEntry>, Unreadable> {
        // PostgreSQL has no text with this character in it, so nothing can be kept under such a name.
        if id.contains('\0') {
            return Ok(None);
        }
        let row = sqlx::query_as("SELECT seq, epoch, leaf, leaf_hash FROM log_leaf WHERE entry_id = $1").bind(id);
        let row: Option<LeafRow> = self.ask(row.fetch_optional(&self.readers)).await?;
        Ok(self.with_payload(row.into_iter().collect()).await?.pop())
    }

    async fn repeated(&self, key: &str) -> Result<Option<(StoredEntry, Hash)>, Unreadable> {
        let first = sqlx::query_as("SELECT seq, body_hash FROM log_idempotency WHERE key = $1").bind(key);
        let first: Option<(i64, Vec<u8>)> = self.ask(first.fetch_optional(&self.readers)).await?;
        let Some((seq, hash)) = first else { return Ok(None) };
        let hash = Hash::try_from(hash).map_err(|_| unreadable(Fault::Damaged("idempotency key")))?;
        Ok(Some((self.at(seq).await?, hash)))
    }

    async fn decisions(&self, filter: &LogFilter, page: &PageRequest) -> Result<Page<StoredEntry>, Unreadable> {
        let mut query = matching(filter, page);
        let rows: Vec<LeafRow> = self.ask(query.build_query_as().fetch_all(&self.readers)).await?;
        Ok(cut(self.with_payload(rows).await?, page, |entry| entry.id.clone()))
    }

    async fn referral(&self, id: &Id) -> Result<Option<StoredReferral>, Unreadable> {
        self.referral_of(id).await
    }

    async fn referrals(&self, filter: &ReferralFilter, page: &PageRequest) -> Result<Page<StoredReferral>, Unreadable> {
        self.referrals_of(filter, page).await
    }

    fn origin(&self) -> &str {
        &self.origin
    }

    fn receipt_key(&self) -> String {
        BASE64.encode(self.signer.public_key().as_bytes())
    }

    fn receipt(&self, epoch: u64, index: u64, leaf_hash: &[u8]) -> String {
        receipt::sign(&self.signer, &self.origin, epoch, index, leaf_hash)
    }

    async fn counted(&self, asked: &Asked) -> Result<Counts, Unreadable> {
        self.count(asked).await
    }

    async fn standing(&self, today: Date) -> Result<Standing, Unreadable> {
        self.stands(today).await
    }

    /// Makes a commit that changes nothing.
    async fn ready(&self) -> Result<(), Unreadable> {
        self.submit(Vec::new(), None).await.map(|_| ()).map_err(unreadable)
    }
}

impl Store {
    /// Hands entries to the writer and waits until they are durable or refused.
    async fn submit(
        &self,
        entries: Vec<NewEntry>,
        change: Option<Conditional>,
    ) -> Result<(Done, Vec<Hash>), AppendError> {
        let records = entries.into_iter().map(record).collect::<Result<Vec<_>, _>>().map_err(unwritable)?;
        let hashes = records.iter().map(|record| record.sealed.leaf_hash).collect();
        let (reply, answer) = oneshot::channel();
        self.queue.try_send(Job { records, change, reply }).map_err(|error| match error {
            TrySendError::Full(job) => {
                metrics::refused(job.records.len(), "full");
                AppendError::Full
            }
            TrySendError::Closed(_) => ended(),
        })?;
        match answer.await.map_err(|_| ended())? {
            Ok(done) => Ok((done, hashes)),
            Err(refused) => Err(self.explain(refused).await),
        }
    }

    async fn explain(&self, refused: Refused) -> AppendError {
        match refused {
            Refused::Stale => AppendError::Stale,
            Refused::Unmet(unmet) => AppendError::Precondition(unmet),
            Refused::Unwritable(fault) => unwritable(fault),
            Refused::Repeated { same_body, seq } => match self.at(seq.cast_signed()).await {
                Ok(first) => AppendError::Repeated { same_body, first: Box::new(first) },
                Err(error) => unwritable(error),
            },
        }
    }

    fn positions(&self, done: &Done, hashes: &[Hash]) -> impl Iterator<Item = LogPosition> {
        (done.first..).zip(hashes).map(|(index, hash)| self.position(index, done.epoch, hash))
    }

    fn position(&self, index: u64, epoch: u64, leaf_hash: &Hash) -> LogPosition {
        let receipt = receipt::sign(&self.signer, &self.origin, epoch, index, leaf_hash);
        LogPosition { index, epoch, leaf_hash: hex::encode(leaf_hash), receipt }
    }

    /// The entry at an index that is known to be taken.
    pub(super) async fn at(&self, seq: i64) -> Result<StoredEntry, Unreadable> {
        let row = sqlx::query_as("SELECT seq, epoch, leaf, leaf_hash FROM log_leaf WHERE seq = $1").bind(seq);
        let row: LeafRow = self.ask(row.fetch_one(&self.readers)).await?;
        let entry = self.with_payload(vec![row]).await?.pop();
        entry.ok_or_else(|| unreadable(Fault::Damaged("log entry")))
    }

    async fn with_payload(&self, rows: Vec<LeafRow>) -> Result<Vec<StoredEntry>, Unreadable> {
        let groups = self.reader().groups(&rows).await?;
        rows.into_iter().map(|row| self.stored(&row, groups.get(&row.0).map_or(&[], Vec::as_slice))).collect()
    }

    fn stored(&self, (seq, epoch, leaf, hash): &LeafRow, groups: &[Group]) -> Result<StoredEntry, Unreadable> {
        let altered = |source| unreadable(NotAsAppended { index: *seq, source });
        let (leaf, payload) = entry::unseal(leaf, hash, groups).map_err(altered)?;
        let hash = Hash::try_from(hash.as_slice()).map_err(|_| altered(entry::Altered::Leaf))?;
        let position = self.position(seq.cast_unsigned(), epoch.cast_unsigned(), &hash);
        let (kind, id, at, outcome, erased) = (leaf.kind, leaf.id, leaf.at, leaf.outcome, leaf.erased);
        Ok(StoredEntry { position, kind, id, at, outcome, payload, erased })
    }
}

fn record(mut entry: NewEntry) -> Result<Record, entry::SealError> {
    let sealed = entry::seal(&entry)?;
    entry.payload = Vec::new();
    Ok(Record { entry, sealed })
}

/// Decisions that a filter asks for, newest first, one more than the page.
pub(super) fn matching(filter: &LogFilter, page: &PageRequest) -> QueryBuilder<Db> {
    // What a decision is found by is erased with it: an erased one is in no list.
    let from = "SELECT l.seq, l.epoch, l.leaf, l.leaf_hash FROM log_leaf l JOIN log_search s ON s.seq = l.seq";
    let mut query = QueryBuilder::new(from);
    if let Some(rule) = &filter.rule {
        query.push(" JOIN log_search_rule r ON r.seq = l.seq AND r.rule = ").push_bind(rule.as_str());
    }
    // The table whose index names the fewest entries leads, in its order: SQLite would rather begin at every decision
    // of an outcome or kind. Written so, the kind is compared without its indexes.
    let (seq, kind) = match filter {
        LogFilter { rule: Some(_), .. } => ("r.seq", "l.kind || ''"),
        LogFilter { person: None, document: None, .. } => ("l.seq", "l.kind"),
        _ => ("s.seq", "l.kind || ''"),
    };
    query.push(format!(" WHERE {kind} = ")).push_bind(filter.kind.kind().word());
    if let Some(person) = &filter.person {
        query.push(" AND s.person = ").push_bind(person.as_str());
    }
    if let Some(document) = &filter.document {
        query.push(" AND s.document = ").push_bind(document.as_str());
    }
    if let Some(outcome) = filter.outcome {
        query.push(" AND l.outcome = ").push_bind(outcome.word());
    }
    if let Some(from) = filter.from {
        query.push(" AND l.at >= ").push_bind(from.as_microsecond());
    }
    if let Some(to) = filter.to {
        query.push(" AND l.at < ").push_bind(to.as_microsecond());
    }
    if let Some(after) = &page.after {
        query
            .push(format!(" AND {seq} < (SELECT seq FROM log_leaf WHERE entry_id = "))
            .push_bind(after.as_str())
            .push(")");
    }
    query.push(format!(" ORDER BY {seq} DESC LIMIT ")).push_bind(i64::from(page.limit.max(1)) + 1);
    query
}

fn unwritable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> AppendError {
    AppendError::Unwritable(error.into())
}

fn ended() -> AppendError {
    unwritable(Fault::Ended)
}
