//! A circuit breaker: who fails again and again is left alone for a while, and then asked once. It is told the time, and so needs none of its own.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};

/// The longest time between two probes, as a multiple of the first.
const MAX_BACKOFF: u32 = 12;

/// When calls are stopped and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerOptions {
    /// It opens after so many failures in a row. 0: never, whatever happens.
    pub consecutive: u32,
    /// It opens when so many percent of the calls of the window failed ...
    pub failure_percent: u32,
    /// ... and there were so many calls in it.
    pub min_calls: u32,
    /// The window in seconds.
    pub window_s: u32,
    /// How long it stays open in milliseconds before one call is let through. Each probe that fails makes it twice as long, up to twelve times.
    pub open_ms: u64,
}

/// Whether calls are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakerState {
    /// All are.
    Closed,
    /// None is.
    Open,
    /// One is, to see.
    HalfOpen,
}

/// What became of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It opened.
    Opened { failures: u32, wait: Duration },
    /// It lets one call through.
    Probing,
    /// It closed.
    Closed,
}

/// Leave for one call.
#[derive(Debug)]
pub(super) struct Admitted {
    /// When it was let through to see; none of a call like any other.
    since: Option<Instant>,
}

/// What can be seen of a breaker.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) state: BreakerState,
    pub(super) consecutive: u32,
    pub(super) opened: u64,
    pub(super) refused: u64,
}

/// A circuit breaker.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    consecutive: u32,
    window: Option<Window>,
    /// Probes that failed since it was last closed.
    failed_probes: u32,
    opened: u64,
    refused: u64,
}

#[derive(Debug, Default, Clone, Copy)]
enum Phase {
    #[default]
    Closed,
    Open {
        until: Instant,
    },
    /// A probe runs. If nothing is heard of it by then, another is let through.
    Probing {
        since: Instant,
        until: Instant,
    },
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began: Instant,
    calls: u32,
    failures: u32,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self { consecutive: 20, failure_percent: 50, min_calls: 100, window_s: 30, open_ms: 5_000 }
    }
}

impl BreakerOptions {
    fn wait(&self, failed_probes: u32) -> Duration {
        let factor = 1_u32.checked_shl(failed_probes).unwrap_or(MAX_BACKOFF).min(MAX_BACKOFF);
        Duration::from_millis(self.open_ms).saturating_mul(factor)
    }

    fn too_many(&self, consecutive: u32, window: Window) -> bool {
        let share = u64::from(window.failures) * 100 >= u64::from(window.calls) * u64::from(self.failure_percent);
        self.consecutive > 0 && (consecutive >= self.consecutive || (window.calls >= self.min_calls.max(1) && share))
    }
}

impl Breaker {
    /// Leave for a call, or how long none is made.
    pub(super) fn admit(&self, options: &BreakerOptions, now: Instant) -> Result<(Admitted, Option<Change>), Duration> {
        let mut state = self.lock();
        match state.phase {
            Phase::Closed => Ok((Admitted { since: None }, None)),
            Phase::Open { until } | Phase::Probing { until, .. } if now < until => {
                state.refused += 1;
                Err(until - now)
            }
            Phase::Open { .. } | Phase::Probing { .. } => {
                state.phase = Phase::Probing { since: now, until: now + options.wait(state.failed_probes) };
                Ok((Admitted { since: Some(now) }, Some(Change::Probing)))
            }
        }
    }

    /// The call was not made after all, or says nothing.
    pub(super) fn give_back(&self, admitted: Admitted) {
        let mut state = self.lock();
        if let Some(began) = admitted.since.filter(|_| state.is_probe(&admitted)) {
            // It was open until the probe began, so the next call is one.
            state.phase = Phase::Open { until: began };
        }
    }

    /// The call was answered.
    pub(super) fn succeeded(&self, admitted: Admitted, options: &BreakerOptions, now: Instant) -> Option<Change> {
        let mut state = self.lock();
        state.consecutive = 0;
        if matches!(state.phase, Phase::Closed) {
            state.count(options, now, false);
            return None;
        }
        // What comes back late proves nothing: it began before it opened, or another probe has taken its place.
        state.is_probe(&admitted).then(|| {
            (state.phase, state.failed_probes, state.window) = (Phase::Closed, 0, None);
            Change::Closed
        })
    }

    /// The call failed by the fault of who was called.
    pub(super) fn failed(&self, admitted: Admitted, options: &BreakerOptions, now: Instant) -> Option<Change> {
        let mut state = self.lock();
        state.consecutive = state.consecutive.saturating_add(1);
        match state.phase {
            Phase::Closed => {
                let window = state.count(options, now, true);
                options.too_many(state.consecutive, window).then(|| state.open(options, now))
            }
            Phase::Probing { .. } if state.is_probe(&admitted) => {
                state.failed_probes = state.failed_probes.saturating_add(1);
                Some(state.open(options, now))
            }
            Phase::Open { .. } | Phase::Probing { .. } => None,
        }
    }

    pub(super) fn seen(&self, now: Instant) -> Seen {
        let state = self.lock();
        let shown = match state.phase {
            Phase::Closed => BreakerState::Closed,
            Phase::Open { until } if now < until => BreakerState::Open,
            Phase::Open { .. } | Phase::Probing { .. } => BreakerState::HalfOpen,
        };
        Seen { state: shown, consecutive: state.consecutive, opened: state.opened, refused: state.refused }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether this call is the probe that runs.
    fn is_probe(&self, admitted: &Admitted) -> bool {
        matches!(self.phase, Phase::Probing { since, .. } if Some(since) == admitted.since)
    }

    fn count(&mut self, options: &BreakerOptions, now: Instant, failed: bool) -> Window {
        let length = Duration::from_secs(options.window_s.into());
        let fresh = Window { began: now, calls: 0, failures: 0 };
        let mut window = self.window.filter(|window| now.saturating_duration_since(window.began) < length).unwrap_or(fresh);
        window.calls = window.calls.saturating_add(1);
        window.failures = window.failures.saturating_add(u32::from(failed));
        self.window = Some(window);
        window
    }

    fn open(&mut self, options: &BreakerOptions, now: Instant) -> Change {
        let wait = options.wait(self.failed_probes);
        self.phase = Phase::Open { until: now + wait };
        self.opened += 1;
        Change::Opened { failures: self.consecutive, wait }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: BreakerOptions = BreakerOptions { consecutive: 3, failure_percent: 50, min_calls: 10, window_s: 30, open_ms: 1_000 };

    /// What happens and at which millisecond, as a line of words: `ok`, `bad`, `lost` (given back), `no` (must be refused), `late` (a failure of a call that began
    /// while it was closed). Returns the states that were seen.
    fn check(script: &[(u64, &str)], expected: &[BreakerState]) {
        let (breaker, zero) = (Breaker::default(), Instant::now() + Duration::from_secs(100_000));
        let mut seen = Vec::new();
        for (at, what) in script {
            let now = zero + Duration::from_millis(*at);
            match (*what, breaker.admit(&OPTIONS, now)) {
                ("no", refused) => assert!(refused.is_err(), "{at}"),
                ("ok", Ok((leave, _))) => drop(breaker.succeeded(leave, &OPTIONS, now)),
                ("bad", Ok((leave, _))) => drop(breaker.failed(leave, &OPTIONS, now)),
                ("lost", Ok((leave, _))) => breaker.give_back(leave),
                ("late", Err(_)) => drop(breaker.failed(Admitted { since: None }, &OPTIONS, now)),
                (what, found) => panic!("{what} at {at}: {found:?}"),
            }
            seen.push(breaker.seen(now).state);
        }
        assert_eq!(seen, expected, "{script:?}");
    }

    #[test]
    fn it_opens_lets_one_call_through_and_closes_or_stays_open_for_longer() {
        use BreakerState::{Closed as C, HalfOpen as H, Open as O};
        check(&[(0, "bad"), (1, "bad"), (2, "ok"), (3, "bad"), (4, "bad"), (5, "bad"), (6, "no")], &[C, C, C, C, C, O, O]);
        check(&[(0, "bad"), (0, "bad"), (0, "bad"), (999, "no"), (1_000, "ok"), (1_000, "ok")], &[C, C, O, O, C, C]);
        // A probe that fails doubles the time; what comes back late changes nothing.
        check(
            &[(0, "bad"), (0, "bad"), (0, "bad"), (10, "late"), (1_000, "bad"), (2_900, "no"), (3_000, "bad"), (6_900, "no"), (7_000, "ok")],
            &[C, C, O, O, O, O, O, O, C],
        );
        // A probe that says nothing leaves the next call to be one.
        check(&[(0, "bad"), (0, "bad"), (0, "bad"), (1_000, "lost"), (1_001, "ok")], &[C, C, O, H, C]);
    }

    #[test]
    fn only_one_probe_runs_at_a_time_but_one_that_is_never_heard_of_again_does_not_close_the_way() {
        let (breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..3 {
            let (leave, _) = breaker.admit(&OPTIONS, now).unwrap();
            breaker.failed(leave, &OPTIONS, now);
        }
        let later = now + Duration::from_secs(1);
        let (lost, change) = breaker.admit(&OPTIONS, later).unwrap();
        assert_eq!(change, Some(Change::Probing));
        for _ in 0..5 {
            assert_eq!(breaker.admit(&OPTIONS, later).unwrap_err(), Duration::from_secs(1));
        }
        let again = later + Duration::from_secs(1);
        let (second, _) = breaker.admit(&OPTIONS, again).unwrap();
        assert_eq!(breaker.seen(later).refused, 5);
        // Only the probe that runs leaves its place to another.
        breaker.give_back(lost);
        assert_eq!(breaker.admit(&OPTIONS, again).unwrap_err(), Duration::from_secs(1));
        breaker.give_back(second);
        assert!(breaker.admit(&OPTIONS, again).is_ok());
    }

    #[test]
    fn a_probe_that_comes_back_when_another_runs_proves_nothing() {
        for answered in [true, false] {
            let (breaker, now) = (Breaker::default(), Instant::now());
            let admit = |at| breaker.admit(&OPTIONS, at).unwrap().0;
            for _ in 0..3 {
                breaker.failed(admit(now), &OPTIONS, now);
            }
            let (first, second) = (now + Duration::from_secs(1), now + Duration::from_secs(2));
            let (old, new) = (admit(first), admit(second));
            let change = if answered { breaker.succeeded(old, &OPTIONS, second) } else { breaker.failed(old, &OPTIONS, second) };
            assert_eq!((change, breaker.seen(second).state), (None, BreakerState::HalfOpen), "{answered}");
            assert_eq!(breaker.succeeded(new, &OPTIONS, second), Some(Change::Closed));
        }
    }

    #[test]
    fn a_share_of_failures_opens_it_too_but_only_within_the_window() {
        let run = |gap: u64| {
            let (breaker, zero) = (Breaker::default(), Instant::now());
            (0..20_u64).any(|number| {
                let now = zero + Duration::from_secs(number * gap);
                let (leave, _) = breaker.admit(&OPTIONS, now).unwrap();
                let change = if number % 2 == 0 { breaker.failed(leave, &OPTIONS, now) } else { breaker.succeeded(leave, &OPTIONS, now) };
                matches!(change, Some(Change::Opened { .. }))
            })
        };
        assert_eq!((run(1), run(10)), (true, false));
    }

    #[test]
    fn it_can_be_turned_off() {
        let (breaker, now, off) = (Breaker::default(), Instant::now(), BreakerOptions { consecutive: 0, ..OPTIONS });
        for _ in 0..1_000 {
            let (leave, _) = breaker.admit(&off, now).unwrap();
            assert_eq!(breaker.failed(leave, &off, now), None);
        }
    }
}
