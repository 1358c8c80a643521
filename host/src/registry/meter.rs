//! What the host measures of the calls of a canary and of the versions that it is compared with. Nothing is measured, and nothing costs, while there is none.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use engine::port::{Call, CallReport};
use pipeline::{Digest, FailureClass, Provider};
use serde::Serialize;

/// Sixteen buckets for each doubling of the duration: a bucket is at most a sixteenth of its lower end wide.
const PER_DOUBLING: u64 = 16;
/// Up to 2^36 us, 19 hours.
const BUCKETS: usize = 33 * 16;

/// The digests that are measured.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    active: AtomicBool,
    watched: RwLock<HashMap<Digest, Arc<Counts>>>,
}

/// What was counted of one digest.
pub(super) struct Counts {
    calls: AtomicU64,
    errors: AtomicU64,
    durations: Vec<AtomicU64>,
}

/// What was seen of one side of a comparison.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Seen {
    /// Calls that ended.
    pub(crate) calls: u64,
    /// Those that failed, whatever the reason.
    pub(crate) errors: u64,
    /// The share of those, 0 to 1.
    pub(crate) error_rate: f64,
    /// How long 99 of a hundred took at most, in milliseconds, up to a sixteenth too little.
    pub(crate) p99_ms: f64,
}

impl Meter {
    /// Measures these digests from now on; what is known of one that was measured before is kept.
    pub(super) fn watch(&self, digests: impl IntoIterator<Item = Digest>) {
        let mut watched = self.watched.write().unwrap_or_else(PoisonError::into_inner);
        let mut before = std::mem::take(&mut *watched);
        for digest in digests {
            let counts = before.remove(&digest).unwrap_or_default();
            watched.insert(digest, counts);
        }
        self.active.store(!watched.is_empty(), Ordering::Relaxed);
    }

    /// Begins the measurement of a digest anew.
    pub(super) fn forget(&self, digests: &[Digest]) {
        let mut watched = self.watched.write().unwrap_or_else(PoisonError::into_inner);
        for digest in digests {
            watched.remove(digest);
        }
    }

    /// Whether anything is measured.
    pub(super) fn is_active(&self) -> bool {
        self.active.load(Ordering::Relaxed)
    }

    /// Where a call is counted, if it is.
    pub(super) fn of(&self, call: &Call) -> Option<Arc<Counts>> {
        if !self.is_active() {
            return None;
        }
        let Provider::Plugin { digest, .. } = &call.pin.provider else { return None };
        self.watched.read().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    /// What was seen of these digests together.
    pub(super) fn seen<'a>(&self, digests: impl IntoIterator<Item = &'a Digest>) -> Seen {
        let watched = self.watched.read().unwrap_or_else(PoisonError::into_inner);
        let counts: Vec<&Arc<Counts>> = digests.into_iter().filter_map(|digest| watched.get(digest)).collect();
        let sum = |of: fn(&Counts) -> &AtomicU64| counts.iter().map(|counts| of(counts).load(Ordering::Relaxed)).sum::<u64>();
        let (calls, errors) = (sum(|counts| &counts.calls), sum(|counts| &counts.errors));
        let bucket = |number: usize| counts.iter().map(|counts| counts.durations[number].load(Ordering::Relaxed)).sum::<u64>();
        let error_rate = if calls == 0 { 0.0 } else { errors as f64 / calls as f64 };
        Seen { calls, errors, error_rate, p99_ms: lower_end(percentile(bucket, calls)) as f64 / 1e3 }
    }
}

/// The bucket in which the call is that 99 of a hundred are not slower than.
fn percentile(bucket: impl Fn(usize) -> u64, calls: u64) -> usize {
    let rank = (calls * 99).div_ceil(100);
    let mut sum = 0;
    (0..BUCKETS)
        .find(|number| {
            sum += bucket(*number);
            sum >= rank
        })
        .unwrap_or(BUCKETS - 1)
}

impl Counts {
    /// Counts a call. One that was not made because of a quarantine is none.
    pub(super) fn add(&self, took: Duration, report: &CallReport) {
        let failure = report.answer.as_ref().err();
        if failure.is_some_and(|failure| failure.class == FailureClass::Held && failure.error_type == "plugin.quarantined") {
            return;
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.durations[bucket(micros)].fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(failure.is_some().into(), Ordering::Relaxed);
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

impl Default for Counts {
    fn default() -> Self {
        let durations = std::iter::repeat_with(AtomicU64::default).take(BUCKETS).collect();
        Self { calls: AtomicU64::default(), errors: AtomicU64::default(), durations }
    }
}

impl std::fmt::Debug for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counts").field("calls", &self.calls).field("errors", &self.errors).finish_non_exhaustive()
    }
}

/// Exact below 16 us, then sixteen to a doubling.
fn bucket(micros: u64) -> usize {
    let Some(doublings) = micros.checked_ilog2().filter(|log| *log >= 4).map(|log| u64::from(log) - 4) else {
        return usize::try_from(micros).unwrap_or(0);
    };
    let number = PER_DOUBLING * (doublings + 1) + ((micros >> doublings) - PER_DOUBLING);
    usize::try_from(number).unwrap_or(BUCKETS - 1).min(BUCKETS - 1)
}

fn lower_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    match bucket / PER_DOUBLING {
        0 => bucket,
        doublings => (PER_DOUBLING + bucket % PER_DOUBLING) << (doublings - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_begins_at_most_a_sixteenth_below_what_it_counts() {
        for micros in (0..5_000).chain([99_999, 200_000, 1_000_000, 30_000_000]) {
            let low = lower_end(bucket(micros));
            assert!(low <= micros && micros <= low + low / 16, "{micros} us is in the bucket that begins at {low}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn the_slowest_of_a_hundred_is_found() {
        let counts = |fast: u64, slow: u64| {
            move |number: usize| {
                if number == bucket(1_000) {
                    fast
                } else if number == bucket(64_000) {
                    slow
                } else {
                    0
                }
            }
        };
        for (fast, slow, expected) in [(100, 0, 992), (99, 1, 992), (98, 2, 63_488), (0, 1, 63_488)] {
            assert_eq!(lower_end(percentile(counts(fast, slow), fast + slow)), lower_end(bucket(expected)), "{fast} and {slow}");
        }
    }
}
