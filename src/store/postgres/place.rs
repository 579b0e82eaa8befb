//! The database: its address, its connections, its tables.

use std::{str::FromStr, time::Duration};

use sqlx::{
    ConnectOptions, Connection as _, PgPool,
    migrate::{Migrate, MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    dialect::{Connection, answered},
    fitness::refuse_unless_fit,
};
use crate::store::OpenError;

static MIGRATIONS: Migrator = sqlx::migrate!("src/store/postgres/migrations");

/// Where sqlx keeps which migrations were made.
const MIGRATED: &str = "_sqlx_migrations";

/// What may stand in an address after `?`. sqlx would log any other, value and all.
const PARAMETERS: &[&str] = &[
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Where the database is, and how long to wait for it.
#[derive(Clone)]
pub(super) struct Place {
    address: PgConnectOptions,
    pub(super) patience: Duration,
}

impl Place {
    /// What is wrong with an address is not told: it would quote it.
    pub fn at(address: &str, patience: Duration) -> Result<Self, OpenError> {
        let (_, parameters) = address.split_once('?').unwrap_or_default();
        let known = |pair: &str| PARAMETERS.contains(&pair.split_once('=').unwrap_or((pair, "")).0);
        if !parameters.split('&').all(|pair| pair.is_empty() || known(pair)) {
            return Err(OpenError::Address);
        }
        // sqlx would look for a server on this host.
        if address.ends_with("://") {
            return Err(OpenError::Address);
        }
        let mut address = PgConnectOptions::from_str(address).map_err(|_| OpenError::Address)?;
        if address.get_application_name().is_none() {
            address = address.application_name("pinkpaper");
        }
        // A slow statement would be logged with what it asks.
        Ok(Self { address: address.disable_statement_logging(), patience })
    }

    /// Brings the tables to this version's form. Who may only append needs no right to, where nothing is to do.
    /// Nothing here has a limit of time: tables may be long, and one replica waits while another brings them forward.
    pub async fn prepare(&self) -> Result<(), OpenError> {
        let mut connection = self.unhurried().await?;
        refuse_unless_fit(&mut connection).await?;
        if !is_settled(&mut connection).await.map_err(OpenError::Migration)? {
            MIGRATIONS.run(&mut connection).await.map_err(OpenError::Migration)?;
        }
        Ok(connection.close().await?)
    }

    /// Whether the tables are of this version's form, on a server that is fit.
    pub async fn look(&self) -> Result<bool, OpenError> {
        let mut connection = self.connect(&self.impatient(false)).await?;
        refuse_unless_fit(&mut connection).await?;
        let settled = is_settled(&mut connection).await.map_err(OpenError::Migration)?;
        connection.close().await?;
        Ok(settled)
    }

    /// The one connection of this process that writes.
    pub async fn writer(&self) -> Result<Connection, OpenError> {
        let mut connection = self.connect(&self.impatient(false)).await?;
        answered(self.patience, refuse_unless_fit(&mut connection)).await?;
        Ok(connection)
    }

    /// The connections that read.
    pub async fn readers(&self, count: u32) -> Result<PgPool, OpenError> {
        let patience = self.patience;
        let readers = PgPoolOptions::new()
            .max_connections(count.max(1))
            .acquire_timeout(patience)
            // A connection whose server has gone silent would take its place in the pool with it.
            .after_release(move |connection, _| {
                Box::pin(async move { answered(patience, connection.ping()).await.map(|()| true) })
            })
            .connect_with(self.impatient(true))
            .await?;
        Ok(readers)
    }

    /// A connection whose statements may take their time.
    pub async fn unhurried(&self) -> Result<Connection, OpenError> {
        self.connect(&self.session(false)).await
    }

    /// The same, of tables of this version's form: whoever only reads cannot bring them forward.
    pub async fn beside(&self) -> Result<PgPool, OpenError> {
        let mut connection = self.connect(&self.impatient(true)).await?;
        let settled = is_settled(&mut connection).await.map_err(OpenError::Migration)?;
        connection.close().await?;
        if settled { self.readers(1).await } else { Err(OpenError::OtherVersion) }
    }

    async fn connect(&self, options: &PgConnectOptions) -> Result<Connection, OpenError> {
        Ok(answered(self.patience, options.connect()).await?)
    }

    /// Whatever the server, the database or the role says otherwise.
    fn session(&self, read_only: bool) -> PgConnectOptions {
        self.address.clone().options([
            ("default_transaction_isolation", "read committed"),
            ("default_transaction_read_only", if read_only { "on" } else { "off" }),
        ])
    }

    /// The server ends by itself what takes longer than our patience: a wait for a lock, a statement, a transaction
    /// nobody goes on with, a connection whose other end is silent.
    fn impatient(&self, read_only: bool) -> PgConnectOptions {
        let limit = self.patience.as_millis().max(1).to_string();
        let limits = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout", "tcp_user_timeout"];
        self.session(read_only).options(limits.map(|limit_of| (limit_of, &limit)))
    }
}

/// Whether every migration was made already, and none that this version does not know.
async fn is_settled(connection: &mut Connection) -> Result<bool, MigrateError> {
    let there: bool =
        sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL").bind(MIGRATED).fetch_one(&mut *connection).await?;
    if !there {
        return Ok(false);
    }
    let made = connection.list_applied_migrations(MIGRATED).await?;
    for one in &made {
        let known = MIGRATIONS.iter().find(|known| known.version == one.version);
        let known = known.ok_or(MigrateError::VersionMissing(one.version))?;
        if known.checksum != one.checksum {
            return Err(MigrateError::VersionMismatch(one.version));
        }
    }
    Ok(made.len() == MIGRATIONS.iter().count())
}
