//! A request that was allowed, on its way out, and its answer on the way back.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use http::{Method, Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout_at},
};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::{
    body::Bounded,
    denial::Denial,
    error,
    guarded::Guarded,
    masked::{self, Masked},
    rule::{Rule, Rules},
    send::Sent,
};
use crate::{
    call::Account,
    guard::Endpoints,
    host::{net::ConnectError, secrets::CallSecrets},
};

/// One request that a rule allowed.
pub(super) struct Exchange {
    pub(super) rules: Arc<Rules>,
    pub(super) rule: Arc<Rule>,
    /// The logical name.
    pub(super) name: String,
    pub(super) account: Arc<Account>,
    pub(super) secrets: Option<Arc<CallSecrets>>,
    pub(super) endpoints: Arc<Endpoints>,
    /// What the guest chose: its times count where they are shorter.
    pub(super) options: RequestOptions,
    /// When the request must be over.
    pub(super) until: Instant,
}

impl Exchange {
    pub(super) async fn run(self, request: Request<WasiBody>) -> Sent {
        let permit = self.rule.throttle.enter(self.until).await.map_err(|_no_turn| Error::ConnectionLimitReached)?;
        // Leave comes last: what is let through to see must not wait for a turn, nor go out after what came meanwhile.
        let mut guarded = Guarded::admit(&self.endpoints, &self.rule.origin, &self.account)?;
        let (most, owing) = (self.rule.max_request_bytes, Arc::new(AtomicBool::new(false)));
        let request = request.map(|body| Bounded::new(body, most, || Error::HttpRequestBodySize(None)).owing(Arc::clone(&owing)).boxed_unsync());
        let request = timeout_at(self.until, self.complete(request)).await.map_err(|_elapsed| Error::ConnectionWriteTimeout)??;
        guarded.asked(self.rule.timeout, owing);
        let response = self.exchange(request).await;
        guarded.record(&response);
        let response = response?;
        // The client owns the connection, so there is nothing to drive here.
        Ok((self.received(response, permit)?, Box::new(async { Ok(()) })))
    }

    async fn exchange(&self, request: Request<WasiBody>) -> Result<Response<Incoming>, Error> {
        // RFC 9110, 9.2.1: a safe method asks for no effect, so repeating it repeats none.
        let counts = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE);
        if counts {
            self.account.count_sent();
        }
        let wait = sum(self.options.connect_timeout, self.options.first_byte_timeout);
        let until = wait.map_or(self.until, |wait| (Instant::now() + wait).min(self.until));
        match timeout_at(until, self.rule.client.request(request)).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(problem)) => {
                if counts && problem.is_connect() {
                    self.account.uncount_sent();
                }
                Err(self.failed(&problem))
            }
            Err(_elapsed) => Err(Error::ConnectionReadTimeout),
        }
    }

    fn failed(&self, problem: &legacy::Error) -> Error {
        if let Some(ConnectError::Prohibited { name, address, class }) = error::connecting(problem) {
            let what = format!("a connection to http://{} was denied: `{name}` resolves to {address}, {class}", self.name);
            let denial = Denial { what, allow: Some(self.rule.granting(&self.name, *address)) };
            denial.record(self.rules.plugin(), &self.account);
        }
        error::translated(problem)
    }

    /// The answer under the rule's bounds. The rule's room stays taken until its body ends.
    fn received(&self, response: Response<Incoming>, permit: Option<OwnedSemaphorePermit>) -> Result<Response<WasiBody>, Error> {
        let between = self.options.between_bytes_timeout.unwrap_or(Duration::MAX).min(self.until.saturating_duration_since(Instant::now()));
        let (most, until) = (self.rule.max_response_bytes, self.until);
        let (mut parts, body) = response.into_parts();
        let body = Bounded::new(body, most, || Error::HttpResponseBodySize(None)).paced(between, until).holding(permit);
        let mask = self.secrets.as_ref().map(|secrets| secrets.mask_of(&self.name)).unwrap_or_default();
        if mask.is_empty() {
            return Ok(Response::from_parts(parts, body.boxed_unsync()));
        }
        if !masked::is_readable(&parts.headers) {
            return Err(Error::HttpResponseContentCoding(None));
        }
        masked::headers(&mask, &mut parts.headers);
        // What is masked has another length.
        parts.headers.remove(http::header::CONTENT_LENGTH);
        Ok(Response::from_parts(parts, Masked::new(body, mask).boxed_unsync()))
    }
}

fn sum(a: Option<Duration>, b: Option<Duration>) -> Option<Duration> {
    match (a, b) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or_default().saturating_add(b.unwrap_or_default())),
    }
}
