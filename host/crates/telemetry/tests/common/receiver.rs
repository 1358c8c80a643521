//! Receivers of OTLP over HTTP and gRPC: what arrives is kept, or written down request by request.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "shared by tests and by the example; a receiver lives as long as its process"
)]

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path as PathOf, State},
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
use tokio::net::TcpListener;

/// What requests are answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answers {
    /// They are taken.
    #[default]
    Accept,
    /// 503, or `UNAVAILABLE`; nothing is taken.
    Refuse,
    /// They are taken, and the sender never learns of it.
    Withhold,
}

/// The files that a receiver writes: each request with its length in four bytes before it, the highest first, as the collector's file exporter does.
pub const FILES: [&str; 3] = ["traces.otlp", "metrics.otlp", "logs.otlp"];

/// What arrived, and what becomes of what will.
#[derive(Debug, Clone, Default)]
pub struct Received(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    traces: Mutex<Vec<ExportTraceServiceRequest>>,
    metrics: Mutex<Vec<ExportMetricsServiceRequest>>,
    logs: Mutex<Vec<ExportLogsServiceRequest>>,
    /// How many requests with spans are still to be refused.
    refuse: AtomicU64,
    answers: Mutex<Answers>,
    headers: Mutex<Vec<String>>,
    /// Where requests are written instead of being kept.
    directory: Option<PathBuf>,
}

impl Received {
    /// Appends each request to one of [`FILES`] instead of keeping it. A request that the receiver before this one did not finish writing is removed: it was
    /// not answered.
    pub fn into_directory(directory: PathBuf) -> io::Result<Self> {
        for name in FILES {
            let file = OpenOptions::new().create(true).append(true).read(true).open(directory.join(name))?;
            file.set_len(whole(&std::fs::read(directory.join(name))?))?;
        }
        Ok(Self(Arc::new(Inner { directory: Some(directory), ..Inner::default() })))
    }

    pub fn refuse(&self, requests: u64) {
        self.0.refuse.store(requests, Ordering::SeqCst);
    }

    /// What requests are answered with from now on.
    pub fn answer(&self, answers: Answers) {
        *self.0.answers.lock().unwrap() = answers;
    }

    fn answers(&self) -> Answers {
        *self.0.answers.lock().unwrap()
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

    /// Takes a request, given in its own form and as the bytes that came, or refuses it.
    async fn take<T>(&self, kept: &Mutex<Vec<T>>, file: &str, request: T, bytes: &[u8]) -> bool {
        let answers = self.answers();
        if answers == Answers::Refuse {
            return false;
        }
        self.keep(kept, file, request, bytes);
        if answers == Answers::Withhold {
            std::future::pending::<()>().await;
        }
        true
    }

    async fn take_traces(&self, request: ExportTraceServiceRequest, bytes: &[u8], header: Option<&str>) -> bool {
        if self.refused() {
            return false;
        }
        self.0.headers.lock().unwrap().extend(header.map(str::to_owned));
        self.take(&self.0.traces, FILES[0], request, bytes).await
    }

    fn keep<T>(&self, kept: &Mutex<Vec<T>>, file: &str, request: T, bytes: &[u8]) {
        let mut kept = kept.lock().unwrap();
        match &self.0.directory {
            None => kept.push(request),
            Some(directory) => append(&directory.join(file), bytes).unwrap(),
        }
    }
}

/// In one write: a receiver that is killed leaves at most one request that is not whole.
fn append(file: &Path, request: &[u8]) -> io::Result<()> {
    let length = u32::try_from(request.len()).map_err(io::Error::other)?;
    File::options().append(true).open(file)?.write_all(&[&length.to_be_bytes(), request].concat())
}

/// How many bytes are whole requests.
fn whole(bytes: &[u8]) -> u64 {
    let mut at = 0;
    while let Some((length, rest)) = bytes[at..].split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        if rest.len() < length {
            break;
        }
        at += 4 + length;
    }
    at as u64
}

/// A receiver over HTTP and its base URL.
pub async fn http() -> (Received, String) {
    let received = Received::default();
    let url = serve_http(received.clone(), free().await);
    (received, url)
}

/// A receiver over gRPC and its URL.
pub async fn grpc() -> (Received, String) {
    let received = Received::default();
    let url = serve_grpc(received.clone(), free().await);
    (received, url)
}

async fn free() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// Serves HTTP. `POST /_receiver/accept`, `refuse` or `withhold` says what requests are answered with, over both protocols.
pub fn serve_http(received: Received, listener: TcpListener) -> String {
    let app = Router::new()
        .route("/v1/traces", post(http_traces))
        .route("/v1/metrics", post(http_metrics))
        .route("/v1/logs", post(http_logs))
        .route("/_receiver/{answers}", post(switch))
        .with_state(received);
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app.layer(axum::extract::DefaultBodyLimit::disable())).await.unwrap() });
    url
}

/// Serves gRPC.
pub fn serve_grpc(received: Received, listener: TcpListener) -> String {
    let url = format!("http://{}", listener.local_addr().unwrap());
    let listener = tonic::transport::server::TcpIncoming::from(listener);
    let server = tonic::transport::Server::builder()
        .add_service(TraceServiceServer::new(received.clone()).max_decoding_message_size(usize::MAX))
        .add_service(MetricsServiceServer::new(received.clone()))
        .add_service(LogsServiceServer::new(received));
    tokio::spawn(async move { server.serve_with_incoming(listener).await.unwrap() });
    url
}

async fn switch(State(received): State<Received>, PathOf(answers): PathOf<String>) -> StatusCode {
    let answers = match answers.as_str() {
        "accept" => Answers::Accept,
        "refuse" => Answers::Refuse,
        "withhold" => Answers::Withhold,
        _ => return StatusCode::NOT_FOUND,
    };
    received.answer(answers);
    StatusCode::NO_CONTENT
}

fn status(taken: bool) -> StatusCode {
    if taken { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

async fn http_traces(State(received): State<Received>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body.clone()) else { return StatusCode::BAD_REQUEST };
    let header = headers.get("x-tenant").and_then(|value| value.to_str().ok());
    status(received.take_traces(request, &body, header).await)
}

async fn http_metrics(State(received): State<Received>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportMetricsServiceRequest::decode(body.clone()) else { return StatusCode::BAD_REQUEST };
    status(received.take(&received.0.metrics, FILES[1], request, &body).await)
}

async fn http_logs(State(received): State<Received>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportLogsServiceRequest::decode(body.clone()) else { return StatusCode::BAD_REQUEST };
    status(received.take(&received.0.logs, FILES[2], request, &body).await)
}

/// What a service of gRPC answers. Its requests come decoded; encoded again they are the bytes that came, for the sender encodes them alike.
fn answer<T>(taken: bool, answer: T) -> Result<tonic::Response<T>, tonic::Status> {
    if taken { Ok(tonic::Response::new(answer)) } else { Err(tonic::Status::unavailable("told to refuse")) }
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(&self, request: tonic::Request<ExportTraceServiceRequest>) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let header = request.metadata().get("x-tenant").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let request = request.into_inner();
        let bytes = request.encode_to_vec();
        answer(self.take_traces(request, &bytes, header.as_deref()).await, ExportTraceServiceResponse::default())
    }
}

#[tonic::async_trait]
impl MetricsService for Received {
    async fn export(
        &self,
        request: tonic::Request<ExportMetricsServiceRequest>,
    ) -> Result<tonic::Response<ExportMetricsServiceResponse>, tonic::Status> {
        let request = request.into_inner();
        let bytes = request.encode_to_vec();
        answer(self.take(&self.0.metrics, FILES[1], request, &bytes).await, ExportMetricsServiceResponse::default())
    }
}

#[tonic::async_trait]
impl LogsService for Received {
    async fn export(&self, request: tonic::Request<ExportLogsServiceRequest>) -> Result<tonic::Response<ExportLogsServiceResponse>, tonic::Status> {
        let request = request.into_inner();
        let bytes = request.encode_to_vec();
        answer(self.take(&self.0.logs, FILES[2], request, &bytes).await, ExportLogsServiceResponse::default())
    }
}
