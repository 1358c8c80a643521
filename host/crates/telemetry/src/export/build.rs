//! From configuration to exporters. Built inside the exporters' runtime, which gRPC needs.

use std::{collections::HashMap, path::Path, sync::Arc};

use hyper_rustls::HttpsConnectorBuilder;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{RetryPolicy, WithExportConfig, WithHttpConfig, WithTonicConfig, tonic_types::metadata::MetadataMap};
use opentelemetry_sdk::{Resource, logs::LogExporter as _, trace::SpanExporter as _};

use super::{JsonLines, LogSink, LogTarget, MetricSink, MetricTarget, SpanSink, SpanTarget};
use crate::{
    error::TelemetryError,
    health::ExportStats,
    options::{ExporterOptions, Target},
};

/// The exporter of spans of a destination. `patient`: the caller repeats failed exports itself.
pub(crate) fn span_sink(options: &ExporterOptions, resource: &Resource, stats: &Arc<ExportStats>, patient: bool) -> Result<SpanSink, TelemetryError> {
    let retry = if patient { RetryPolicy::disabled() } else { RetryPolicy::recommended() };
    let exporter = match &options.target {
        Target::OtlpHttp { endpoint } => {
            let builder =
                opentelemetry_otlp::SpanExporter::builder().with_http().with_http_client(http_client(options)).with_timeout(options.timeout);
            let builder = builder.with_headers(http_headers(options)).with_retry_policy(retry);
            let builder = match endpoint {
                Some(base) => builder.with_endpoint(signal_url(base, "traces")),
                None => builder,
            };
            otlp(builder.build(), options, resource)?
        }
        Target::OtlpGrpc { endpoint } => {
            let builder = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_timeout(options.timeout).with_metadata(metadata(options)?);
            let builder = match endpoint {
                Some(base) => builder.with_retry_policy(retry).with_endpoint(base),
                None => builder.with_retry_policy(retry),
            };
            otlp(builder.build(), options, resource)?
        }
        Target::File { traces, max_bytes, .. } => SpanTarget::File(open(options, traces, *max_bytes, resource)?),
    };
    Ok(SpanSink { exporter, timeout: options.timeout, stats: stats.clone() })
}

fn otlp(
    built: Result<opentelemetry_otlp::SpanExporter, opentelemetry_otlp::ExporterBuildError>,
    options: &ExporterOptions,
    resource: &Resource,
) -> Result<SpanTarget, TelemetryError> {
    let mut exporter = built.map_err(|error| refuse(options, error))?;
    exporter.set_resource(resource);
    Ok(SpanTarget::Otlp(Box::new(exporter)))
}

/// The exporter of metrics of a destination; `None` for a file that takes spans only.
pub(crate) fn metric_sink(options: &ExporterOptions, resource: &Resource, stats: &Arc<ExportStats>) -> Result<Option<MetricSink>, TelemetryError> {
    let exporter = match &options.target {
        Target::OtlpHttp { endpoint } => {
            let builder =
                opentelemetry_otlp::MetricExporter::builder().with_http().with_http_client(http_client(options)).with_timeout(options.timeout);
            let builder = builder.with_headers(http_headers(options));
            let builder = match endpoint {
                Some(base) => builder.with_endpoint(signal_url(base, "metrics")),
                None => builder,
            };
            MetricTarget::Otlp(Box::new(builder.build().map_err(|error| refuse(options, error))?))
        }
        Target::OtlpGrpc { endpoint } => {
            let builder = opentelemetry_otlp::MetricExporter::builder().with_tonic().with_timeout(options.timeout).with_metadata(metadata(options)?);
            let builder = match endpoint {
                Some(base) => builder.with_endpoint(base),
                None => builder,
            };
            MetricTarget::Otlp(Box::new(builder.build().map_err(|error| refuse(options, error))?))
        }
        Target::File { metrics: None, .. } => return Ok(None),
        Target::File { metrics: Some(path), max_bytes, .. } => MetricTarget::File(open(options, path, *max_bytes, resource)?),
    };
    Ok(Some(MetricSink { exporter, stats: stats.clone() }))
}

/// The exporter of log records of a destination; `None` for a file that takes none.
pub(crate) fn log_sink(options: &ExporterOptions, resource: &Resource, stats: &Arc<ExportStats>) -> Result<Option<LogSink>, TelemetryError> {
    let exporter = match &options.target {
        Target::OtlpHttp { endpoint } => {
            let builder = opentelemetry_otlp::LogExporter::builder().with_http().with_http_client(http_client(options)).with_timeout(options.timeout);
            let builder = builder.with_headers(http_headers(options));
            let builder = match endpoint {
                Some(base) => builder.with_endpoint(signal_url(base, "logs")),
                None => builder,
            };
            builder.build().map_err(|error| refuse(options, error))?
        }
        Target::OtlpGrpc { endpoint } => {
            let builder = opentelemetry_otlp::LogExporter::builder().with_tonic().with_timeout(options.timeout).with_metadata(metadata(options)?);
            let builder = match endpoint {
                Some(base) => builder.with_endpoint(base),
                None => builder,
            };
            builder.build().map_err(|error| refuse(options, error))?
        }
        Target::File { logs: None, .. } => return Ok(None),
        Target::File { logs: Some(path), max_bytes, .. } => {
            return Ok(Some(LogSink { exporter: LogTarget::File(open(options, path, *max_bytes, resource)?), stats: stats.clone() }));
        }
    };
    let mut exporter = exporter;
    exporter.set_resource(resource);
    Ok(Some(LogSink { exporter: LogTarget::Otlp(Box::new(exporter)), stats: stats.clone() }))
}

fn open(options: &ExporterOptions, path: &Path, max_bytes: u64, resource: &Resource) -> Result<JsonLines, TelemetryError> {
    JsonLines::open(path, max_bytes, resource).map_err(|error| refuse(options, format!("{}: {error}", path.display())))
}

/// A client that speaks HTTP and HTTPS (rustls with ring, the roots of Mozilla). Exports run on the exporters' runtime, so it needs no reactor elsewhere.
fn http_client(options: &ExporterOptions) -> HyperClient<hyper_rustls::HttpsConnector<hyper_util::client::legacy::connect::HttpConnector>> {
    let connector = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
    HyperClient::new(connector, options.timeout, None)
}

fn http_headers(options: &ExporterOptions) -> HashMap<String, String> {
    options.headers.clone().into_iter().collect()
}

fn metadata(options: &ExporterOptions) -> Result<MetadataMap, TelemetryError> {
    let mut headers = http::HeaderMap::new();
    for (name, value) in &options.headers {
        let name = http::HeaderName::try_from(name).map_err(|error| refuse(options, format!("header `{name}`: {error}")))?;
        let value = http::HeaderValue::try_from(value).map_err(|error| refuse(options, format!("value of header `{name}`: {error}")))?;
        headers.append(name, value);
    }
    Ok(MetadataMap::from_headers(headers))
}

/// OTLP/HTTP, "endpoint URLs": the path of a signal is appended to the base.
fn signal_url(base: &str, signal: &str) -> String {
    format!("{}/v1/{signal}", base.trim_end_matches('/'))
}

fn refuse(options: &ExporterOptions, detail: impl ToString) -> TelemetryError {
    TelemetryError::Exporter { name: options.name.clone(), detail: detail.to_string() }
}
