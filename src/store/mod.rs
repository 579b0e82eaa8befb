//! Where facts and log are kept: one database behind the ports of [`crate::pip`] and [`crate::audit`].
//!
//! Both are in one database so that a write and its entry are one transaction, and so that the version of the facts
//! can be checked inside the append of the decision that rests on them. A backend is chosen by the address.
//!
//! It deliberately knows no rule, no caller and no HTTP, and does not read what it keeps beyond the columns it
//! searches by.
//!
//! Worked example: the registrar records that Cllr B. One left the licensing committee. [`DecisionLog::write`] checks
//! the version asked for, changes the person, counts the facts from 41 to 42 and appends the entry, all or nothing;
//! before the registrar has the answer, [`crate::pip::FactSource::snapshot`] gives version 42 to everyone. A decision gathered at
//! 41 that arrives later is `Stale`.
//!
//! The invariant: what was acknowledged is on disk, and what is in force is what is on disk.
//!
//! What both backends say alike to their database stands once, in `sql/`, and is compiled into each of [`sqlite`] and
//! [`postgres`] (`#[path]`): beside it a backend has its own `dialect.rs` and `place.rs`. Generic code over sqlx's
//! `Database` would need a dozen bounds on every function, and sqlx's `Any` knows too few types; compiled twice, each
//! file is plain, and the compiler checks it against both engines.
//!
//! Where next: [`sqlite`], then [`postgres`].

use std::{sync::Arc, time::Duration};

use crate::audit::{DecisionLog, LogReader, key::Signer};

#[allow(clippy::duplicate_mod, reason = "the files of `sql/` are compiled for each engine, see above")]
pub mod postgres;
#[allow(clippy::duplicate_mod, reason = "as above")]
pub mod sqlite;

/// How to keep.
#[derive(Clone, Debug)]
pub struct Options {
    /// The log's name, signed in every receipt.
    pub origin: String,
    pub signer: Arc<Signer>,
    /// How many appends and writes may wait for the disk; one more is refused.
    pub queue: usize,
    /// How many reads run at once.
    pub readers: u32,
    /// How long to wait for a database that someone else holds.
    pub patience: Duration,
}

impl Options {
    pub const PATIENCE: Duration = Duration::from_secs(5);

    pub fn new(origin: impl Into<String>, signer: Arc<Signer>) -> Self {
        Self { origin: origin.into(), signer, queue: 1024, readers: 4, patience: Self::PATIENCE }
    }
}

/// Why a database was not opened. The address is not repeated: it may hold a password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("a database address is `sqlite://FILE` or `postgres://…`")]
    Address,
    #[error("another process is using this database")]
    InUse,
    #[error("the database would not keep what it acknowledges: `{setting}` is `{value}`")]
    NotDurable { setting: &'static str, value: String },
    #[error("the database server cannot be used: `{setting}` is `{value}`")]
    Unfit { setting: &'static str, value: String },
    #[error("the database cannot be brought to the form this version needs")]
    Migration(#[source] sqlx::migrate::MigrateError),
    #[error("the database has the form of another version: start the service of this version on it once")]
    OtherVersion,
    #[error("the head of the log and its last entry disagree")]
    HeadAndLastEntry,
    #[error("the database cannot be opened")]
    Unopenable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Opens the database at an address: `sqlite://relative.db`, `sqlite:///absolute/path.db`, made if it is not there, or
/// `postgres://user@host/database`, which must be there.
pub async fn connect(address: &str, options: Options) -> Result<Arc<dyn DecisionLog>, OpenError> {
    match address.split_once("://") {
        Some(("sqlite", file)) if is_file(file) => Ok(Arc::new(sqlite::Store::open(file.as_ref(), options).await?)),
        Some(("postgres" | "postgresql", _)) => Ok(Arc::new(postgres::Store::open(address, options).await?)),
        _ => Err(OpenError::Address),
    }
}

/// Makes the tables at an address ready for this version, for a service that may not.
pub async fn prepare(address: &str, patience: Duration) -> Result<(), OpenError> {
    match address.split_once("://") {
        Some(("sqlite", file)) if is_file(file) => sqlite::prepare(file.as_ref(), patience).await,
        Some(("postgres" | "postgresql", _)) => postgres::prepare(address, patience).await,
        _ => Err(OpenError::Address),
    }
}

/// Opens the log at an address to be read, beside a running service if need be: it takes no lock, makes nothing and
/// brings nothing forward, and what it gives cannot write.
pub async fn read(address: &str, patience: Duration) -> Result<Arc<dyn LogReader>, OpenError> {
    match address.split_once("://") {
        Some(("sqlite", file)) if is_file(file) => Ok(Arc::new(sqlite::read(file.as_ref(), patience).await?)),
        Some(("postgres" | "postgresql", _)) => Ok(Arc::new(postgres::read(address, patience).await?)),
        _ => Err(OpenError::Address),
    }
}

/// How a database is that nobody has opened yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A file that the first start makes.
    Absent,
    /// Its tables are not of this version's form.
    OtherForm,
    Ready,
}

/// Looks at the database at an address, beside a running service if need be: nothing is made or changed. Settings under
/// which it would not keep what it acknowledges are an error, as they are of a start.
pub async fn look(address: &str, patience: Duration) -> Result<Condition, OpenError> {
    match address.split_once("://") {
        Some(("sqlite", file)) if is_file(file) => sqlite::look(file.as_ref(), patience).await,
        Some(("postgres" | "postgresql", _)) => postgres::look(address, patience).await,
        _ => Err(OpenError::Address),
    }
}

fn is_file(name: &str) -> bool {
    !name.is_empty() && !name.contains('?')
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        unopenable(error)
    }
}

fn unopenable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> OpenError {
    OpenError::Unopenable(error.into())
}
