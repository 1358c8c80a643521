//! Breakers of endpoints: a back end that fails for one plugin is not asked by the others either, until it answers again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use super::breaker::{Admitted, Breaker, BreakerOptions, Change};

/// Endpoints that are remembered: rules name them, so there are few. Beyond it those that are closed are forgotten.
const MAX_ENDPOINTS: usize = 1_024;

/// The breakers of all endpoints, by scheme, host and port.
#[derive(Debug)]
pub(crate) struct Endpoints {
    options: BreakerOptions,
    breakers: Mutex<HashMap<String, Arc<Breaker>>>,
}

/// Leave for one request.
#[derive(Debug)]
pub(crate) struct EndpointLeave {
    endpoints: Arc<Endpoints>,
    endpoint: String,
    breaker: Arc<Breaker>,
    /// None: how it went was told.
    admitted: Option<Admitted>,
}

impl Endpoints {
    pub(crate) fn new(options: BreakerOptions) -> Arc<Self> {
        Arc::new(Self { options, breakers: Mutex::default() })
    }

    /// Leave to send a request there; none while it is left alone.
    pub(crate) fn admit(self: &Arc<Self>, endpoint: String, now: Instant) -> Option<EndpointLeave> {
        let breaker = {
            let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
            if breakers.len() >= MAX_ENDPOINTS && !breakers.contains_key(&endpoint) {
                breakers.retain(|_, breaker| breaker.seen(now).state != super::BreakerState::Closed);
            }
            Arc::clone(breakers.entry(endpoint.clone()).or_default())
        };
        let (admitted, change) = breaker.admit(&self.options, now).ok()?;
        tell(&endpoint, change);
        Some(EndpointLeave { endpoints: Arc::clone(self), endpoint, breaker, admitted: Some(admitted) })
    }
}

impl EndpointLeave {
    /// Whether the endpoint answered, and not that it cannot serve.
    pub(crate) fn record(mut self, answered: bool, now: Instant) {
        if let Some(admitted) = self.admitted.take() {
            let options = &self.endpoints.options;
            let change = if answered { self.breaker.succeeded(admitted, options, now) } else { self.breaker.failed(admitted, options, now) };
            tell(&self.endpoint, change);
        }
    }
}

/// A request whose call ended before the answer came says nothing about the endpoint.
impl Drop for EndpointLeave {
    fn drop(&mut self) {
        if let Some(admitted) = self.admitted.take() {
            self.breaker.give_back(admitted);
        }
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
