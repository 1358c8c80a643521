//! What keeps one plugin's trouble its own: so many calls at a time, a fair share of the pool, a breaker, a budget of retries. One set for each digest, shared
//! by everything that was loaded or granted from it.

mod breaker;
mod endpoints;
mod pool;
mod rate;
mod retries;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use engine::port::{Call, Verb};
use pipeline::{Digest, Failure, FailureClass};
use serde::Serialize;

use crate::bulkhead::Bulkhead;

use self::{
    breaker::{Admitted, Breaker, Change},
    rate::Bucket,
    retries::Retries,
};
pub use self::{
    breaker::{BreakerOptions, BreakerState},
    endpoints::EndpointHealth,
    retries::RetryBudgetOptions,
};
pub(crate) use self::{
    endpoints::{EndpointLeave, Endpoints, LeftAlone},
    pool::{Held, Pool},
};

/// Spans of a plugin's own, over all its calls. Beyond it they are dropped and counted.
const SPANS_PER_SECOND: u32 = 1_000;
/// Log records of a plugin, over all its calls.
const LOGS_PER_SECOND: u32 = 2_000;
/// Names of spans of one version of a plugin: each is a series wherever spans are counted.
const MAX_SPAN_NAMES: usize = 32;

/// How a plugin is doing: for an operator, and for whoever decides about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginHealth {
    /// Calls that run.
    pub running: u32,
    /// Calls that wait for room.
    pub waiting: u32,
    /// Whether calls are made.
    pub breaker: BreakerState,
    /// Failed calls since the last that did not fail.
    pub consecutive_failures: u32,
    /// How often the breaker opened.
    pub opened: u64,
    /// Calls that an open breaker refused.
    pub refused: u64,
    /// Retries that were refused because there were too many.
    pub retries_refused: u64,
}

/// What all calls of a digest share.
#[derive(Debug)]
pub(crate) struct Guard {
    name: String,
    digest: Digest,
    /// Slots of the pool that its calls hold.
    pub(crate) held: Held,
    rooms: Mutex<Vec<Room>>,
    breaker: Breaker,
    retries: Retries,
    spans: Bucket,
    logs: Bucket,
    /// Names of spans that were used and not declared.
    span_names: Mutex<BTreeSet<String>>,
}

/// Room of a size that somebody uses.
type Room = ((u32, u32), Weak<Bulkhead>);

/// Leave to make a call.
#[derive(Debug)]
pub(crate) struct Leave(Admitted);

/// The guards of all digests that are in use.
#[derive(Debug, Default)]
pub(crate) struct Guards(Mutex<HashMap<Digest, Weak<Guard>>>);

impl Guards {
    /// The guard of a digest.
    pub(crate) fn of(&self, name: &str, digest: &Digest) -> Arc<Guard> {
        let mut guards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guard) = guards.get(digest).and_then(Weak::upgrade) {
            return guard;
        }
        guards.retain(|_, guard| guard.strong_count() > 0);
        let guard = Arc::new(Guard::new(name, digest));
        guards.insert(digest.clone(), Arc::downgrade(&guard));
        guard
    }

    /// Calls of a digest that run and calls that wait, whatever they were granted.
    pub(crate) fn load(&self, digest: &Digest) -> (u32, u32) {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(digest).and_then(Weak::upgrade);
        guard.map_or((0, 0), |guard| guard.load())
    }
}

impl Guard {
    fn new(name: &str, digest: &Digest) -> Self {
        Self {
            name: name.to_owned(),
            digest: digest.clone(),
            held: Held::default(),
            rooms: Mutex::default(),
            breaker: Breaker::default(),
            retries: Retries::default(),
            spans: Bucket::new(SPANS_PER_SECOND),
            logs: Bucket::new(LOGS_PER_SECOND),
            span_names: Mutex::default(),
        }
    }

    /// Room for so many calls and so many that wait: one for everything that was granted the same.
    pub(crate) fn room(&self, max_calls: u32, max_queue: u32) -> Arc<Bulkhead> {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|(_, room)| room.strong_count() > 0);
        let same = rooms.iter().find(|(size, _)| *size == (max_calls, max_queue));
        same.and_then(|(_, room)| room.upgrade()).unwrap_or_else(|| {
            let room = Arc::new(Bulkhead::new(max_calls, max_queue));
            rooms.push(((max_calls, max_queue), Arc::downgrade(&room)));
            room
        })
    }

    /// Calls that run and calls that wait, in all its rooms.
    fn load(&self) -> (u32, u32) {
        let rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let loads = rooms.iter().filter_map(|(_, room)| room.upgrade()).map(|room| room.load());
        loads.fold((0, 0), |(running, waiting), (more, later)| (running + more, waiting + later))
    }

    /// Whether a call may be made now.
    pub(crate) fn admit(&self, call: &Call, breaker: &BreakerOptions, retries: &RetryBudgetOptions, now: Instant) -> Result<Leave, Failure> {
        let (admitted, change) = self.breaker.admit(breaker, now).map_err(|after| self.refused(after))?;
        self.tell(change);
        // A retry is counted once, where it does the work, and not where it first looks.
        let works = matches!(call.verb, Verb::Apply | Verb::Undo { .. });
        let budget = if works && call.attempt.attempt > 1 { self.retries.spend(retries, now) } else { Ok(()) };
        if let Err(after) = budget {
            self.breaker.give_back(admitted);
            let text = format!("`{}` is retried too often: more than {} % of its calls are retries (retry_budget)", self.name, retries.percent);
            return Err(later("plugin.retry_budget", text, after));
        }
        if works && call.attempt.attempt == 1 {
            self.retries.earn(retries);
        }
        Ok(Leave(admitted))
    }

    /// How a call that had leave went. What the plugin refuses for a reason of the request's is no trouble of the plugin's.
    pub(crate) fn record(&self, leave: Leave, options: &BreakerOptions, failure: Option<&Failure>, now: Instant) {
        match failure {
            None => self.tell(self.breaker.succeeded(leave.0, options, now)),
            Some(failure) => match failure.class {
                FailureClass::Unavailable | FailureClass::Unknown => self.tell(self.breaker.failed(leave.0, options, now)),
                FailureClass::Rejected => self.tell(self.breaker.succeeded(leave.0, options, now)),
                FailureClass::Held => self.breaker.give_back(leave.0),
            },
        }
    }

    /// A call that had leave says nothing about the plugin.
    pub(crate) fn excuse(&self, leave: Leave) {
        self.breaker.give_back(leave.0);
    }

    /// How it is doing.
    pub(crate) fn health(&self, (running, waiting): (u32, u32), now: Instant) -> PluginHealth {
        let seen = self.breaker.seen(now);
        PluginHealth {
            running,
            waiting,
            breaker: seen.state,
            consecutive_failures: seen.consecutive,
            opened: seen.opened,
            refused: seen.refused,
            retries_refused: self.retries.refused(),
        }
    }

    /// Whether one more span of its own may be recorded now.
    pub(crate) fn may_begin_span(&self, now: Instant) -> bool {
        self.spans.take(now)
    }

    /// Whether one more log record may be written now.
    pub(crate) fn may_log(&self, now: Instant) -> bool {
        self.logs.take(now)
    }

    /// Whether a span of a plugin that declares none may have that name, because there are few.
    pub(crate) fn knows_span_name(&self, name: &str) -> bool {
        let mut used = self.span_names.lock().unwrap_or_else(PoisonError::into_inner);
        used.contains(name) || (used.len() < MAX_SPAN_NAMES && used.insert(name.to_owned()))
    }

    fn refused(&self, after: Duration) -> Failure {
        later("plugin.breaker_open", format!("`{}` failed too often: its breaker is open, no call is made", self.name), after)
    }

    fn tell(&self, change: Option<Change>) {
        match change {
            None => {}
            Some(Change::Opened { failures, wait }) => {
                tracing::warn!(plugin = %self.name, digest = %self.digest, failures, wait_ms = wait.as_millis(), "the breaker of a plugin opened: it is not called");
            }
            Some(Change::Probing) => tracing::info!(plugin = %self.name, digest = %self.digest, "the breaker of a plugin lets one call through"),
            Some(Change::Closed) => tracing::info!(plugin = %self.name, digest = %self.digest, "the breaker of a plugin closed: it is called again"),
        }
    }
}

/// The time as it is said in a failure: at least a millisecond.
pub(crate) fn retry_after_ms(after: Duration) -> u64 {
    u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1)
}

fn later(error_type: &str, message: String, after: Duration) -> Failure {
    let mut failure = Failure::new(FailureClass::Unavailable, error_type, message);
    failure.retry_after_ms = Some(retry_after_ms(after));
    failure
}
