//! Requests to endpoints that are left alone because they fail again and again.

use std::{future::Future, sync::Arc, time::Instant};

use http::{Uri, uri::Authority};
use wasmtime_wasi_http::Error;

use super::send::Sent;
use crate::guard::Endpoints;

/// Scheme, host and port.
pub(super) fn origin(uri: &Uri) -> String {
    format!("{}://{}", uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", Authority::as_str))
}

/// Sends unless the endpoint is left alone, and tells whether it serves.
pub(super) async fn guarded(endpoints: Option<&Arc<Endpoints>>, origin: String, send: impl Future<Output = Sent>) -> Sent {
    let Some(endpoints) = endpoints else { return send.await };
    let leave = endpoints.admit(origin, Instant::now()).ok_or(Error::DestinationUnavailable)?;
    let sent = send.await;
    // What the guest or a limit of its own ended is no fault of the endpoint's.
    let answered = match &sent {
        Ok((response, _)) => !matches!(response.status().as_u16(), 502..=504),
        Err(
            Error::HttpRequestBodySize(_)
            | Error::HttpRequestDenied
            | Error::DestinationIpProhibited
            | Error::ConnectionLimitReached
            // The time was the guest's or the rule's own: one plugin could close an endpoint for all others with it.
            | Error::ConnectionReadTimeout
            | Error::ConnectionWriteTimeout
            | Error::HttpResponseContentCoding(_)
            | Error::InternalError(_),
        ) => return sent,
        Err(_) => false,
    };
    leave.record(answered, Instant::now());
    sent
}
