//! What deleting leaves in the file, and its removal.
//!
//! Deleted rows are overwritten where they stood (`secure_delete`), but rows that SQLite moved within or between pages
//! before leave copies in room that counts as empty, and the write-ahead log holds the pages of before. So the file is
//! rewritten (`VACUUM`) and the write-ahead log written back and cut to nothing. Rewriting keeps answers waiting, so
//! that a large file is rewritten only at leisure: by `pinkpaper log erase`, while the service is stopped.

use std::{fs, time::Duration};

use sqlx::Connection;

use super::place::Place;
use crate::store::{OpenError, unopenable};

/// A file up to this size, in bytes, is rewritten while callers wait: well within their patience.
const AT_ONCE: u64 = 128 << 20;

/// How often it is tried to cut the write-ahead log, which waits for those who read; each try holds up writes so long.
const TRIES: u32 = 20;
const ONE_TRY: &str = "PRAGMA busy_timeout = 50";
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

impl Place {
    /// Whether nothing is left: the file was small enough or there was leisure, and nobody was reading all the time.
    pub async fn scrub(&self, leisure: bool) -> Result<bool, OpenError> {
        let rewrite = leisure || fs::metadata(&self.file).map_err(unopenable)?.len() <= AT_ONCE;
        let mut connection = self.writer().await?;
        if rewrite {
            sqlx::query("VACUUM").execute(&mut connection).await.map_err(unopenable)?;
        }
        sqlx::query(ONE_TRY).execute(&mut connection).await.map_err(unopenable)?;
        let mut cut = false;
        for _ in 0..TRIES {
            let busy: i64 = sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)")
                .fetch_one(&mut connection)
                .await
                .map_err(unopenable)?;
            cut = busy == 0;
            if cut {
                break;
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
        connection.close().await.map_err(unopenable)?;
        Ok(rewrite && cut)
    }
}
