//! Exporters: how spans and metrics leave the process, counted.

mod build;
mod file;

use std::{sync::Arc, time::Duration};

use opentelemetry::KeyValue;
use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    logs::{LogBatch, LogExporter},
    metrics::{data::ResourceMetrics, exporter::PushMetricExporter},
    trace::{SpanData, SpanExporter},
};
use tokio::runtime::Handle;

pub(crate) use self::build::{log_sink, metric_sink, span_sink};
use self::file::JsonLines;
use crate::{
    generated::{attribute, metric},
    health::{ExportStats, Signal},
};

/// Where spans go.
#[derive(Debug)]
pub(crate) struct SpanSink {
    exporter: SpanTarget,
    timeout: Duration,
    pub(crate) stats: Arc<ExportStats>,
}

#[derive(Debug)]
enum SpanTarget {
    Otlp(Box<opentelemetry_otlp::SpanExporter>),
    File(JsonLines),
}

impl SpanSink {
    /// Delivers spans, once. Runs on the exporters' runtime.
    pub(crate) async fn export(&self, spans: Vec<SpanData>) -> Result<(), String> {
        let count = spans.len();
        let sent = async {
            match &self.exporter {
                SpanTarget::Otlp(exporter) => exporter.export(spans).await.map_err(|error| error.to_string()),
                SpanTarget::File(file) => file.spans(spans),
            }
        };
        // The exporters have timeouts of their own; this one is for the case that they do not work.
        let result = tokio::time::timeout(self.timeout.saturating_mul(2), sent).await.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        match &result {
            Ok(()) => self.stats.exported(count),
            Err(error) => self.stats.failed(Signal::Spans, error),
        }
        result
    }
}

/// Where metrics go.
pub(crate) struct MetricSink {
    exporter: MetricTarget,
    stats: Arc<ExportStats>,
}

enum MetricTarget {
    Otlp(Box<opentelemetry_otlp::MetricExporter>),
    File(JsonLines),
}

impl MetricSink {
    /// Delivers one collection of metrics. Runs on the exporters' runtime.
    pub(crate) async fn export(&self, metrics: &ResourceMetrics) {
        let result = match &self.exporter {
            MetricTarget::Otlp(exporter) => exporter.export(metrics).await.map_err(|error| error.to_string()),
            MetricTarget::File(file) => file.metrics(metrics),
        };
        match result {
            Ok(()) => self.stats.exported_metrics(),
            Err(error) => self.stats.failed(Signal::Metrics, &error),
        }
    }

    /// What the receiver wants: sums since the start, or since the last export.
    pub(crate) fn temporality(&self) -> opentelemetry_sdk::metrics::Temporality {
        match &self.exporter {
            MetricTarget::Otlp(exporter) => exporter.temporality(),
            MetricTarget::File(_) => opentelemetry_sdk::metrics::Temporality::Cumulative,
        }
    }
}

/// Where log records go.
#[derive(Debug)]
pub(crate) struct LogSink {
    exporter: LogTarget,
    stats: Arc<ExportStats>,
}

#[derive(Debug)]
enum LogTarget {
    Otlp(Box<opentelemetry_otlp::LogExporter>),
    File(JsonLines),
}

impl LogSink {
    /// Delivers log records, once.
    pub(crate) async fn export(&self, batch: LogBatch<'_>) -> Result<(), String> {
        let result = match &self.exporter {
            LogTarget::Otlp(exporter) => exporter.export(batch).await.map_err(|error| error.to_string()),
            LogTarget::File(file) => file.logs(&batch),
        };
        match &result {
            Ok(()) => self.stats.exported_logs(),
            Err(error) => self.stats.failed(Signal::Logs, error),
        }
        result
    }
}

/// Hands live spans to all exporters at once. What fails is lost and counted.
#[derive(Debug)]
pub(crate) struct LiveExporter {
    pub(crate) sinks: Vec<Arc<SpanSink>>,
    pub(crate) runtime: Handle,
}

impl SpanExporter for LiveExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        // The batch processor polls this on a thread without a runtime, so each export is a task of ours.
        let exports: Vec<_> = self
            .sinks
            .iter()
            .map(|sink| {
                let (sink, batch, count) = (sink.clone(), batch.clone(), batch.len());
                self.runtime.spawn(async move { sink.export(batch).await.inspect_err(|_| sink.stats.lost(count)) })
            })
            .collect();
        let mut result = Ok(());
        for export in exports {
            if let Err(error) = export.await.unwrap_or_else(|error| Err(error.to_string())) {
                result = Err(OTelSdkError::InternalFailure(error));
            }
        }
        result
    }
}

/// Counts what exporters deliver and lose, read from what `/healthz` shows.
pub(crate) fn export_counter(meters: &opentelemetry_sdk::metrics::SdkMeterProvider, stats: &[Arc<ExportStats>]) {
    let row = crate::registry::metric(metric::OTEL_SDK_EXPORTER_SPAN_EXPORTED).expect("the registry has the metric of exporters");
    let stats = stats.to_vec();
    let observe = move |observer: &dyn opentelemetry::metrics::AsyncInstrument<u64>| {
        for health in stats.iter().map(|stats| stats.read()) {
            let name = KeyValue::new(attribute::OTEL_COMPONENT_NAME, health.name);
            let kind = KeyValue::new(attribute::OTEL_COMPONENT_TYPE, health.kind);
            observer.observe(health.spans_exported, &[name.clone(), kind.clone()]);
            observer.observe(health.spans_lost, &[name, kind, KeyValue::new(attribute::ERROR_TYPE, "_OTHER")]);
        }
    };
    let meter = crate::metrics::instruments::meter(meters, row);
    meter.u64_observable_counter(row.name).with_unit(row.unit).with_description(row.brief).with_callback(observe).build();
}
