//! How many requests of one rule there may be at a time, and in a time. Who must wait waits at most until the call ends.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep_until, timeout_at},
};

use crate::grant::HttpRule;

/// The bounds of one rule, shared by all calls.
#[derive(Debug)]
pub(super) struct Throttle {
    room: Option<Arc<Semaphore>>,
    pace: Option<Pace>,
}

/// The call would end before it is its turn.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoTurn;

#[derive(Debug)]
struct Pace {
    interval: Duration,
    /// How far ahead of an even spread requests may run.
    ahead: Duration,
    /// When the next one comes in an even spread.
    next: Mutex<Option<Instant>>,
}

impl Throttle {
    pub(super) fn new(rule: &HttpRule) -> Self {
        let burst = rule.burst.map_or(1, u32::from);
        let pace = rule.rate.map(|rate| Pace { interval: rate.interval(), ahead: rate.interval() * (burst - 1), next: Mutex::default() });
        Self { room: rule.concurrency.map(|most| Arc::new(Semaphore::new(most.get() as usize))), pace }
    }

    /// Waits for room and then for the turn. The room is taken until what is returned is dropped.
    pub(super) async fn enter(&self, deadline: Instant) -> Result<Option<OwnedSemaphorePermit>, NoTurn> {
        let permit = match &self.room {
            None => None,
            Some(room) => {
                let permit = timeout_at(deadline, Arc::clone(room).acquire_owned()).await;
                Some(permit.map_err(|_elapsed| NoTurn)?.map_err(|_closed| NoTurn)?)
            }
        };
        if let Some(pace) = &self.pace {
            sleep_until(pace.take(Instant::now(), deadline)?).await;
        }
        Ok(permit)
    }
}

impl Pace {
    /// Takes the next turn; it is in the past where there is no need to wait. A turn that would come too late is not taken.
    fn take(&self, now: Instant, deadline: Instant) -> Result<Instant, NoTurn> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let even = next.map_or(now, |next| next.max(now));
        let turn = even.checked_sub(self.ahead).map_or(now, |turn| turn.max(now));
        if turn > deadline {
            return Err(NoTurn);
        }
        *next = Some(even + self.interval);
        Ok(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(edit: impl FnOnce(&mut HttpRule)) -> Throttle {
        let mut rule = HttpRule::to("http://127.0.0.1:1");
        edit(&mut rule);
        Throttle::new(&rule)
    }

    #[test]
    fn requests_are_spread_after_a_burst_and_a_turn_that_comes_too_late_is_not_taken() {
        let throttle = throttle(|rule| (rule.rate, rule.burst) = ("10/s".parse().ok(), 3.try_into().ok()));
        let (pace, now) = (throttle.pace.unwrap(), Instant::now());
        let turns: Vec<_> = (0..5).map(|_| pace.take(now, now + Duration::from_millis(250)).map(|turn| (turn - now).as_millis())).collect();
        assert_eq!(turns, [Ok(0), Ok(0), Ok(0), Ok(100), Ok(200)]);
        assert_eq!(pace.take(now, now + Duration::from_millis(250)), Err(NoTurn));
        let later = now + Duration::from_secs(60);
        assert_eq!(pace.take(later, later).map(|turn| turn - later), Ok(Duration::ZERO));
    }

    #[tokio::test]
    async fn room_is_taken_until_the_request_is_over() {
        let throttle = throttle(|rule| rule.concurrency = 1.try_into().ok());
        let soon = || Instant::now() + Duration::from_millis(10);
        let first = throttle.enter(soon()).await.unwrap();
        assert!(matches!(throttle.enter(soon()).await, Err(NoTurn)));
        drop(first);
        assert!(throttle.enter(soon()).await.is_ok());
    }
}
