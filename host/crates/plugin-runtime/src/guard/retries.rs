//! A budget of retries: when everything fails, retries must not become the load that keeps it failing.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// How much of a retry a token is made of: hundredths, so that a percentage is a whole number of them.
const WHOLE: u64 = 100;

/// How many retries there may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryBudgetOptions {
    /// Retries that first attempts earn, in percent of their number. 0 and `per_second` 0: no retry is made.
    pub percent: u32,
    /// Retries that are always possible, per second: a plugin that is rarely called must be retried too.
    pub per_second: u32,
    /// Retries that can be saved up.
    pub burst: u32,
}

impl Default for RetryBudgetOptions {
    fn default() -> Self {
        Self { percent: 20, per_second: 10, burst: 200 }
    }
}

/// Retries that can be made.
#[derive(Debug, Default)]
pub(super) struct Retries {
    /// What first attempts earned since the last retry. Every call adds to it, so that there is no lock.
    earned: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// None: nothing was spent yet, so the burst is there.
    saved: Option<(u64, Instant)>,
    refused: u64,
}

impl Retries {
    /// A first attempt is made.
    pub(super) fn earn(&self, options: &RetryBudgetOptions) {
        // What comes before the first retry is on top of a burst that is there already, and lost with the first look.
        self.earned.fetch_add(options.percent.into(), Ordering::Relaxed);
    }

    /// A retry wants to be made; or how long it should wait.
    pub(super) fn spend(&self, options: &RetryBudgetOptions, now: Instant) -> Result<(), Duration> {
        let most = u64::from(options.burst.max(1)) * WHOLE;
        let mut state = self.lock();
        let (saved, since) = state.saved.unwrap_or((most, now));
        let elapsed = u64::try_from(now.saturating_duration_since(since).as_millis()).unwrap_or(u64::MAX);
        let by_time = elapsed.saturating_mul(options.per_second.into()).saturating_mul(WHOLE) / 1_000;
        // Time that gave nothing yet is not forgotten.
        let since = if by_time > 0 { now } else { since };
        let tokens = saved.saturating_add(by_time).saturating_add(self.earned.swap(0, Ordering::Relaxed)).min(most);
        let left = tokens.checked_sub(WHOLE);
        state.saved = Some((left.unwrap_or(tokens), since));
        if left.is_some() {
            return Ok(());
        }
        state.refused += 1;
        // As long as a token takes by time alone, or a second where time gives none.
        Err(Duration::from_secs(1).checked_div(options.per_second).unwrap_or(Duration::from_secs(1)).max(Duration::from_millis(100)))
    }

    /// Retries that were refused.
    pub(super) fn refused(&self) -> u64 {
        self.lock().refused
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(retries: &Retries, options: &RetryBudgetOptions, wanted: usize, now: Instant) -> usize {
        (0..wanted).filter(|_| retries.spend(options, now).is_ok()).count()
    }

    #[test]
    fn retries_are_a_share_of_first_attempts_and_some_by_time() {
        let options = RetryBudgetOptions { percent: 20, per_second: 2, burst: 10 };
        let (retries, now) = (Retries::default(), Instant::now());
        (0..25).for_each(|_| retries.earn(&options));
        assert_eq!(made(&retries, &options, 100, now), 10, "the burst");
        (0..25).for_each(|_| retries.earn(&options));
        assert_eq!(made(&retries, &options, 100, now), 5, "a fifth of 25");
        let now = now + Duration::from_secs(3);
        assert_eq!(made(&retries, &options, 100, now), 6, "two a second");
        let now = now + Duration::from_secs(3_600);
        assert_eq!(made(&retries, &options, 100, now), 10, "no more than the burst is saved");
        assert_eq!(retries.spend(&options, now), Err(Duration::from_millis(500)));
        assert_eq!(retries.refused(), 370);
    }

    #[test]
    fn time_in_small_pieces_gives_as_much_as_in_large_ones() {
        let options = RetryBudgetOptions { percent: 0, per_second: 10, burst: 1 };
        let (retries, now) = (Retries::default(), Instant::now());
        let made: usize = (0..1_000_u64).map(|ms| made(&retries, &options, 1, now + Duration::from_millis(ms))).sum();
        assert_eq!(made, 10);
    }
}
