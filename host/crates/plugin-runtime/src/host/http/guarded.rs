//! Requests to endpoints that are left alone because they fail again and again.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use http::Response;
use wasmtime_wasi_http::Error;

use crate::{
    call::Account,
    guard::{EndpointLeave, Endpoints},
};

/// How long an endpoint has for its answer at least, whatever the plugin chooses: one that is impatient must not take it from the others.
const FAIR: Duration = Duration::from_secs(1);

/// Leave to ask an endpoint.
pub(super) struct Guarded(EndpointLeave);

impl Guarded {
    /// Leave to send, unless the endpoint is left alone; the call learns until when.
    pub(super) fn admit(endpoints: &Arc<Endpoints>, origin: &Arc<str>, account: &Account) -> Result<Self, Error> {
        endpoints.admit(origin, Instant::now()).map(Self).map_err(|left_alone| {
            account.leave_alone(left_alone);
            Error::DestinationUnavailable
        })
    }

    /// The request goes out now; the operator may allow less time for it than is fair otherwise.
    pub(super) fn asked(&mut self, timeout: Option<Duration>, owing: Arc<AtomicBool>) {
        self.0.asked(Instant::now(), timeout.unwrap_or(FAIR).min(FAIR), owing);
    }

    /// Tells whether the endpoint serves. What the guest or a limit of its own ended is no fault of the endpoint's.
    pub(super) fn record<B>(self, outcome: &Result<Response<B>, Error>) {
        let leave = self.0;
        match outcome {
            Ok(response) => leave.record(!matches!(response.status().as_u16(), 502..=504), Instant::now()),
            // Whose fault it is shows the time.
            Err(Error::ConnectionReadTimeout | Error::ConnectionWriteTimeout) => drop(leave),
            Err(
                Error::HttpRequestBodySize(_)
                | Error::HttpRequestDenied
                | Error::DestinationIpProhibited
                | Error::ConnectionLimitReached
                | Error::HttpResponseContentCoding(_)
                | Error::InternalError(_),
            ) => leave.give_back(),
            Err(_) => leave.record(false, Instant::now()),
        }
    }
}
