//! What telemetry is told by the host: the host alone reads configuration and environment.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use pipeline::{Epoch, Measurement, Timestamp};

use crate::{cursor::CursorStore, labels::Labels, metrics::Census, policy::Policy};

/// What telemetry is told by the host.
#[derive(Debug)]
pub struct Options {
    /// `service.name`, unless `OTEL_SERVICE_NAME` says otherwise.
    pub service_name: String,
    /// `service.version`.
    pub service_version: String,
    /// `service.instance.id`: differs between processes.
    pub instance_id: String,
    /// Where telemetry goes. None: nothing is exported, `/metrics` still answers.
    pub exporters: Vec<ExporterOptions>,
    /// The units of metrics.
    pub units: Units,
    /// What is done to values.
    pub policy: Policy,
    /// Labels beyond those that every point has.
    pub labels: Labels,
    /// Measurements of value 0 for every series that must exist before something happened, without the labels of `labels`. Histograms have a count of 0
    /// then, nothing is recorded.
    pub zero_series: Vec<Measurement>,
    /// Whether a caller's trace is taken over and ours is handed on: [`crate::Env::apply`] decides.
    pub propagates: bool,
    /// What runs there are now.
    pub census: Arc<dyn Census>,
    /// Where cursors and durable counters are kept.
    pub cursors: Arc<dyn CursorStore>,
    /// The epoch of this process.
    pub epoch: Epoch,
    /// The last sign of life of the process before it. It is kept in the store, so that attempts it lost end there whenever they are projected.
    pub last_sign_of_life: Timestamp,
    /// How delivery goes about its work.
    pub delivery: DeliveryOptions,
}

/// How delivery goes about its work.
#[derive(Debug, Clone)]
pub struct DeliveryOptions {
    /// The most spans in one export.
    pub max_batch: usize,
    /// How long an incomplete batch waits for more: the delay of OpenTelemetry's batch processor is 5 s, ours makes a finished order visible sooner.
    pub delay: Duration,
    /// The most live spans that wait for export; 352 bytes each when empty. More are lost and counted.
    pub live_queue: usize,
    /// The first pause after a failed export; it doubles up to 30 s.
    pub retry_pause: Duration,
    /// After how long a batch that is refused is given up, so that one poisoned batch does not stop all that follow. Batches behind it stay in the journal.
    pub give_up_after: Duration,
    /// How often metrics are pushed: the default of the OpenTelemetry specification.
    pub metric_interval: Duration,
    /// How often durable counters are written, at most.
    pub tally_delay: Duration,
    /// The most series of one durable counter; further ones are counted as one overflow series.
    pub max_series: usize,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        Self {
            max_batch: 2048,
            delay: Duration::from_secs(1),
            live_queue: 8192,
            retry_pause: Duration::from_millis(250),
            give_up_after: Duration::from_secs(600),
            metric_interval: Duration::from_secs(60),
            tally_delay: Duration::from_millis(200),
            max_series: 2000,
        }
    }
}

/// The units in which metrics are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Units {
    /// The customer's: milliseconds where the contract says so.
    #[default]
    Seed,
    /// Those of the semantic conventions: seconds; values are rescaled.
    Semconv,
}

/// The names of span attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    /// The customer's alone.
    #[default]
    Seed,
    /// The customer's, and beside them those of the semantic conventions that say the same. Names are added, never replaced.
    SeedAndSemconv,
}

/// One destination.
#[derive(Debug, Clone)]
pub struct ExporterOptions {
    /// A name that differs from the other exporters'; the cursor is kept under it, so renaming an exporter exports everything again.
    pub name: String,
    /// Where to and how.
    pub target: Target,
    /// The wall clock of one export.
    pub timeout: Duration,
    /// Headers (HTTP) or metadata (gRPC) of every request.
    pub headers: BTreeMap<String, String>,
    /// Whether spans go there.
    pub traces: bool,
    /// Whether metrics go there.
    pub metrics: bool,
    /// Whether log records go there: what plugins log, and the host's own log.
    pub logs: bool,
}

/// Where telemetry goes and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// OTLP over HTTP, protobuf.
    OtlpHttp {
        /// Such as `http://127.0.0.1:4318`, without the path of a signal. `None`: what `OTEL_EXPORTER_OTLP_*` say, else that address.
        endpoint: Option<String>,
    },
    /// OTLP over gRPC.
    OtlpGrpc {
        /// Such as `http://127.0.0.1:4317`. `None`: what `OTEL_EXPORTER_OTLP_*` say, else that address.
        endpoint: Option<String>,
    },
    /// OTLP in JSON, one request per line.
    File {
        /// Where spans are appended.
        traces: PathBuf,
        /// Where metrics are appended.
        metrics: Option<PathBuf>,
        /// Where log records are appended.
        logs: Option<PathBuf>,
        /// At this size the file is renamed to `*.1`, replacing an older one.
        max_bytes: u64,
    },
}

impl ExporterOptions {
    /// An exporter of all signals with the timeout of the OTLP specification.
    pub fn new(name: impl Into<String>, target: Target) -> Self {
        Self { name: name.into(), target, timeout: Duration::from_secs(10), headers: BTreeMap::new(), traces: true, metrics: true, logs: true }
    }
}

impl Target {
    /// What it is called in `/healthz` and in metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::OtlpHttp { .. } => "otlp-http",
            Self::OtlpGrpc { .. } => "otlp-grpc",
            Self::File { .. } => "file",
        }
    }
}
