//! What is said to SQLite in words of its own.

pub(super) type Db = sqlx::Sqlite;
pub(super) type Connection = sqlx::SqliteConnection;

/// Begins a transaction beside which nobody writes.
pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";

/// Begins a transaction that sees one state throughout.
pub(super) const BEGIN_READING: &str = "BEGIN";

pub(super) const HEAD: &str = "SELECT size, epoch, facts_version, peaks FROM log_head";
