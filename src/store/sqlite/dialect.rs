//! What is said to SQLite in words of its own.

use std::{future::Future, time::Duration};

pub(super) type Db = sqlx::Sqlite;
pub(super) type Connection = sqlx::SqliteConnection;

/// Begins a transaction beside which nobody writes.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// A transaction that could not begin has waited already for whoever holds the file.
pub(super) const BEGINS_AGAIN: bool = false;

/// Begins a transaction that sees one state throughout.
pub(super) const BEGIN_READING: &str = "BEGIN";

pub(super) const HEAD: &str = "SELECT size, epoch, facts_version, peaks, policies FROM log_head";

/// The body of a fact, to look into as JSON.
pub(super) const BODY: &str = "body";

/// When determination `d` went out of force, as times are written, or nothing. Of two values one of which is none, `min`
/// is none.
pub(super) const ENDED: &str = "coalesce(min(d.withdrawn_at, json_extract(d.body, '$.valid_until')),
                                         d.withdrawn_at, json_extract(d.body, '$.valid_until'))";

/// In a transaction that may take its time: a file is read for as long as that takes.
pub(super) const UNHURRIED: &str = "SELECT 1";

/// A file always answers, if only the disk's fault.
pub(super) async fn answered<T, E>(_: Duration, answer: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    answer.await
}
