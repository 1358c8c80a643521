//! Room for calls: so many at a time, so many waiting, and no more.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, timeout_at},
};

/// Limits the calls of one plugin.
#[derive(Debug)]
pub(crate) struct Bulkhead {
    room: Semaphore,
    size: u32,
    waiting: AtomicU32,
    max_waiting: u32,
}

/// Why a call did not get room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Busy {
    /// Too many wait already.
    #[error("{waiting} calls wait for this plugin already")]
    QueueFull {
        /// How many.
        waiting: u32,
    },
    /// The call's time was over before it got room.
    #[error("no room within the time of the call")]
    TimedOut,
}

impl Bulkhead {
    pub(crate) fn new(size: u32, max_waiting: u32) -> Self {
        Self { room: Semaphore::new(size as usize), size, waiting: AtomicU32::new(0), max_waiting }
    }

    /// Waits for room, in order of arrival, until the call's time is over.
    pub(crate) async fn enter(&self, deadline: Instant) -> Result<SemaphorePermit<'_>, Busy> {
        if let Ok(permit) = self.room.try_acquire() {
            return Ok(permit);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let waiting = Waiting(&self.waiting);
        if before >= self.max_waiting {
            return Err(Busy::QueueFull { waiting: before });
        }
        let permit = until(deadline, &self.room).await;
        drop(waiting);
        permit
    }

    /// Calls that run and calls that wait.
    pub(crate) fn load(&self) -> (u32, u32) {
        let free = u32::try_from(self.room.available_permits()).unwrap_or(u32::MAX);
        (self.size.saturating_sub(free), self.waiting.load(Ordering::Relaxed))
    }
}

/// Waits for a permit until an instant.
async fn until(deadline: Instant, room: &Semaphore) -> Result<SemaphorePermit<'_>, Busy> {
    if let Ok(permit) = room.try_acquire() {
        return Ok(permit);
    }
    match timeout_at(deadline, room.acquire()).await {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_closed)) => unreachable!("the semaphores of this crate are never closed"),
        Err(_elapsed) => Err(Busy::TimedOut),
    }
}

/// Counts down also when the waiting future is dropped.
struct Waiting<'a>(&'a AtomicU32);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future as _,
        task::{Context, Waker},
        time::Duration,
    };

    use super::*;

    #[tokio::test]
    async fn a_full_bulkhead_queues_then_refuses() {
        let bulkhead = Bulkhead::new(1, 1);
        let far = Instant::now() + Duration::from_secs(3600);
        let first = bulkhead.enter(far).await.unwrap();
        let mut second = Box::pin(bulkhead.enter(far));
        assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        assert_eq!(bulkhead.load(), (1, 1));
        assert_eq!(bulkhead.enter(far).await.unwrap_err(), Busy::QueueFull { waiting: 1 });
        drop(first);
        let permit = second.await.unwrap();
        assert_eq!(bulkhead.load(), (1, 0));
        drop(permit);
        assert_eq!(bulkhead.load(), (0, 0));
    }

    #[tokio::test]
    async fn who_waits_too_long_is_refused() {
        let bulkhead = Bulkhead::new(0, 1);
        assert_eq!(bulkhead.enter(Instant::now()).await.unwrap_err(), Busy::TimedOut);
        assert_eq!(bulkhead.load(), (0, 0));
    }
}
