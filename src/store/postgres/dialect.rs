//! What is said to PostgreSQL in words of its own.

use std::{future::Future, io, time::Duration};

pub(super) type Db = sqlx::Postgres;
pub(super) type Connection = sqlx::PgConnection;

/// Begins a transaction. The head is read next, and locked with it: of all replicas one writes at a time, and its
/// later statements see what the one before it committed.
pub(super) const BEGIN: &str = "BEGIN";

/// A transaction that could not begin lost its connection: on another it has lost nothing.
pub(super) const BEGINS_AGAIN: bool = true;

/// Begins a transaction that sees one state throughout.
pub(super) const BEGIN_READING: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

pub(super) const HEAD: &str = "SELECT size, epoch, facts_version, peaks, policies FROM log_head FOR UPDATE";

/// The body of a fact, to look into as JSON.
pub(super) const BODY: &str = "body::json";

/// When determination `d` went out of force, as times are written and sorted, or nothing.
pub(super) const ENDED: &str = r#"least(d.withdrawn_at COLLATE "C", d.body::jsonb ->> 'valid_until')"#;

/// In a transaction that may take its time.
pub(super) const UNHURRIED: &str = "SET LOCAL statement_timeout = '30min'";

/// What the server says. It is told to end what takes longer than our patience; one that does not answer in twice
/// that time is not there.
pub(super) async fn answered<T, E: From<sqlx::Error>>(
    patience: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match tokio::time::timeout(patience.saturating_mul(2), answer).await {
        Ok(answer) => answer,
        Err(_) => Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()).into()),
    }
}
