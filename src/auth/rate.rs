//! How often each caller may ask: so much at once, and so much a second after that.

use std::{num::NonZeroU32, time::Duration};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};

/// Callers kept in mind; above this, those who have been quiet are forgotten.
const MANY: usize = 4096;

/// What each caller may use up. One request uses one, a batch one for each question in it.
pub struct Rate {
    limiter: Option<DefaultKeyedRateLimiter<String>>,
    burst: u32,
}

impl Rate {
    /// With 0 a second there is no limit.
    pub fn new(a_second: u32, burst: u32) -> Self {
        let burst = burst.max(a_second);
        let quota = NonZeroU32::new(a_second).zip(NonZeroU32::new(burst));
        let quota = quota.map(|(a_second, burst)| Quota::per_second(a_second).allow_burst(burst));
        Self { limiter: quota.map(RateLimiter::keyed), burst }
    }

    /// Uses up some of a caller's allowance, or says how long to wait. What could never be had at once, one having
    /// been taken for the request itself, uses up all the rest.
    pub fn take(&self, caller: &str, cost: u32) -> Result<(), Duration> {
        let Some((limiter, cost)) =
            self.limiter.as_ref().zip(NonZeroU32::new(cost.min(self.burst.saturating_sub(1).max(1))))
        else {
            return Ok(());
        };
        if limiter.len() > MANY {
            limiter.retain_recent();
        }
        match limiter.check_key_n(&caller.to_owned(), cost) {
            Ok(Ok(())) | Err(_) => Ok(()),
            Ok(Err(early)) => Err(early.wait_time_from(limiter.clock().now())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_an_allowance_of_its_own() {
        let rate = Rate::new(1, 3);
        assert!((0..3).all(|_| rate.take("edrms", 1).is_ok()));
        let wait = rate.take("edrms", 1).expect_err("used up");
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        assert!(rate.take("portal", 1).is_ok() && rate.take("portal", 2).is_ok());
        assert!(rate.take("portal", 2).expect_err("used up") > Duration::from_secs(1));
    }

    #[test]
    fn what_could_never_be_had_at_once_uses_up_all() {
        let rate = Rate::new(1, 3);
        assert!(rate.take("edrms", 1).is_ok() && rate.take("edrms", 100).is_ok());
        assert!(rate.take("edrms", 1).is_err());
    }

    #[test]
    fn none_is_no_limit() {
        let rate = Rate::new(0, 0);
        assert!((0..10_000).all(|_| rate.take("edrms", 1000).is_ok()));
    }
}
