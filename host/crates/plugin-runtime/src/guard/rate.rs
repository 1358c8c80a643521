//! So many a second, with a second's worth saved up.

use std::{
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// A bucket of tokens that is full at first.
#[derive(Debug)]
pub(super) struct Bucket {
    per_second: u32,
    /// Thousandths of tokens and when they were counted.
    state: Mutex<Option<(u64, Instant)>>,
}

impl Bucket {
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second, state: Mutex::new(None) }
    }

    /// Takes a token, if there is one.
    pub(super) fn take(&self, now: Instant) -> bool {
        let most = u64::from(self.per_second) * 1_000;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (tokens, since) = state.unwrap_or((most, now));
        // A token per second is a thousandth per millisecond; in microseconds, so that little time is not lost.
        let elapsed = u64::try_from(now.saturating_duration_since(since).as_micros()).unwrap_or(u64::MAX);
        let gained = elapsed.saturating_mul(self.per_second.into()) / 1_000;
        let since = if gained > 0 { now } else { since };
        let tokens = tokens.saturating_add(gained).min(most);
        let left = tokens.checked_sub(1_000);
        *state = Some((left.unwrap_or(tokens), since));
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_second_s_worth_is_there_at_first_and_the_rest_comes_with_time() {
        let (bucket, now) = (Bucket::new(100), Instant::now());
        let taken = |now| (0..1_000).filter(|_| bucket.take(now)).count();
        assert_eq!(taken(now), 100);
        assert_eq!(taken(now + Duration::from_millis(50)), 5);
        assert_eq!(taken(now + Duration::from_secs(60)), 100);
    }
}
