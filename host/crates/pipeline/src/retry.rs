//! Retry arithmetic: exponential back-off with full jitter, where the jitter is a hash and not a random number.

use std::{num::NonZeroU32, time::Duration};

use serde::{Deserialize, Serialize};

use crate::key::IdempotencyKey;

/// How often and how long an item is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// The number of failed attempts after which the item has failed.
    pub max_attempts: NonZeroU32,
    /// The upper bound of the first pause.
    pub initial: Duration,
    /// The upper bound of every pause.
    pub max: Duration,
    /// No attempt starts later than this after the item was scheduled.
    pub deadline: Duration,
}

impl RetryPolicy {
    /// One attempt, no retry.
    pub const ONCE: Self = Self {
        max_attempts: NonZeroU32::MIN,
        initial: Duration::from_millis(1),
        max: Duration::from_millis(1),
        deadline: Duration::from_secs(u32::MAX as u64),
    };

    /// The pause before the attempt that follows `failures` failures (at least 1): uniform in `[0, min(max, initial * 2^(failures-1))]` by the hash of
    /// (key, failures), and never shorter than what the provider asked for (itself capped by `max`, so that a provider cannot park a run).
    pub fn pause(&self, key: &IdempotencyKey, failures: u32, asked: Option<Duration>) -> Duration {
        let ceiling = self.initial.saturating_mul(1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX)).min(self.max);
        let jittered = ceiling.mul_f64(fraction(key, failures));
        asked.map_or(jittered, |asked| jittered.max(asked.min(self.max)))
    }
}

/// A number in `[0, 1)` that depends on nothing but its arguments.
fn fraction(key: &IdempotencyKey, failures: u32) -> f64 {
    let mut hasher = blake3::Hasher::new_derive_key("jackfield 2026 retry jitter");
    hasher.update(key.as_str().as_bytes());
    hasher.update(&failures.to_le_bytes());
    let mut first = [0; 4];
    hasher.finalize_xof().fill(&mut first);
    f64::from(u32::from_le_bytes(first)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> RetryPolicy {
        RetryPolicy {
            max_attempts: NonZeroU32::new(5).unwrap(),
            initial: Duration::from_millis(100),
            max: Duration::from_secs(2),
            deadline: Duration::from_secs(60),
        }
    }

    #[test]
    fn the_pause_is_bounded_by_the_doubling_ceiling_and_the_maximum() {
        for n in 0..200_u32 {
            let key = IdempotencyKey::of_text(&n.to_string());
            for failures in 1..40 {
                let ceiling = Duration::from_millis(100).saturating_mul(1_u32.checked_shl(failures - 1).unwrap_or(u32::MAX)).min(policy().max);
                assert!(policy().pause(&key, failures, None) <= ceiling);
            }
        }
    }

    #[test]
    fn the_pause_is_the_same_when_computed_again_and_differs_between_keys() {
        let (a, b) = (IdempotencyKey::of_text("a"), IdempotencyKey::of_text("b"));
        assert_eq!(policy().pause(&a, 3, None), policy().pause(&a, 3, None));
        assert_ne!(policy().pause(&a, 3, None), policy().pause(&b, 3, None));
    }

    #[test]
    fn retry_after_is_honoured_up_to_the_maximum() {
        let key = IdempotencyKey::of_text("a");
        assert!(policy().pause(&key, 1, Some(Duration::from_secs(1))) >= Duration::from_secs(1));
        assert_eq!(policy().pause(&key, 1, Some(Duration::from_secs(3600))), policy().max);
    }
}
