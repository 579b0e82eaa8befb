//! Why a job was not done.

use std::sync::Arc;

use crate::{audit::Unmet, store::OpenError};

/// Not appended, nor anything changed.
#[derive(Debug)]
pub(super) enum Refused {
    Stale,
    Repeated { same_body: bool, seq: u64 },
    Unmet(Unmet),
    Unwritable(Arc<Fault>),
}

/// What stopped the writer. One fault may be the answer to a whole batch.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the database cannot be opened again")]
    Closed(#[source] OpenError),
    #[error("the database refused")]
    Database(#[source] sqlx::Error),
    #[error("the commit did not take effect")]
    Commit(#[source] sqlx::Error),
    #[error("a stored {0} cannot be read")]
    Damaged(&'static str),
    #[error("the log has an entry under this id already")]
    RepeatedId,
    #[error("the writer has ended")]
    Ended,
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Unwritable(Arc::new(fault))
    }
}

impl From<sqlx::Error> for Refused {
    fn from(error: sqlx::Error) -> Self {
        Fault::Database(error).into()
    }
}
