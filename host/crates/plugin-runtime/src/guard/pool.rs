//! The slots in which calls run, shared fairly: a slot that becomes free goes to the plugin that holds the fewest of those that wait.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use tokio::{
    sync::oneshot,
    time::{Instant, timeout_at},
};

use crate::bulkhead::Busy;

/// How many slots one plugin holds.
pub(crate) type Held = Arc<AtomicU32>;

/// All slots.
#[derive(Debug)]
pub(crate) struct Pool(Mutex<State>);

#[derive(Debug)]
struct State {
    free: u32,
    /// In order of arrival.
    waiting: VecDeque<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    held: Held,
    wake: oneshot::Sender<Slot>,
}

/// A slot of the pool, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    /// None: it was taken back by the pool itself.
    place: Option<(Arc<Pool>, Held)>,
}

impl Pool {
    pub(crate) fn new(size: u32) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { free: size, waiting: VecDeque::new() })))
    }

    /// Waits for a slot until the call's time is over.
    pub(crate) async fn enter(self: &Arc<Self>, held: &Held, deadline: Instant) -> Result<Slot, Busy> {
        let turn = {
            let mut state = self.lock();
            // While somebody waits nothing is free.
            if let Some(free) = state.free.checked_sub(1) {
                state.free = free;
                return Ok(self.slot(held));
            }
            let (wake, turn) = oneshot::channel();
            state.waiting.push_back(Waiter { held: Arc::clone(held), wake });
            turn
        };
        // Who gives up drops the receiver, and with it a slot that came at that very moment.
        match timeout_at(deadline, turn).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) | Err(_) => Err(Busy::TimedOut),
        }
    }

    fn slot(self: &Arc<Self>, held: &Held) -> Slot {
        held.fetch_add(1, Ordering::Relaxed);
        Slot { place: Some((Arc::clone(self), Arc::clone(held))) }
    }

    fn release(self: &Arc<Self>) {
        loop {
            let next = {
                let mut state = self.lock();
                state.waiting.retain(|waiter| !waiter.wake.is_closed());
                match state.next() {
                    Some(next) => next,
                    None => {
                        state.free += 1;
                        return;
                    }
                }
            };
            match next.wake.send(self.slot(&next.held)) {
                Ok(()) => return,
                // It gave up meanwhile: the slot goes to the next, without being given back in between.
                Err(mut slot) => {
                    slot.place = None;
                    next.held.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Of the waiters whose plugins hold the fewest, the first.
    fn next(&mut self) -> Option<Waiter> {
        let (place, _) = self.waiting.iter().enumerate().min_by_key(|(_, waiter)| waiter.held.load(Ordering::Relaxed))?;
        self.waiting.remove(place)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if let Some((pool, held)) = self.place.take() {
            held.fetch_sub(1, Ordering::Relaxed);
            pool.release();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll, Waker},
        time::Duration,
    };

    use super::*;

    type Turn = Pin<Box<dyn Future<Output = Result<Slot, Busy>>>>;

    fn enter(pool: &Arc<Pool>, held: &Held) -> Turn {
        let (pool, held) = (Arc::clone(pool), Arc::clone(held));
        let mut turn: Turn = Box::pin(async move { pool.enter(&held, Instant::now() + Duration::from_secs(3_600)).await });
        assert!(turn.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        turn
    }

    fn has(turn: &mut Turn) -> Option<Slot> {
        match turn.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(slot) => Some(slot.unwrap()),
            Poll::Pending => None,
        }
    }

    #[tokio::test]
    async fn a_newcomer_does_not_wait_behind_all_calls_of_those_who_hold_many() {
        let (pool, greedy, modest) = (Pool::new(3), Held::default(), Held::default());
        let far = Instant::now() + Duration::from_secs(3_600);
        let mut running = Vec::new();
        for _ in 0..3 {
            running.push(pool.enter(&greedy, far).await.unwrap());
        }
        let mut queue: Vec<Turn> = (0..10).map(|_| enter(&pool, &greedy)).collect();
        let mut newcomer = enter(&pool, &modest);
        drop(running.pop());
        let slot = has(&mut newcomer).unwrap();
        assert!(queue.iter_mut().all(|turn| has(turn).is_none()));
        // Of one plugin's calls the first is served first.
        drop(running.pop());
        let first = has(&mut queue[0]).unwrap();
        assert!(queue[1..].iter_mut().all(|turn| has(turn).is_none()));
        drop((slot, first, running, queue));
        assert_eq!((pool.lock().free, greedy.load(Ordering::Relaxed), modest.load(Ordering::Relaxed)), (3, 0, 0));
    }

    #[tokio::test]
    async fn who_gives_up_takes_no_slot_along() {
        let (pool, held) = (Pool::new(1), Held::default());
        let running = pool.enter(&held, Instant::now()).await.unwrap();
        assert_eq!(pool.enter(&held, Instant::now()).await.unwrap_err(), Busy::TimedOut);
        let (gone, mut waits) = (enter(&pool, &held), enter(&pool, &held));
        drop(gone);
        drop(running);
        drop(has(&mut waits).unwrap());
        // A slot that came and was never looked at.
        let running = pool.enter(&held, Instant::now()).await.unwrap();
        let unseen = enter(&pool, &held);
        drop(running);
        drop(unseen);
        assert_eq!((pool.lock().free, held.load(Ordering::Relaxed)), (1, 0));
    }
}
