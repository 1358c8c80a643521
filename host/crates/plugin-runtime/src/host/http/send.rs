//! One outgoing request: checked, given the host's headers, and handed to the exchange.

use std::{future::Future, sync::Arc};

use engine::port::SpanContext;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body::Body as _;
use tokio::time::Instant;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::{
    denial::Denial,
    exchange::Exchange,
    headers,
    rule::{Allowed, Rule, Rules},
    sign::Signing,
    span::{ClientSpan, traced},
};
use crate::{
    call::Account,
    grant::TracePolicy,
    guard::Endpoints,
    host::{secrets::CallSecrets, spans::Clients, telemetry::GuestTelemetry},
};

pub(super) type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

/// The way out of one call.
pub(crate) struct Egress {
    rules: Arc<Rules>,
    account: Arc<Account>,
    deadline: Instant,
    left: u32,
    trace: Option<Trace>,
    /// What must be kept from the guest, and what its handles stand for.
    secrets: Option<Arc<CallSecrets>>,
    /// Those that are left alone are asked nothing.
    endpoints: Arc<Endpoints>,
    /// What begins spans of requests, and which innermost span it was made for.
    clients: Option<Clients>,
    generation: Option<u32>,
}

/// The host's trace context as headers, made when the guest first uses HTTP.
#[derive(Clone)]
struct Trace {
    parent: HeaderValue,
    state: Option<HeaderValue>,
}

impl Trace {
    fn of(context: &SpanContext) -> Option<Self> {
        let parent = HeaderValue::from_str(&context.traceparent()).ok()?;
        let state = Some(&context.trace_state).filter(|state| !state.is_empty());
        Some(Self { parent, state: state.and_then(|state| HeaderValue::from_str(state).ok()) })
    }
}

impl Egress {
    pub(crate) fn new(
        rules: Arc<Rules>,
        endpoints: Arc<Endpoints>,
        account: Arc<Account>,
        deadline: Instant,
        requests: u32,
        secrets: Option<Arc<CallSecrets>>,
    ) -> Self {
        Self { rules, account, deadline, left: requests, trace: None, secrets, endpoints, clients: None, generation: None }
    }

    /// Remembers the span under which requests are made.
    pub(crate) fn set_context(&mut self, context: &SpanContext) {
        self.trace = Trace::of(context);
    }

    /// Requests from here on are below the span that is the innermost now.
    pub(crate) fn follow(&mut self, telemetry: &GuestTelemetry) {
        let generation = Some(telemetry.generation());
        if self.generation != generation {
            self.generation = generation;
            self.clients = telemetry.clients();
        }
    }

    /// The span of a request. It is what the request carries as its parent, where it carries one.
    fn begin_span(&mut self, method: &Method) -> Option<ClientSpan> {
        let span = ClientSpan::begin(self.clients.as_ref()?, method);
        if let (Some(context), Some(_)) = (span.context(), &self.trace) {
            self.trace = Trace::of(context);
        }
        Some(span)
    }

    /// Every request counts, those that are denied too: what a guest asks for costs the host something in any case.
    fn count(&mut self) -> Result<(), Error> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            self.deny(Denial { what: "another HTTP request was denied: the call made as many as it may (http_requests)".to_owned(), allow: None })
        })?;
        Ok(())
    }

    /// Checks a request and turns it into the one that is sent.
    fn prepare(&mut self, mut request: Request<WasiBody>, options: RequestOptions) -> Result<(Exchange, Request<WasiBody>), Error> {
        let Allowed { rule, name, target } = self.rules.check(request.method(), request.uri()).map_err(|denial| self.deny(denial))?;
        let declared = headers::declared_length(request.headers()).map_err(|()| Error::HttpRequestBodySize(None))?;
        if declared.unwrap_or(0).max(request.body().size_hint().lower()) > rule.max_request_bytes {
            return Err(Error::HttpRequestBodySize(Some(rule.max_request_bytes)));
        }
        *request.uri_mut() = target;
        self.headers(request.headers_mut(), &rule);
        let until = rule.timeout.map_or(self.deadline, |most| (Instant::now() + most).min(self.deadline));
        let exchange = Exchange {
            rules: Arc::clone(&self.rules),
            rule,
            name,
            account: Arc::clone(&self.account),
            secrets: self.secrets.clone(),
            endpoints: Arc::clone(&self.endpoints),
            options,
            until,
        };
        Ok((exchange, request))
    }

    fn headers(&self, headers: &mut HeaderMap, rule: &Rule) {
        headers::clean(headers);
        if matches!(rule.signing, Some(Signing::Sigv4(_))) {
            headers::clean_sources(headers);
        }
        if self.secrets.is_some() {
            // What comes back must be readable to be masked.
            headers.insert(http::header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        for (name, value) in &rule.headers {
            headers.insert(name, value.clone());
        }
        let [parent_name, state_name, _baggage] = headers::TRACE;
        if let (TracePolicy::Inject, Some(Trace { parent, state })) = (rule.trace, &self.trace) {
            headers.insert(parent_name, parent.clone());
            if let Some(state) = state {
                headers.insert(state_name, state.clone());
            }
        }
    }

    fn deny(&self, denial: Denial) -> Error {
        denial.record(self.rules.plugin(), &self.account);
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
        let counted = self.count();
        let mut span = counted.as_ref().ok().and_then(|()| self.begin_span(request.method()));
        let prepared = counted.and_then(|()| self.prepare(request, options.unwrap_or_default()));
        if let (Some(span), Ok((_, request))) = (&mut span, &prepared) {
            span.goes_to(request.uri());
        }
        Box::new(traced(span, async move {
            let (exchange, request) = prepared?;
            exchange.run(request).await
        }))
    }
}
