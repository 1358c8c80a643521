//! A clock that is set by hand and wakes its sleepers.

use std::sync::Mutex;

use async_trait::async_trait;
use pipeline::Timestamp;
use tokio::sync::watch;

use crate::port::Clock;

/// Time passes when a test says so.
#[derive(Debug)]
pub struct SimClock {
    now: watch::Sender<Timestamp>,
    sleepers: Mutex<Vec<Timestamp>>,
}

impl Default for SimClock {
    fn default() -> Self {
        Self { now: watch::Sender::new(Timestamp(1_000_000)), sleepers: Mutex::new(Vec::new()) }
    }
}

impl SimClock {
    /// Lets time pass.
    pub fn advance(&self, by: std::time::Duration) {
        self.now.send_modify(|now| *now = now.plus(by));
    }

    /// Moves to the earliest moment that somebody sleeps for; `false` when nobody sleeps.
    pub fn advance_to_next_sleeper(&self) -> bool {
        let now = self.now();
        let mut sleepers = self.sleepers.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        sleepers.retain(|until| *until > now);
        let Some(next) = sleepers.iter().min().copied() else { return false };
        drop(sleepers);
        self.now.send_replace(next);
        true
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    async fn sleep_until(&self, until: Timestamp) {
        self.sleepers.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(until);
        let mut now = self.now.subscribe();
        // The sender lives as long as the clock, which this borrow keeps alive.
        let _always_ok = now.wait_for(|now| *now >= until).await;
    }
}
