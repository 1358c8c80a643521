//! Trace context of callers, where the operator does not want it (`OTEL_PROPAGATORS` without `tracecontext`).

use axum::{extract::Request, http::HeaderName};

/// W3C Trace Context.
const HEADERS: [HeaderName; 2] = [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate")];

/// Takes the caller's trace context off a request: behind this, every interface sees a request of somebody who has none.
pub(crate) fn forget(mut request: Request) -> Request {
    for header in &HEADERS {
        request.headers_mut().remove(header);
    }
    request
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn a_request_loses_its_trace_context_and_nothing_else() {
        let request = Request::get("/").header("traceparent", "00-a-b-01").header("traceparent", "twice").header("tracestate", "v=1");
        let request = forget(request.header("idempotency-key", "k").body(Body::empty()).unwrap());
        assert_eq!(request.headers().keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["idempotency-key"]);
    }
}
