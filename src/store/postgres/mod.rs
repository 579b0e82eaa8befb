//! The store in a PostgreSQL database: any number of replicas append to one log.
//!
//! Each replica has one task with one writing connection that commits what waits together, and a few connections that
//! cannot write, as on SQLite. What keeps replicas apart is one row: a writing transaction begins by locking the head
//! of the log, so of all replicas one writes at a time, counts from what the one before it committed, and nobody's
//! index can be another's. No sequence numbers the log: a sequence leaves gaps.
//!
//! It does not know how many replicas there are or what they think, and keeps no copy of anything but the register.
//!
//! Worked example: replica A has just written that Cllr B. One left the committee, which made the facts version 42.
//! Replica B, still with the register of version 41, decides whether she may read Appendix B and asks to append. Its
//! transaction locks the head, finds 42, answers `Stale`, and reads the register again because 42 is not the version
//! it has in force; the decision is made again, at 42.
//!
//! The invariants: indexes have no gap, because they are counted from the locked head; nobody is answered before the
//! commit, and the server keeps what it commits, or the service does not start. A commit of unclear outcome (the
//! connection broke before the reply) is looked up on another connection, after the head was locked: a commit still
//! under way holds that lock, and one that never came is undone by the server, which ends a transaction nobody goes
//! on with. Where that takes longer than our patience, the answer is `Unwritable` and nobody was told an outcome.
//! Nothing waits for ever: the server is told to end what takes too long, and a server that is silent is left.
//!
//! Where next: `place.rs`, then `../sql/writer.rs` and `../sql/batch.rs`.

use std::time::Duration;

use self::place::Place;
pub use self::{reader::Reader, store::Store};
use super::{Condition, OpenError, Options};

mod dialect;
mod fitness;
mod place;
mod residue;

#[path = "../sql/batch.rs"]
mod batch;
#[path = "../sql/change.rs"]
mod change;
#[path = "../sql/erasure.rs"]
mod erasure;
#[path = "../sql/facts.rs"]
mod facts;
#[path = "../sql/fault.rs"]
mod fault;
#[path = "../sql/holds.rs"]
mod holds;
#[path = "../sql/job.rs"]
mod job;
#[path = "../sql/log.rs"]
mod log;
#[path = "../sql/reader.rs"]
mod reader;
#[path = "../sql/referrals.rs"]
mod referrals;
#[path = "../sql/rows.rs"]
mod rows;
#[path = "../sql/standing.rs"]
mod standing;
#[path = "../sql/statistics.rs"]
mod statistics;
#[path = "../sql/store.rs"]
mod store;
#[path = "../sql/tree.rs"]
mod tree;
#[path = "../sql/writer.rs"]
mod writer;

/// Brings the tables to this version's form, as who owns them.
pub async fn prepare(address: &str, patience: Duration) -> Result<(), OpenError> {
    Place::at(address, patience)?.prepare().await
}

/// Opens the log to be read beside whatever services append to it. Nothing is made or brought forward.
pub async fn read(address: &str, patience: Duration) -> Result<Reader, OpenError> {
    Ok(Reader { readers: Place::at(address, patience)?.beside().await?, patience })
}

/// Looks at a server and at the tables it has.
pub async fn look(address: &str, patience: Duration) -> Result<Condition, OpenError> {
    let is_settled = Place::at(address, patience)?.look().await?;
    Ok(if is_settled { Condition::Ready } else { Condition::OtherForm })
}

impl Store {
    /// At a `postgres://` address.
    pub async fn open(address: &str, options: Options) -> Result<Self, OpenError> {
        Self::start(Place::at(address, options.patience)?, options).await
    }
}
