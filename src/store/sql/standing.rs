//! What is counted from time to time for those who run the service.

use jiff::{Timestamp, civil::Date};

use super::{facts::unreadable, fault::Fault, store::Store};
use crate::{audit::Standing, pip::Unreadable};

/// Size of the log, entries of which something was erased, holds in force, referrals open and overdue, last write of the
/// register.
type Counts = (i64, i64, i64, i64, i64, Option<i64>);

const COUNTS: &str = "SELECT
    (SELECT size FROM log_head),
    (SELECT count(DISTINCT seq) FROM log_erased),
    (SELECT count(*) FROM log_hold WHERE released_at IS NULL),
    (SELECT count(*) FROM referral WHERE closed_at IS NULL),
    (SELECT count(*) FROM referral WHERE closed_at IS NULL AND due < $1),
    (SELECT max(at) FROM log_leaf WHERE kind = 'register_write')";

impl Store {
    pub(super) async fn stands(&self, today: Date) -> Result<Standing, Unreadable> {
        let counts = sqlx::query_as(COUNTS).bind(today.to_string()).fetch_one(&self.readers);
        let (size, erased, holds, open, overdue, written): Counts = self.ask(counts).await?;
        let written = written.map(Timestamp::from_microsecond).transpose();
        Ok(Standing {
            waiting: (self.queue.max_capacity() - self.queue.capacity()) as u64,
            may_wait: self.queue.max_capacity() as u64,
            size: size.cast_unsigned(),
            erased: erased.cast_unsigned(),
            holds: holds.cast_unsigned(),
            referrals_open: open.cast_unsigned(),
            referrals_overdue: overdue.cast_unsigned(),
            register_written: written.map_err(|_| unreadable(Fault::Damaged("time")))?,
        })
    }
}
