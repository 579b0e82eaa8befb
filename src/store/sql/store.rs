//! The store itself: the register in memory, the connections that read, and the queue to the task that writes.

use std::{future::Future, sync::Arc};

use arc_swap::ArcSwap;
use sqlx::Pool;
use tokio::sync::mpsc;

use super::{
    dialect::{BEGIN_READING, Connection, Db, answered},
    facts::{load_register, unreadable},
    job::Job,
    place::Place,
    tree,
    writer::Writer,
};
use crate::{
    audit::key::Signer,
    pip::{Indexed, Snapshot, Unreadable},
    store::{OpenError, Options, unopenable},
};

/// Facts and log in one database. When it is dropped, what was queued is still committed, then the database is let go.
pub struct Store {
    pub(super) readers: Pool<Db>,
    pub(super) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(super) queue: mpsc::Sender<Job>,
    pub(super) signer: Arc<Signer>,
    pub(super) origin: String,
    /// For what is done to the files beside the writing of entries.
    pub(super) place: Place,
}

impl Store {
    /// Reads the register and begins to write.
    pub(super) async fn start(place: Place, options: Options) -> Result<Self, OpenError> {
        place.prepare().await?;
        let mut connection = place.writer().await?;
        tree::grow_over_existing(&mut connection).await.map_err(unopenable)?;
        let origin = tree::origin(&mut connection, &options.origin).await?;
        let snapshot = Arc::new(ArcSwap::from_pointee(in_force(&mut connection).await?));
        let readers = place.readers(options.readers).await?;
        let (queue, jobs) = mpsc::channel(options.queue.max(1));
        let writer = Writer { place: place.clone(), connection: Some(connection), snapshot: Arc::clone(&snapshot) };
        tokio::spawn(writer.run(jobs));
        Ok(Self { readers, snapshot, queue, signer: options.signer, origin, place })
    }

    /// What the database says, or that it says nothing.
    pub(super) async fn ask<T, E>(&self, query: impl Future<Output = Result<T, E>>) -> Result<T, Unreadable>
    where
        E: std::error::Error + From<sqlx::Error> + Send + Sync + 'static,
    {
        answered(self.place.patience, query).await.map_err(unreadable)
    }
}

/// The register with the version it has, though others may be writing, and log and head as they belong together.
async fn in_force(connection: &mut Connection) -> Result<Snapshot, OpenError> {
    sqlx::query(BEGIN_READING).execute(&mut *connection).await?;
    let head = "SELECT facts_version, policies, size = (SELECT coalesce(max(seq), -1) + 1 FROM log_leaf) FROM log_head";
    let head: Option<(i64, Option<String>, bool)> = sqlx::query_as(head).fetch_optional(&mut *connection).await?;
    let Some((version, policies, true)) = head else { return Err(OpenError::HeadAndLastEntry) };
    let register = load_register(&mut *connection).await.map_err(unopenable)?;
    sqlx::query("COMMIT").execute(connection).await?;
    let register = Arc::new(Indexed::new(register));
    Ok(Snapshot { facts_version: version.cast_unsigned(), register, policies })
}
