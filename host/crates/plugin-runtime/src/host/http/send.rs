//! One outgoing request: checked, given the host's headers, sent, and accounted for.

use std::{error::Error as _, future::Future, io, sync::Arc, time::Duration};

use engine::port::SpanContext;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, header::HOST};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper_util::client::legacy;
use tokio::time::{Instant, timeout_at};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::{
    body::Bounded,
    client::Client,
    rule::{Denial, Rule, Rules},
};
use crate::{call::Account, grant::TracePolicy};

/// What a guest may not choose: whose trace a request belongs to.
const TRACE_HEADERS: [HeaderName; 3] =
    [HeaderName::from_static("traceparent"), HeaderName::from_static("tracestate"), HeaderName::from_static("baggage")];

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

/// The way out of one call.
pub(crate) struct Egress {
    rules: Arc<Rules>,
    client: Client,
    account: Arc<Account>,
    deadline: Instant,
    left: u32,
    trace: Option<Trace>,
}

/// The host's trace context as headers, made when the guest first uses HTTP.
#[derive(Clone)]
struct Trace {
    parent: HeaderValue,
    state: Option<HeaderValue>,
}

impl Egress {
    pub(crate) fn new(rules: Arc<Rules>, client: Client, account: Arc<Account>, deadline: Instant, requests: u32) -> Self {
        Self { rules, client, account, deadline, left: requests, trace: None }
    }

    /// Remembers the span under which requests are made.
    pub(crate) fn set_context(&mut self, context: &SpanContext) {
        if self.trace.is_none() {
            self.trace = HeaderValue::from_str(&context.traceparent()).ok().map(|parent| {
                let state = Some(&context.trace_state).filter(|state| !state.is_empty());
                Trace { parent, state: state.and_then(|state| HeaderValue::from_str(state).ok()) }
            });
        }
    }

    /// Checks a request and turns it into the one that is sent.
    fn prepare(&mut self, mut request: Request<WasiBody>) -> Result<(Request<WasiBody>, u64), Error> {
        let rules = Arc::clone(&self.rules);
        let (rule, target) = rules.check(request.method(), request.uri()).map_err(|denial| self.deny(denial))?;
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            self.deny(Denial { what: "another HTTP request was denied: the call made as many as it may (http_requests)".to_owned(), allow: None })
        })?;
        if request.body().size_hint().lower() > rule.max_body_bytes {
            return Err(Error::HttpRequestBodySize(Some(rule.max_body_bytes)));
        }
        *request.uri_mut() = target;
        self.headers(request.headers_mut(), rule);
        let most = rule.max_body_bytes;
        let request = request.map(|body| Bounded::new(body, most, || Error::HttpRequestBodySize(None)).boxed_unsync());
        Ok((request, most))
    }

    fn headers(&self, headers: &mut HeaderMap, rule: &Rule) {
        // The client sets it from the real address.
        headers.remove(HOST);
        for name in &TRACE_HEADERS {
            headers.remove(name);
        }
        for (name, value) in &rule.headers {
            headers.insert(name, value.clone());
        }
        let [parent_name, state_name, _baggage] = TRACE_HEADERS;
        if let (TracePolicy::Inject, Some(Trace { parent, state })) = (rule.trace, &self.trace) {
            headers.insert(parent_name, parent.clone());
            if let Some(state) = state {
                headers.insert(state_name, state.clone());
            }
        }
    }

    fn deny(&self, denial: Denial) -> Error {
        let Denial { what, allow } = denial;
        tracing::warn!(
            plugin = self.rules.plugin(),
            "{what}; to allow it, add to the plugin's grant: {}",
            allow.as_deref().unwrap_or("(no setting allows it)")
        );
        self.account.deny(what);
        Error::HttpRequestDenied
    }
}

impl WasiHttpHooks for Egress {
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_processed: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let prepared = self.prepare(request);
        let (client, account, deadline) = (self.client.clone(), Arc::clone(&self.account), self.deadline);
        Box::new(async move {
            let (request, most) = prepared?;
            send(&client, &account, request, options.unwrap_or_default(), most, deadline).await
        })
    }
}

async fn send(client: &Client, account: &Account, request: Request<WasiBody>, options: RequestOptions, most: u64, deadline: Instant) -> Sent {
    // RFC 9110, 9.2.1: a safe method asks for no effect, so repeating it repeats none.
    let counts = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
    if counts {
        account.count_sent();
    }
    let wait = sum(options.connect_timeout, options.first_byte_timeout);
    let until = wait.map_or(deadline, |wait| (Instant::now() + wait).min(deadline));
    let response = match timeout_at(until, client.request(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => {
            if counts && error.is_connect() {
                account.uncount_sent();
            }
            return Err(translated(&error));
        }
        Err(_elapsed) => return Err(Error::ConnectionReadTimeout),
    };
    let between = options.between_bytes_timeout.unwrap_or(Duration::MAX).min(deadline.saturating_duration_since(Instant::now()));
    let response = response.map(|body| Bounded::new(body, most, || Error::HttpResponseBodySize(None)).paced(between, deadline).boxed_unsync());
    // The client owns the connection, so there is nothing to drive here.
    Ok((response, Box::new(async { Ok(()) })))
}

fn sum(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or_default().saturating_add(b.unwrap_or_default())),
    }
}

/// The error as a guest sees it. What went wrong before anything was written must not look like a lost answer.
fn translated(error: &legacy::Error) -> Error {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(hyper) = cause.downcast_ref::<hyper::Error>() {
            return from_hyper(hyper);
        }
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return from_io(io, error.is_connect());
        }
        source = cause.source();
    }
    if error.is_connect() {
        Error::DnsError { rcode: Some(bounded_text(error)), info_code: None }
    } else {
        Error::InternalError(Some(bounded_text(error)))
    }
}

fn from_hyper(error: &hyper::Error) -> Error {
    if error.is_timeout() {
        Error::ConnectionReadTimeout
    } else if error.is_parse() {
        Error::HttpProtocolError
    } else if let Some(bounded) = error.source().and_then(|source| source.downcast_ref::<Error>()) {
        if let Error::HttpRequestBodySize(size) = bounded {
            Error::HttpRequestBodySize(*size)
        } else {
            Error::InternalError(Some(bounded.to_string()))
        }
    } else {
        Error::ConnectionTerminated
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the kinds of the standard library grow; the rest is a broken connection")]
fn from_io(error: &io::Error, connecting: bool) -> Error {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Error::ConnectionRefused,
        io::ErrorKind::TimedOut if connecting => Error::ConnectionTimeout,
        io::ErrorKind::TimedOut => Error::ConnectionReadTimeout,
        io::ErrorKind::InvalidData if connecting => Error::TlsProtocolError,
        _ if connecting => Error::DestinationUnavailable,
        _ => Error::ConnectionTerminated,
    }
}

fn bounded_text(error: &legacy::Error) -> String {
    crate::call::bounded(error.to_string(), 256)
}
