//! Log records: what plugins log, exceptions where the operator wants them as log records, and, through [`crate::HostLog`], what the host itself
//! logs. Exported at most once.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::SystemTime,
};

use engine::port::LogLevel;
use opentelemetry::{
    SpanId, StringValue, TraceFlags, TraceId,
    logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity},
};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    logs::{BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter, SdkLogger, SdkLoggerProvider},
};
use pipeline::{AttributeValue, Attributes};
use tokio::runtime::Handle;

use crate::{
    export::LogSink,
    options::DeliveryOptions,
    projection::ProjectedSpan,
    span_data::{scope, time},
};

/// Writes log records.
pub(crate) struct Logs {
    provider: SdkLoggerProvider,
    host: SdkLogger,
}

impl fmt::Debug for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logs").finish_non_exhaustive()
    }
}

impl Logs {
    /// `None` when no exporter takes log records.
    pub(crate) fn new(sinks: Vec<LogSink>, resource: &Resource, delivery: &DeliveryOptions, runtime: Handle) -> Option<Self> {
        if sinks.is_empty() {
            return None;
        }
        let config = BatchConfigBuilder::default().with_max_queue_size(delivery.live_queue).with_max_export_batch_size(delivery.max_batch);
        let processor = BatchLogProcessor::builder(LiveLogExporter { sinks, runtime })
            .with_batch_config(config.with_scheduled_delay(delivery.delay).build())
            .build();
        let provider = SdkLoggerProvider::builder().with_resource(resource.clone()).with_log_processor(processor).build();
        Some(Self { host: provider.logger_with_scope(scope("jackfield.host")), provider })
    }

    /// Where log records of any scope are written.
    pub(crate) fn provider(&self) -> &SdkLoggerProvider {
        &self.provider
    }

    /// What a plugin logged.
    pub(crate) fn guest(&self, level: LogLevel, message: String, attributes: &Attributes, span: (TraceId, SpanId, bool)) {
        let (severity, name) = match level {
            LogLevel::Debug => (Severity::Debug, "DEBUG"),
            LogLevel::Info => (Severity::Info, "INFO"),
            LogLevel::Warn => (Severity::Warn, "WARN"),
            LogLevel::Error => (Severity::Error, "ERROR"),
        };
        let mut record = self.host.create_log_record();
        record.set_timestamp(opentelemetry::time::now());
        record.set_severity_number(severity);
        record.set_severity_text(name);
        record.set_body(AnyValue::from(message));
        add(&mut record, attributes);
        record.set_trace_context(span.0, span.1, Some(if span.2 { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED }));
        self.host.emit(record);
    }

    /// The exception of a failed span, in the span's own scope.
    pub(crate) fn exception(&self, span: &ProjectedSpan) {
        let Some(exception) = &span.exception else { return };
        let (Ok(trace_id), Ok(span_id)) = (TraceId::from_hex(&span.trace_id), SpanId::from_hex(&span.span_id)) else { return };
        let logger = self.provider.logger_with_scope(scope(span.scope));
        let mut record = logger.create_log_record();
        record.set_event_name("exception");
        record.set_timestamp(time(exception.at));
        record.set_observed_timestamp(SystemTime::max(time(exception.at), opentelemetry::time::now()));
        record.set_severity_number(Severity::Error);
        record.set_severity_text("ERROR");
        add(&mut record, &exception.attributes);
        record.set_trace_context(trace_id, span_id, Some(TraceFlags::SAMPLED));
        logger.emit(record);
    }

    /// Exports what there is; blocks.
    pub(crate) fn flush(&self) {
        if let Err(error) = self.provider.force_flush() {
            tracing::debug!("log records: {error}");
        }
    }
}

fn add(record: &mut impl opentelemetry::logs::LogRecord, attributes: &Attributes) {
    record.add_attributes(attributes.iter().map(|(key, value)| (key.clone(), any(value))));
}

fn any(value: &AttributeValue) -> AnyValue {
    match value {
        AttributeValue::Flag(flag) => AnyValue::Boolean(*flag),
        AttributeValue::Int(number) => AnyValue::Int(*number),
        AttributeValue::Float(number) => AnyValue::Double(*number),
        AttributeValue::Text(text) => AnyValue::String(StringValue::from(text.clone())),
        AttributeValue::Texts(texts) => AnyValue::ListAny(Box::new(texts.iter().map(|text| AnyValue::from(text.clone())).collect())),
    }
}

/// Hands log records to all exporters.
#[derive(Debug)]
struct LiveLogExporter {
    sinks: Vec<LogSink>,
    runtime: Handle,
}

impl LogExporter for LiveLogExporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let records: Vec<_> = batch.iter().collect();
        let mut result = Ok(());
        for sink in &self.sinks {
            let export = InRuntime { future: Box::pin(sink.export(LogBatch::new(&records))), runtime: &self.runtime };
            if let Err(error) = export.await {
                result = Err(OTelSdkError::InternalFailure(error));
            }
        }
        result
    }
}

/// Polls a future of a thread without a runtime as if it were on the exporters' runtime, whose timers and connections it then uses. The batch is
/// borrowed, so it cannot be a task of its own.
struct InRuntime<'a, F> {
    future: Pin<Box<F>>,
    runtime: &'a Handle,
}

impl<F: Future> Future for InRuntime<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let _entered = self.runtime.enter();
        self.future.as_mut().poll(context)
    }
}

/// What spans and calls share: the writer of log records, where there is one.
pub(crate) type SharedLogs = Option<Arc<Logs>>;
