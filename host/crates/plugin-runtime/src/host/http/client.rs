//! One HTTP/1.1 client for all plugins, with kept connections and rustls over ring. A connection is shared by endpoint only: all headers come from the rule and
//! the request.

use std::time::Duration;

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use wasmtime_wasi_http::WasiBody;

/// Idle connections are closed after this long: shorter than the 60 s after which common servers close theirs, so that a request rarely meets a closing one.
const IDLE: Duration = Duration::from_secs(30);
/// Idle connections kept for one endpoint.
const MAX_IDLE: usize = 32;
/// A connection that is not there by then will not come.
const CONNECT: Duration = Duration::from_secs(10);

/// The client that all plugins share. A cheap handle.
#[derive(Clone)]
pub(crate) struct Client {
    inner: legacy::Client<HttpsConnector<HttpConnector>, WasiBody>,
}

impl Client {
    pub(crate) fn new() -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT));
        let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(tcp);
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
