//! The timer loop: wakes runs whose timer is due. Runs in memory look after their own timers.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use pipeline::Timestamp;
use tracing::warn;

use crate::shared::{Message, Shared};

/// How many runs are woken at a time.
const BATCH: usize = 512;
/// The pause after a full batch, in which its runs leave the list of those that are due.
const AFTER_FULL_BATCH: Duration = Duration::from_millis(2);
/// The pause after the store did not answer.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// The longest sleep: a timer that was missed for any reason is found this much later at the latest.
const LONGEST: Duration = Duration::from_secs(5);

/// Wakes runs until the engine stops.
pub(crate) async fn run(shared: Arc<Shared>) {
    let mut stopping = shared.stopping.subscribe();
    while !shared.is_stopping() {
        let pause_until = turn(&shared).await;
        // The losers of this race hold nothing: the next turn reads the store again.
        tokio::select! {
            () = shared.clock.sleep_until(pause_until) => {}
            () = shared.timer_bell.notified() => {}
            _ = stopping.changed() => return,
        }
    }
}

/// Wakes what is due and returns when to look again.
async fn turn(shared: &Arc<Shared>) -> Timestamp {
    let now = shared.clock.now();
    *shared.next_timer.lock().unwrap_or_else(PoisonError::into_inner) = now.plus(LONGEST);
    let room = shared.room_to_wake().min(BATCH);
    if room == 0 {
        return now.plus(AFTER_FULL_BATCH);
    }
    let due = match shared.timers.due(now, room).await {
        Ok(due) => due,
        Err(error) => {
            warn!("timers cannot be read: {error}");
            return now.plus(AFTER_ERROR);
        }
    };
    let full = due.len() == room;
    for run in due.iter().filter(|run| !shared.is_driven(run)) {
        shared.tell(run, Message::Wake);
    }
    if full {
        return now.plus(AFTER_FULL_BATCH);
    }
    let next = shared.timers.next().await.ok().flatten().unwrap_or(Timestamp(u64::MAX));
    let mut known = shared.next_timer.lock().unwrap_or_else(PoisonError::into_inner);
    // What is due but still being woken is looked at again soon, not at once.
    *known = next.max(now.plus(AFTER_FULL_BATCH)).min(*known);
    *known
}
