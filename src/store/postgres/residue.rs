//! What deleting leaves in the tables, and its removal.
//!
//! Rows deleted stay in their pages until the server vacuums them, and as bytes until something else is written there.
//! Only rewriting a table (`VACUUM FULL`) leaves nothing, which only its owner may do and which keeps answers waiting: so
//! it is done at leisure, by `pinkpaper log erase` as the owner. The server's write-ahead log, its archive and backups
//! are not reached from here.

use sqlx::Connection as _;

use super::place::Place;
use crate::store::OpenError;

const OWNED: &str = "SELECT bool_and(pg_has_role(relowner, 'USAGE')) FROM pg_class
    WHERE oid IN ('log_payload'::regclass, 'log_search'::regclass, 'log_search_rule'::regclass,
                  'log_idempotency'::regclass, 'log_hold'::regclass, 'referral'::regclass,
                  'determination'::regclass)";

const REWRITE: &str = "VACUUM (FULL) log_payload, log_search, log_search_rule, log_idempotency, log_hold, referral,
                       determination";

impl Place {
    /// Whether nothing is left in the tables.
    pub async fn scrub(&self, leisure: bool) -> Result<bool, OpenError> {
        if !leisure {
            return Ok(false);
        }
        let mut connection = self.unhurried().await?;
        // The server only warns, and passes over, what is another's.
        let owned: bool = sqlx::query_scalar(OWNED).fetch_one(&mut connection).await?;
        if owned {
            sqlx::query(REWRITE).execute(&mut connection).await?;
        }
        connection.close().await?;
        Ok(owned)
    }
}
