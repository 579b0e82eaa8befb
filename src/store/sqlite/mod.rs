//! The store in one SQLite file, for one host: the simplest way to run the service.
//!
//! Reads go to a few connections that cannot write. Everything written goes through one task with the one writing
//! connection, which commits what waits together (*group commit*): a decision pays for a share of one `fsync`.
//!
//! It does not know what a decision says or a policy means, and keeps no copy of anything but the register in force.
//!
//! Worked example: while the disk takes a commit, eleven decisions about Appendix B and a write of Cllr B. One arrive.
//! They are the next transaction: ten decisions take indexes 1234 to 1243, the write takes 1244 and makes the facts
//! version 42; the eleventh decision, behind the write and gathered at 41, is `Stale` and disturbs nobody. One
//! commit, then version 42 is in force, then all twelve are answered.
//!
//! The invariants: indexes have no gap, because they are counted from the head inside the transaction; nobody is
//! answered before the commit; one process writes, because it holds the lock beside the file. A commit of unclear
//! outcome is looked up on a new connection before anyone is answered. If even that fails the answer is
//! `Unwritable`, and should the entry be there after all, nobody was told an outcome; the next batch sees that the
//! facts moved on and reads the register again.
//!
//! Where next: `place.rs`, then `../sql/writer.rs` and `../sql/batch.rs`.

use std::{path::Path, time::Duration};

use self::place::Place;
pub use self::{reader::Reader, store::Store};
use super::{Condition, OpenError, Options, unopenable};

mod dialect;
mod place;
mod residue;
#[cfg(test)]
mod tests;

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

/// Brings the tables to this version's form.
pub async fn prepare(file: &Path, patience: Duration) -> Result<(), OpenError> {
    Place::open(file, patience).await?.prepare().await
}

/// Opens the log in a file to be read, whoever has the lock. Nothing is made, locked or brought forward.
pub async fn read(file: &Path, patience: Duration) -> Result<Reader, OpenError> {
    Ok(Reader { readers: place::beside(file, patience).await?, patience })
}

/// Looks at a file that may not be there. Whether a new one would keep what it acknowledges, its first start finds out.
pub async fn look(file: &Path, patience: Duration) -> Result<Condition, OpenError> {
    if !file.exists() {
        let home = file.parent().filter(|home| !home.as_os_str().is_empty()).unwrap_or(Path::new("."));
        home.read_dir().map_err(unopenable)?;
        return Ok(Condition::Absent);
    }
    match place::beside(file, patience).await {
        Ok(readers) => {
            readers.close().await;
            Ok(Condition::Ready)
        }
        Err(OpenError::OtherVersion) => Ok(Condition::OtherForm),
        Err(error) => Err(error),
    }
}

impl Store {
    pub async fn open(file: &Path, options: Options) -> Result<Self, OpenError> {
        Self::start(Place::open(file, options.patience).await?, options).await
    }
}
