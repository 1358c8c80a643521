//! Breakers of endpoints: a back end that fails for one plugin is not asked by the others either, until it answers again.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    BreakerState,
    breaker::{Admitted, Breaker, BreakerOptions, Change},
};

/// Endpoints that are remembered: rules name them, so there are few. Beyond it those that are closed are forgotten.
const MAX_ENDPOINTS: usize = 1_024;

/// How an HTTP endpoint is doing, over all plugins that use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EndpointHealth {
    /// Scheme, host and port.
    pub endpoint: String,
    /// Whether requests are sent.
    pub breaker: BreakerState,
    /// Failed requests since the last that did not fail.
    pub consecutive_failures: u32,
    /// How often the breaker opened.
    pub opened: u64,
    /// Requests that an open breaker refused.
    pub refused: u64,
}

/// The breakers of all endpoints, by scheme, host and port.
#[derive(Debug)]
pub(crate) struct Endpoints {
    options: BreakerOptions,
    breakers: Mutex<HashMap<Arc<str>, Arc<Breaker>>>,
}

/// An endpoint to which no request is sent now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LeftAlone {
    pub(crate) endpoint: Arc<str>,
    /// When it can be asked again.
    pub(crate) after: Duration,
}

/// Leave for one request.
#[derive(Debug)]
pub(crate) struct EndpointLeave {
    endpoints: Arc<Endpoints>,
    endpoint: Arc<str>,
    breaker: Arc<Breaker>,
    /// None: how it went was told.
    admitted: Option<Admitted>,
    asked: Option<Asked>,
}

/// A request that is on its way.
#[derive(Debug)]
struct Asked {
    at: Instant,
    fair: Duration,
    owing: Arc<AtomicBool>,
}

impl Endpoints {
    pub(crate) fn new(options: BreakerOptions) -> Arc<Self> {
        Arc::new(Self { options, breakers: Mutex::default() })
    }

    /// Leave to send a request there; none while it is left alone.
    pub(crate) fn admit(self: &Arc<Self>, endpoint: &Arc<str>, now: Instant) -> Result<EndpointLeave, LeftAlone> {
        let breaker = {
            let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
            if breakers.len() >= MAX_ENDPOINTS && !breakers.contains_key(endpoint) {
                breakers.retain(|_, breaker| breaker.seen(now).state != BreakerState::Closed);
            }
            Arc::clone(breakers.entry(Arc::clone(endpoint)).or_default())
        };
        match breaker.admit(&self.options, now) {
            Ok((admitted, change)) => {
                tell(endpoint, change);
                Ok(EndpointLeave { endpoints: Arc::clone(self), endpoint: Arc::clone(endpoint), breaker, admitted: Some(admitted), asked: None })
            }
            Err(after) => Err(LeftAlone { endpoint: Arc::clone(endpoint), after }),
        }
    }

    /// How those are doing that were asked, by their names.
    pub(crate) fn health(&self, now: Instant) -> Vec<EndpointHealth> {
        let breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = breakers.iter().map(|(endpoint, breaker)| EndpointHealth::of(endpoint, breaker, now)).collect();
        all.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
        all
    }
}

impl EndpointHealth {
    fn of(endpoint: &str, breaker: &Breaker, now: Instant) -> Self {
        let seen = breaker.seen(now);
        Self {
            endpoint: endpoint.to_owned(),
            breaker: seen.state,
            consecutive_failures: seen.consecutive,
            opened: seen.opened,
            refused: seen.refused,
        }
    }
}

impl EndpointLeave {
    /// The request goes out now. If no answer has come in a fair time when it is given up, that is the endpoint's fault, unless `owing` says that the plugin
    /// has not yet given all of the request.
    pub(crate) fn asked(&mut self, now: Instant, fair: Duration, owing: Arc<AtomicBool>) {
        self.asked = Some(Asked { at: now, fair, owing });
    }

    /// Whether the endpoint answered, and not that it cannot serve.
    pub(crate) fn record(mut self, answered: bool, now: Instant) {
        if let Some(admitted) = self.admitted.take() {
            self.settle(admitted, answered, now);
        }
    }

    /// How it went says nothing about the endpoint.
    pub(crate) fn give_back(mut self) {
        self.asked = None;
    }

    /// What became of it when nothing is known but the time.
    fn given_up(&mut self, now: Instant) {
        let Some(admitted) = self.admitted.take() else { return };
        let waited = |asked: &Asked| now.saturating_duration_since(asked.at) >= asked.fair && !asked.owing.load(Ordering::Relaxed);
        if self.asked.as_ref().is_some_and(waited) {
            self.settle(admitted, false, now);
        } else {
            self.breaker.give_back(admitted);
        }
    }

    fn settle(&self, admitted: Admitted, answered: bool, now: Instant) {
        let options = &self.endpoints.options;
        let change = if answered { self.breaker.succeeded(admitted, options, now) } else { self.breaker.failed(admitted, options, now) };
        tell(&self.endpoint, change);
    }
}

/// A request is given up when its own time is over, or that of its call.
impl Drop for EndpointLeave {
    fn drop(&mut self) {
        self.given_up(Instant::now());
    }
}

fn tell(endpoint: &str, change: Option<Change>) {
    match change {
        None => {}
        Some(Change::Opened { failures, wait }) => {
            tracing::warn!(endpoint, failures, wait_ms = wait.as_millis(), "the breaker of an endpoint opened: no plugin reaches it");
        }
        Some(Change::Probing) => tracing::info!(endpoint, "the breaker of an endpoint lets one request through"),
        Some(Change::Closed) => tracing::info!(endpoint, "the breaker of an endpoint closed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_the_endpoint_s_fault_after_a_fair_time_and_only_if_it_has_the_whole_request() {
        const FAIR: Duration = Duration::from_secs(1);
        let endpoints = Endpoints::new(BreakerOptions { consecutive: 1, open_ms: 3_600_000, ..BreakerOptions::default() });
        let now = Instant::now();
        for (name, asked, owing, waited_ms, expected) in [
            ("never-asked", false, false, 60_000, BreakerState::Closed),
            ("too-soon", true, false, 999, BreakerState::Closed),
            ("owing", true, true, 60_000, BreakerState::Closed),
            ("silent", true, false, 1_000, BreakerState::Open),
        ] {
            let mut leave = endpoints.admit(&name.into(), now).unwrap();
            if asked {
                leave.asked(now, FAIR, Arc::new(AtomicBool::new(owing)));
            }
            leave.given_up(now + Duration::from_millis(waited_ms));
            drop(leave);
            let health = endpoints.health(now).into_iter().find(|health| health.endpoint == name).unwrap();
            assert_eq!(health.breaker, expected, "{name}");
        }
        assert_eq!(*endpoints.admit(&"silent".into(), now + FAIR).unwrap_err().endpoint, *"silent");
    }
}
