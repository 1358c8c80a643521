//! The HTTP/1.1 client of one rule: kept connections, rustls over ring, and connections to the rule's endpoint only.
//!
//! Connections are never shared between rules, so what one rule may reach says nothing about another.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_rustls::HttpsConnector;
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::net::TcpStream;
use tower_service::Service;
use wasmtime_wasi_http::WasiBody;

use crate::host::net::{ConnectError, Endpoint, Resolve, SystemResolver};

/// Idle connections are closed after this long: shorter than the 60 s after which common servers close theirs, so that a request rarely meets a closing one.
const IDLE: Duration = Duration::from_secs(30);
/// Idle connections kept for one endpoint.
const MAX_IDLE: usize = 32;

/// What the clients of all rules share: how names are resolved and whom TLS trusts.
#[derive(Debug, Clone)]
pub(crate) struct Outside {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) tls: Arc<ClientConfig>,
}

impl Outside {
    /// The system's resolver and the roots that browsers trust.
    pub(crate) fn new() -> Self {
        Self::with(Arc::new(SystemResolver))
    }

    pub(super) fn with(resolver: Arc<dyn Resolve>) -> Self {
        Self { resolver, tls: tls(public_roots()) }
    }
}

/// The roots that browsers trust.
pub(super) fn public_roots() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// TLS that trusts these roots.
pub(super) fn tls(roots: RootCertStore) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().expect("ring has the ciphers of both versions");
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// The client of one rule. A cheap handle.
#[derive(Clone)]
pub(crate) struct Client {
    inner: legacy::Client<HttpsConnector<Connector>, WasiBody>,
}

impl Client {
    pub(super) fn new(endpoint: Endpoint, tls: Arc<ClientConfig>) -> Self {
        let connector = HttpsConnector::from((Connector { endpoint: Arc::new(endpoint) }, tls));
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MAX_IDLE)
            .build(connector);
        Self { inner }
    }

    pub(super) fn request(&self, request: http::Request<WasiBody>) -> legacy::ResponseFuture {
        self.inner.request(request)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// Connects to the rule's endpoint. What a request is addressed to serves TLS as the name and nothing else.
#[derive(Debug, Clone)]
struct Connector {
    endpoint: Arc<Endpoint>,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _uri: Uri) -> Self::Future {
        let endpoint = Arc::clone(&self.endpoint);
        Box::pin(async move { endpoint.connect().await.map(TokioIo::new) })
    }
}
