//! The span of a call that is made by hand: remembered, to be printed.

use std::sync::{Arc, Mutex, PoisonError};

use engine::port::{Call, CallEnd, CallSpan, CallTelemetry, LogLevel, SpanContext, SpanItem};
use pipeline::Attributes;
use serde_json::{Map, Value, json};

/// What was recorded of one call.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    name: String,
    items: Vec<SpanItem>,
    end: Option<CallEnd>,
}

/// Remembers the span of one call.
#[derive(Debug, Default)]
pub(super) struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Debug)]
struct Span {
    context: SpanContext,
    recorded: Arc<Mutex<Recorded>>,
}

impl Recorder {
    /// What was recorded so far.
    pub(super) fn take(&self) -> Recorded {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl CallTelemetry for Recorder {
    fn begin(&self, call: &Call) -> Box<dyn CallSpan> {
        let mut recorded = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.name = format!("plugin.call {}/{}", call.pin.provider.name(), call.verb.function());
        Box::new(Span { context: call.span.clone(), recorded: Arc::clone(&self.0) })
    }
}

impl CallSpan for Span {
    fn context(&self) -> &SpanContext {
        &self.context
    }

    fn record(&mut self, item: SpanItem) {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).items.push(item);
    }

    fn end(self: Box<Self>, end: CallEnd) {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner).end = Some(end);
    }
}

impl Recorded {
    /// The span for programs.
    pub(super) fn json(&self) -> Value {
        let (mut attributes, mut events, mut logs, mut dropped) = (Map::new(), Vec::new(), Vec::new(), Vec::new());
        let mut measured = Vec::new();
        for item in &self.items {
            match item {
                SpanItem::Attributes(more) => attributes.extend(map(more)),
                SpanItem::Event { name, attributes } => events.push(json!({"name": name, "attributes": map(attributes)})),
                SpanItem::Log { level, message, attributes } => {
                    logs.push(json!({"level": level_name(*level), "message": message, "attributes": map(attributes)}));
                }
                SpanItem::Measured(it) => {
                    let labels: Map<String, Value> = it.labels.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
                    measured.push(json!({"instrument": it.name, "value": it.value, "unit": it.unit, "labels": labels}));
                }
                SpanItem::Dropped { signal, reason, count } => dropped.push(json!({"signal": signal, "reason": reason, "count": count})),
            }
        }
        let mut span = json!({"name": self.name, "attributes": attributes, "events": events, "logs": logs, "measured": measured, "dropped": dropped});
        if let Some(CallEnd { cpu, memory_peak, outcome, error_type, error_message }) = &self.end {
            span["plugin.cpu.time"] = json!(cpu.as_secs_f64());
            span["plugin.memory.peak"] = json!(memory_peak);
            span["plugin.outcome"] = json!(outcome);
            span["error.type"] = json!(error_type);
            span["error.message"] = json!(error_message);
        }
        span
    }

    /// The span for people.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![self.name.clone()];
        if let Some(end) = &self.end {
            lines.push(format!("  outcome  {}", end.outcome));
            lines.extend(end.error_type.as_ref().map(|error_type| format!("  error    {error_type}")));
            lines.push(format!("  cpu      {} us", end.cpu.as_micros()));
            lines.push(format!("  memory   {} bytes at most", end.memory_peak));
        }
        for item in &self.items {
            match item {
                SpanItem::Attributes(attributes) => lines.extend(attributes.iter().map(|(key, value)| format!("  {key} = {}", json!(value)))),
                SpanItem::Event { name, attributes } => lines.push(format!("  event {name}{}", tail(attributes))),
                SpanItem::Log { level, message, attributes } => lines.push(format!("  {} {message}{}", level_name(*level), tail(attributes))),
                SpanItem::Measured(it) => {
                    let labels: Vec<String> = it.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
                    lines.push(format!("  metric {} {} {} {{{}}}", it.name, it.value, it.unit, labels.join(" ")));
                }
                SpanItem::Dropped { signal, reason, count } => lines.push(format!("  {count} {signal} dropped: {reason}")),
            }
        }
        lines.join("\n")
    }
}

fn map(attributes: &Attributes) -> Map<String, Value> {
    attributes.iter().map(|(key, value)| (key.clone(), json!(value))).collect()
}

fn tail(attributes: &Attributes) -> String {
    if attributes.is_empty() { String::new() } else { format!(" {}", Value::Object(map(attributes))) }
}

fn level_name(level: LogLevel) -> &'static str {
    match level {
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warn => "warn",
        LogLevel::Error => "error",
    }
}
