//! How the service stands: whether it could answer, and what those who run it watch.

use std::{sync::Arc, time::Duration};

use super::App;
use crate::{domain::calendar::london_day, telemetry::metrics};

/// How often it is told. Each time costs a few counts and an empty commit.
const EVERY: Duration = Duration::from_secs(15);

/// Whether a question could be answered now, and if not, what stands in the way. The register is never in the way: an
/// empty one names nobody, and opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Facts can be read and an entry made durable.
    pub store: bool,
    /// The log goes on from what was signed of it.
    pub log: bool,
    /// The policies in force are loaded here.
    pub policies: bool,
}

impl Readiness {
    pub fn is_complete(self) -> bool {
        self.store && self.log && self.policies
    }
}

impl App {
    /// Tries the store, and says in the process's own lines what is wrong with it.
    pub async fn readiness(&self) -> Readiness {
        let tried = self.store.ready().await;
        if let Err(error) = &tried {
            tracing::warn!(error = %error, "not ready");
        }
        let store = tried.is_ok();
        let policies = store && self.rules_with(&self.store.snapshot()).await.is_ok();
        Readiness { store, log: store && self.checkpoints.sound(), policies }
    }

    /// Tells the numbers how it stands, until the service ends.
    pub async fn tell_standing(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let now = self.readiness().await;
            for (check, holds) in
                [("store", now.store), ("log", now.log), ("policies", now.policies), ("register", now.store)]
            {
                metrics::ready(check, holds);
            }
            // What cannot be counted keeps its last number; that the store is not ready has been told.
            if let Ok(counted) = self.counted().await {
                metrics::standing(&counted);
            }
        }
    }

    async fn counted(&self) -> Result<metrics::Standing, crate::pip::Unreadable> {
        let now = self.clock.now();
        let kept = self.store.standing(london_day(now)).await?;
        let since = |then: jiff::Timestamp| (now.as_millisecond() - then.as_millisecond()) as f64 / 1000.0;
        Ok(metrics::Standing {
            queue: kept.waiting,
            queue_limit: kept.may_wait,
            log_size: kept.size,
            erased: kept.erased,
            holds: kept.holds,
            sound: self.checkpoints.sound(),
            checkpoint_age: self.checkpoints.signed_at().map(since),
            facts_version: self.store.snapshot().facts_version,
            register_age: kept.register_written.map(since),
            referrals_open: kept.referrals_open,
            referrals_overdue: kept.referrals_overdue,
        })
    }
}
