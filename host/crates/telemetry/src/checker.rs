//! Compares captured OTLP with the registry: exact attribute sets, types, kinds, scopes, parents, statuses, links and events.
//!
//! For tests, and for operators who want to know whether what arrives is what the contract says.
//!
//! ```
//! let captured = telemetry::checker::parse_traces("").unwrap();
//! assert!(telemetry::checker::check_traces(&captured, telemetry::checker::Capture::Whole).is_empty());
//! ```

mod attributes;
mod metrics;
mod spans;

use std::fmt;

pub use opentelemetry_proto::tonic::collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest};
use prost::Message;
use serde::de::DeserializeOwned;

pub use self::{
    metrics::{check_metrics, check_metrics_labelled},
    spans::{check_traces, check_traces_named},
};

/// Whether everything of the traces was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capture {
    /// All runs are over and everything was exported: a parent or a link's target that is not there is missing.
    Whole,
    /// The same, but a host was killed meanwhile: what it did for a call was exported when it ended, and the call that was under way never was.
    Killed,
    /// Some runs are still open.
    Partial,
}

/// Something that is not as the registry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The span or metric.
    pub subject: String,
    /// The rule that is broken.
    pub rule: Rule,
    /// What was found and what was expected.
    pub detail: String,
}

/// The rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// The name is in the registry.
    Name,
    /// The kind of the span, or of the instrument.
    Kind,
    /// The instrumentation scope.
    Scope,
    /// No attribute or label that the row does not have.
    UnknownAttribute,
    /// No attribute or label is missing.
    MissingAttribute,
    /// No attribute where it does not belong, such as a result on a failed span.
    MisplacedAttribute,
    /// A key is set once.
    RepeatedAttribute,
    /// The type of a value.
    Type,
    /// The length of a text.
    Length,
    /// The status and its description.
    Status,
    /// The value of `error.type`.
    ErrorType,
    /// The parent.
    Parent,
    /// Links and their reasons.
    Link,
    /// Events.
    Event,
    /// A span ends after it begins.
    Time,
    /// A span that is exported again is the same.
    Repeat,
    /// The unit of a metric.
    Unit,
    /// The description of a metric.
    Description,
    /// Sums since the start.
    Temporality,
    /// The boundaries of a histogram.
    Boundaries,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}: {}", self.subject, self.rule, self.detail)
    }
}

/// A capture that is not OTLP.
#[derive(Debug, thiserror::Error)]
#[error("request {number} of the capture is not OTLP: {detail}")]
pub struct NotOtlp {
    number: usize,
    detail: String,
}

/// Requests with spans from JSON lines, as the file exporter writes them.
///
/// # Errors
/// [`NotOtlp`] names the line.
pub fn parse_traces(lines: &str) -> Result<Vec<ExportTraceServiceRequest>, NotOtlp> {
    parse(lines)
}

/// Requests with metrics from JSON lines.
///
/// # Errors
/// [`NotOtlp`] names the line.
pub fn parse_metrics(lines: &str) -> Result<Vec<ExportMetricsServiceRequest>, NotOtlp> {
    parse(lines)
}

/// A request with spans from protobuf, as OTLP/HTTP carries it.
///
/// # Errors
/// [`NotOtlp`].
pub fn decode_traces(body: &[u8]) -> Result<ExportTraceServiceRequest, NotOtlp> {
    Message::decode(body).map_err(|error: prost::DecodeError| NotOtlp { number: 1, detail: error.to_string() })
}

/// A request with metrics from protobuf.
///
/// # Errors
/// [`NotOtlp`].
pub fn decode_metrics(body: &[u8]) -> Result<ExportMetricsServiceRequest, NotOtlp> {
    Message::decode(body).map_err(|error: prost::DecodeError| NotOtlp { number: 1, detail: error.to_string() })
}

fn parse<T: DeserializeOwned>(lines: &str) -> Result<Vec<T>, NotOtlp> {
    let request = |(number, line)| serde_json::from_str(line).map_err(|error| NotOtlp { number: number + 1, detail: error.to_string() });
    lines.lines().enumerate().map(request).collect()
}
