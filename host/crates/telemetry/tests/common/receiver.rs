//! Receivers of OTLP over HTTP and gRPC on a free port.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "shared by tests and by the example; a receiver lives as long as its process"
)]

use std::{
    io::Write,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    logs::v1::LogRecord,
    trace::v1::Span,
};
use prost::Message;

/// What arrived, and how many requests with spans are still to be refused.
#[derive(Debug, Clone, Default)]
pub struct Received(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    traces: Mutex<Vec<ExportTraceServiceRequest>>,
    metrics: Mutex<Vec<ExportMetricsServiceRequest>>,
    logs: Mutex<Vec<ExportLogsServiceRequest>>,
    refuse: AtomicU64,
    headers: Mutex<Vec<String>>,
    /// Where requests are written instead of being kept.
    directory: Option<PathBuf>,
}

impl Received {
    /// Appends each request to `traces.jsonl`, `metrics.jsonl` or `logs.jsonl` instead of keeping it.
    pub fn into_directory(directory: PathBuf) -> Self {
        Self(Arc::new(Inner { directory: Some(directory), ..Inner::default() }))
    }

    pub fn refuse(&self, requests: u64) {
        self.0.refuse.store(requests, Ordering::SeqCst);
    }

    pub fn traces(&self) -> Vec<ExportTraceServiceRequest> {
        self.0.traces.lock().unwrap().clone()
    }

    pub fn metrics(&self) -> Vec<ExportMetricsServiceRequest> {
        self.0.metrics.lock().unwrap().clone()
    }

    pub fn logs(&self) -> Vec<LogRecord> {
        let requests = self.0.logs.lock().unwrap().clone();
        requests
            .into_iter()
            .flat_map(|request| request.resource_logs)
            .flat_map(|resource| resource.scope_logs)
            .flat_map(|scope| scope.log_records)
            .collect()
    }

    /// Values of the header `x-tenant` of requests with spans.
    pub fn headers(&self) -> Vec<String> {
        self.0.headers.lock().unwrap().clone()
    }

    pub fn spans(&self) -> Vec<Span> {
        let requests = self.traces();
        requests
            .into_iter()
            .flat_map(|request| request.resource_spans)
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans)
            .collect()
    }

    fn refused(&self) -> bool {
        self.0.refuse.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }

    fn take_traces(&self, request: ExportTraceServiceRequest, header: Option<&str>) -> bool {
        if self.refused() {
            return false;
        }
        self.0.headers.lock().unwrap().extend(header.map(str::to_owned));
        self.keep(&self.0.traces, "traces", request);
        true
    }

    fn keep<T: serde::Serialize>(&self, kept: &Mutex<Vec<T>>, name: &str, request: T) {
        let mut kept = kept.lock().unwrap();
        let Some(directory) = &self.0.directory else { return kept.push(request) };
        let mut line = serde_json::to_vec(&request).unwrap();
        line.push(b'\n');
        let file = std::fs::OpenOptions::new().create(true).append(true).open(directory.join(format!("{name}.jsonl")));
        file.unwrap().write_all(&line).unwrap();
    }
}

/// A receiver over HTTP and its base URL.
pub async fn http() -> (Received, String) {
    let received = Received::default();
    let url = serve_http(received.clone()).await;
    (received, url)
}

/// A receiver over gRPC and its URL.
pub async fn grpc() -> (Received, String) {
    let received = Received::default();
    let url = serve_grpc(received.clone());
    (received, url)
}

/// Serves HTTP on a free port.
pub async fn serve_http(received: Received) -> String {
    let app = Router::new()
        .route("/v1/traces", post(http_traces))
        .route("/v1/metrics", post(http_metrics))
        .route("/v1/logs", post(http_logs))
        .with_state(received);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app.layer(axum::extract::DefaultBodyLimit::disable())).await.unwrap() });
    url
}

/// Serves gRPC on a free port.
pub fn serve_grpc(received: Received) -> String {
    let listener = tonic::transport::server::TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(received.clone()).max_decoding_message_size(usize::MAX))
        .add_service(MetricsServiceServer::new(received.clone()))
        .add_service(LogsServiceServer::new(received));
    tokio::spawn(async move { server.serve_with_incoming(listener).await.unwrap() });
    url
}

async fn http_traces(State(received): State<Received>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let header = headers.get("x-tenant").and_then(|value| value.to_str().ok());
    if received.take_traces(request, header) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn http_metrics(State(received): State<Received>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportMetricsServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    received.keep(&received.0.metrics, "metrics", request);
    StatusCode::OK
}

async fn http_logs(State(received): State<Received>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportLogsServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    received.keep(&received.0.logs, "logs", request);
    StatusCode::OK
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
    async fn export(
        &self,
        request: tonic::Request<ExportMetricsServiceRequest>,
    ) -> Result<tonic::Response<ExportMetricsServiceResponse>, tonic::Status> {
        self.keep(&self.0.metrics, "metrics", request.into_inner());
        Ok(tonic::Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Received {
    async fn export(&self, request: tonic::Request<ExportLogsServiceRequest>) -> Result<tonic::Response<ExportLogsServiceResponse>, tonic::Status> {
        self.keep(&self.0.logs, "logs", request.into_inner());
        Ok(tonic::Response::new(ExportLogsServiceResponse::default()))
    }
}
