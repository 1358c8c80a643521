//! Receivers of OTLP over HTTP and gRPC on a free port.

use std::sync::{Arc, Mutex, atomic::{AtomicU64, Ordering}};

use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse, metrics_service_server::{MetricsService, MetricsServiceServer}},
        trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse, trace_service_server::{TraceService, TraceServiceServer}},
    },
    trace::v1::Span,
};
use prost::Message;

/// What arrived, and how many requests are still to be refused.
#[derive(Debug, Clone, Default)]
pub struct Received(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    traces: Mutex<Vec<ExportTraceServiceRequest>>,
    metrics: Mutex<Vec<ExportMetricsServiceRequest>>,
    refuse: AtomicU64,
    headers: Mutex<Vec<String>>,
}

impl Received {
    pub fn refuse(&self, requests: u64) {
        self.0.refuse.store(requests, Ordering::SeqCst);
    }

    pub fn traces(&self) -> Vec<ExportTraceServiceRequest> {
        self.0.traces.lock().unwrap().clone()
    }

    pub fn metrics(&self) -> Vec<ExportMetricsServiceRequest> {
        self.0.metrics.lock().unwrap().clone()
    }

    /// Values of the header `x-tenant` of requests with spans.
    pub fn headers(&self) -> Vec<String> {
        self.0.headers.lock().unwrap().clone()
    }

    pub fn spans(&self) -> Vec<Span> {
        let requests = self.traces();
        requests.into_iter().flat_map(|request| request.resource_spans).flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    fn refused(&self) -> bool {
        self.0.refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    fn take_traces(&self, request: ExportTraceServiceRequest, header: Option<&str>) -> bool {
        if self.refused() {
            return false;
        }
        self.0.headers.lock().unwrap().extend(header.map(str::to_owned));
        self.0.traces.lock().unwrap().push(request);
        true
    }
}

/// A receiver over HTTP and its base URL.
pub async fn http() -> (Received, String) {
    use axum::{Router, body::Bytes, http::{HeaderMap, StatusCode}, routing::post};
    let received = Received::default();
    let (traces, metrics) = (received.clone(), received.clone());
    let app = Router::new()
        .route("/v1/traces", post(move |headers: HeaderMap, body: Bytes| async move {
            let request = ExportTraceServiceRequest::decode(body).unwrap();
            let header = headers.get("x-tenant").and_then(|value| value.to_str().ok());
            if traces.take_traces(request, header) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
        }))
        .route("/v1/metrics", post(move |body: Bytes| async move {
            metrics.0.metrics.lock().unwrap().push(ExportMetricsServiceRequest::decode(body).unwrap());
            StatusCode::OK
        }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (received, url)
}

/// A receiver over gRPC and its URL.
pub async fn grpc() -> (Received, String) {
    let received = Received::default();
    let listener = tonic::transport::server::TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(received.clone()))
        .add_service(MetricsServiceServer::new(received.clone()));
    tokio::spawn(async move { server.serve_with_incoming(listener).await.unwrap() });
    (received, url)
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(&self, request: tonic::Request<ExportTraceServiceRequest>) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let header = request.metadata().get("x-tenant").and_then(|value| value.to_str().ok()).map(str::to_owned);
        if self.take_traces(request.into_inner(), header.as_deref()) {
            Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
        } else {
            Err(tonic::Status::unavailable("told to refuse"))
        }
    }
}

#[tonic::async_trait]
impl MetricsService for Received {
    async fn export(&self, request: tonic::Request<ExportMetricsServiceRequest>) -> Result<tonic::Response<ExportMetricsServiceResponse>, tonic::Status> {
        self.0.metrics.lock().unwrap().push(request.into_inner());
        Ok(tonic::Response::new(ExportMetricsServiceResponse::default()))
    }
}
