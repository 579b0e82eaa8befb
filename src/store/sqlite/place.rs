//! The database file: its lock, its settings, its connections.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection as _, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::time::Instant;

use super::dialect::Connection;
use crate::store::{OpenError, unopenable};

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/sqlite/migrations");

/// How often a held lock is tried again.
const LOCK_INTERVAL: Duration = Duration::from_millis(20);

/// Where the database is, and how long to wait for it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) patience: Duration,
    /// Excludes every other process for as long as it is open.
    _lock: Arc<File>,
}

impl Place {
    /// The file, made private if it is not there. Resolved, so that one database has one lock by any path.
    pub async fn open(file: &Path, patience: Duration) -> Result<Self, OpenError> {
        let mut options = File::options();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(file).map_err(unopenable)?;
        let file = file.canonicalize().map_err(unopenable)?;
        let lock = Arc::new(lock(&file, patience).await?);
        Ok(Self { file, patience, _lock: lock })
    }

    /// Brings the tables to this version's form.
    pub async fn prepare(&self) -> Result<(), OpenError> {
        let mut connection = self.writer().await?;
        MIGRATIONS.run(&mut connection).await.map_err(OpenError::Migration)?;
        connection.close().await.map_err(unopenable)
    }

    /// A connection that writes: what is deleted is overwritten too.
    pub async fn writer(&self) -> Result<Connection, OpenError> {
        let durable = self.options().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let options = durable.foreign_keys(true).pragma("secure_delete", "ON");
        let mut connection = options.connect().await.map_err(unopenable)?;
        refuse_unless_durable(&mut connection).await?;
        Ok(connection)
    }

    /// The connections that read.
    pub async fn readers(&self, count: u32) -> Result<SqlitePool, OpenError> {
        SqlitePoolOptions::new()
            .max_connections(count.max(1))
            .acquire_timeout(self.patience)
            .connect_with(self.options().read_only(true))
            .await
            .map_err(unopenable)
    }

    fn options(&self) -> SqliteConnectOptions {
        options(&self.file, self.patience)
    }
}

/// Statements are not logged: a slow one would be, with what it asks.
fn options(file: &Path, patience: Duration) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).busy_timeout(patience).disable_statement_logging()
}

/// Connections that read a database which another process may hold. The tables must be of this version's form, for
/// whoever reads cannot bring them forward.
pub(super) async fn beside(file: &Path, patience: Duration) -> Result<SqlitePool, OpenError> {
    let options = options(file, patience).read_only(true);
    let readers = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.map_err(unopenable)?;
    let applied = "SELECT max(version) FROM _sqlx_migrations WHERE success";
    let applied: Option<i64> = sqlx::query_scalar(applied).fetch_one(&readers).await.map_err(unopenable)?;
    let known = MIGRATIONS.iter().map(|migration| migration.version).max();
    if applied == known { Ok(readers) } else { Err(OpenError::OtherVersion) }
}

/// Waits a little for the lock: a process that is just stopping lets go only after its last commit.
async fn lock(file: &Path, patience: Duration) -> Result<File, OpenError> {
    let mut path = file.as_os_str().to_owned();
    path.push(".lock");
    let lock = File::options().read(true).append(true).create(true).open(path).map_err(unopenable)?;
    let give_up = Instant::now() + patience;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if Instant::now() < give_up => tokio::time::sleep(LOCK_INTERVAL).await,
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse),
            Err(TryLockError::Error(error)) => return Err(unopenable(error)),
        }
    }
}

/// Some file systems and builds quietly keep another setting than the one asked for.
async fn refuse_unless_durable(connection: &mut Connection) -> Result<(), OpenError> {
    let journal: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await.map_err(unopenable)?;
    if journal != "wal" {
        return Err(OpenError::NotDurable { setting: "journal_mode", value: journal });
    }
    // 2 is FULL, 3 is EXTRA.
    let synchronous: i64 =
        sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await.map_err(unopenable)?;
    if synchronous < 2 {
        return Err(OpenError::NotDurable { setting: "synchronous", value: synchronous.to_string() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_database_that_would_lose_commits_is_refused() {
        let place = tempfile::tempdir().expect("a directory");
        let options = SqliteConnectOptions::new().filename(place.path().join("a.db")).create_if_missing(true);
        let asked = [
            (options.clone().journal_mode(SqliteJournalMode::Delete), "journal_mode"),
            (options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Normal), "synchronous"),
        ];
        for (options, expected) in asked {
            let mut connection = options.connect().await.expect("open");
            let refused = refuse_unless_durable(&mut connection).await;
            assert!(matches!(refused, Err(OpenError::NotDurable { setting, .. }) if setting == expected));
        }
    }

    #[tokio::test]
    async fn a_writer_is_durable_and_a_reader_cannot_write() {
        let directory = tempfile::tempdir().expect("a directory");
        let place = Place::open(&directory.path().join("a.db"), Duration::from_secs(1)).await.expect("made");
        place.prepare().await.expect("migrated");
        let mut writer = place.writer().await.expect("durable");
        let readers = place.readers(1).await.expect("open");
        assert!(sqlx::query("DELETE FROM document").execute(&readers).await.is_err());
        sqlx::query("DELETE FROM document").execute(&mut writer).await.expect("the writer can");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_new_database_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().expect("a directory");
        let place = Place::open(&directory.path().join("a.db"), Duration::from_secs(1)).await.expect("made");
        place.prepare().await.expect("migrated");
        let _writer = place.writer().await.expect("durable");
        for name in ["a.db", "a.db-wal", "a.db-shm"] {
            let mode = std::fs::metadata(directory.path().join(name)).expect("there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name}");
        }
    }
}
