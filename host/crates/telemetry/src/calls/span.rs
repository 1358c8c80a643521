//! The span of one plugin call.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use engine::port::{Call, CallEnd, CallSpan, LogLevel, SpanContext, SpanItem};
use opentelemetry::{
    KeyValue, Value,
    trace::{Event, SpanId, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{BatchSpanProcessor, IdGenerator, RandomIdGenerator, SpanProcessor};
use pipeline::Attributes;

use super::{
    CallFigures, Calls, Plugin,
    limits::{Budget, Dropped},
};
use crate::{
    generated::attribute,
    logs::SharedLogs,
    policy::{MAX_DESCRIPTION_BYTES, Policy, cut},
    registry,
    span_data::{self, LiveSpan, key_values, scope},
};

/// The call of a provider inside the host: no span of its own.
pub(super) struct NativeCall {
    pub(super) context: SpanContext,
}

impl CallSpan for NativeCall {
    fn context(&self) -> &SpanContext {
        &self.context
    }

    fn record(&mut self, _item: SpanItem) {}

    fn end(self: Box<Self>, _end: CallEnd) {}
}

/// The call of a plugin.
pub(super) struct LiveCall {
    /// What the call hands on: its own span, or its parent when the run is not sampled.
    context: SpanContext,
    figures: Arc<CallFigures>,
    plugin: Arc<Plugin>,
    function: &'static str,
    begun: Instant,
    budget: Budget,
    dropped: Vec<Dropped>,
    ended: bool,
    logs: SharedLogs,
    recording: Option<Box<Recording>>,
}

/// What only a sampled call has.
struct Recording {
    processor: Arc<BatchSpanProcessor>,
    policy: Arc<Policy>,
    span: opentelemetry::trace::SpanContext,
    parent: SpanId,
    start: SystemTime,
    attributes: Vec<KeyValue>,
    guest: Attributes,
    events: Vec<Event>,
}

impl LiveCall {
    pub(super) fn begin(calls: &Calls, call: &Call, plugin: Arc<Plugin>) -> Self {
        plugin.enter();
        let function = call.verb.function();
        let recording = calls
            .processor
            .as_ref()
            .filter(|_| call.span.sampled)
            .and_then(|processor| Recording::begin(processor, &calls.policy, call, &plugin, function));
        let mut context = call.span.clone();
        if let Some(recording) = &recording {
            context.span_id = recording.span.span_id().to_string();
        }
        Self {
            context,
            figures: calls.figures.clone(),
            plugin,
            function,
            begun: Instant::now(),
            budget: Budget::default(),
            dropped: Vec::new(),
            ended: false,
            logs: calls.logs.clone(),
            recording: recording.map(Box::new),
        }
    }

    fn finish(&mut self, end: &CallEnd) {
        self.ended = true;
        let took = self.begun.elapsed();
        let error_type = end.error_type.as_deref().map(registry::error_type);
        self.figures.record(&self.plugin, self.function, took, error_type);
        for (signal, reason, count) in merge(std::mem::take(&mut self.dropped)) {
            self.figures.dropped(&self.plugin, signal, reason, count);
        }
        if let Some(recording) = self.recording.take() {
            recording.end(took, &self.plugin, self.function, end, error_type);
        }
    }

    fn log(&self, level: LogLevel, message: String, attributes: &Attributes) {
        let (plugin, trace_id, span_id) = (self.plugin.name.as_str(), &self.context.trace_id, &self.context.span_id);
        // The level of an event is fixed where it is written, hence four of them.
        match level {
            LogLevel::Debug => tracing::debug!(target: "plugin", plugin, trace_id, span_id, ?attributes, "{message}"),
            LogLevel::Info => tracing::info!(target: "plugin", plugin, trace_id, span_id, ?attributes, "{message}"),
            LogLevel::Warn => tracing::warn!(target: "plugin", plugin, trace_id, span_id, ?attributes, "{message}"),
            LogLevel::Error => tracing::error!(target: "plugin", plugin, trace_id, span_id, ?attributes, "{message}"),
        }
        if let (Some(logs), Ok(trace), Ok(span)) = (&self.logs, TraceId::from_hex(trace_id), SpanId::from_hex(span_id)) {
            logs.guest(level, message, attributes, (trace, span, self.context.sampled));
        }
    }
}

impl CallSpan for LiveCall {
    fn context(&self) -> &SpanContext {
        &self.context
    }

    fn record(&mut self, item: SpanItem) {
        match item {
            SpanItem::Attributes(attributes) => {
                if let Some(recording) = &mut self.recording {
                    recording.guest.extend(self.budget.attributes(attributes, &mut self.dropped));
                }
            }
            SpanItem::Event { name, attributes } => {
                if let Some(recording) = &mut self.recording
                    && let Some((name, attributes)) = self.budget.event(&name, attributes, &mut self.dropped)
                {
                    let attributes = key_values(&recording.policy.attributes(attributes));
                    recording.events.push(Event::new(name, recording.start + self.begun.elapsed(), attributes, 0));
                }
            }
            SpanItem::Log { level, message, attributes } => {
                if let Some((message, attributes)) = self.budget.log(&message, attributes, &mut self.dropped) {
                    self.log(level, message, &attributes);
                }
            }
            SpanItem::Dropped { signal, reason, count } => self.dropped.push((signal, reason, count)),
        }
        // A plugin that floods its telemetry must not grow the host's memory.
        if self.dropped.len() >= 64 {
            for (signal, reason, count) in merge(std::mem::take(&mut self.dropped)) {
                self.figures.dropped(&self.plugin, signal, reason, count);
            }
        }
    }

    fn end(mut self: Box<Self>, end: CallEnd) {
        self.finish(&end);
    }
}

impl Drop for LiveCall {
    fn drop(&mut self) {
        if !self.ended {
            let error_message = Some("the call was dropped before it ended".to_owned());
            let end = CallEnd {
                cpu: std::time::Duration::ZERO,
                memory_peak: 0,
                outcome: "failed",
                error_type: Some("host.cancelled".to_owned()),
                error_message,
            };
            self.finish(&end);
        }
        self.plugin.leave();
    }
}

impl Recording {
    fn begin(processor: &Arc<BatchSpanProcessor>, policy: &Arc<Policy>, call: &Call, plugin: &Plugin, function: &'static str) -> Option<Self> {
        let trace_id = TraceId::from_hex(&call.span.trace_id).ok()?;
        let trace_state: TraceState =
            if call.span.trace_state.is_empty() { TraceState::NONE } else { call.span.trace_state.parse().unwrap_or_default() };
        let span_id = RandomIdGenerator::default().new_span_id();
        // Room for what the end adds.
        let mut attributes = Vec::with_capacity(16);
        attributes.extend([
            KeyValue::new(attribute::PLUGIN_NAME, Value::String(plugin.name.clone())),
            KeyValue::new(attribute::PLUGIN_VERSION, Value::String(plugin.version.clone())),
            KeyValue::new(attribute::PLUGIN_DIGEST, Value::String(plugin.digest.clone())),
            KeyValue::new(attribute::PLUGIN_FUNCTION, function),
            KeyValue::new(attribute::PIPELINE_NAME, call.pipeline.to_string()),
            KeyValue::new(attribute::PIPELINE_RUN_ID, call.run.to_string()),
            KeyValue::new(attribute::PIPELINE_STEP_NAME, call.attempt.item.step.to_string()),
            KeyValue::new(attribute::PIPELINE_ATTEMPT, i64::from(call.attempt.attempt)),
        ]);
        Some(Self {
            processor: processor.clone(),
            policy: policy.clone(),
            span: opentelemetry::trace::SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, false, trace_state),
            parent: SpanId::from_hex(&call.span.span_id).ok()?,
            start: opentelemetry::time::now(),
            attributes,
            guest: Attributes::new(),
            events: Vec::new(),
        })
    }

    fn end(mut self, took: std::time::Duration, plugin: &Plugin, function: &'static str, end: &CallEnd, error_type: Option<&str>) {
        self.attributes.extend([
            KeyValue::new("plugin.cpu.time", end.cpu.as_secs_f64()),
            KeyValue::new("plugin.memory.peak", i64::try_from(end.memory_peak).unwrap_or(i64::MAX)),
            KeyValue::new(attribute::PLUGIN_OUTCOME, end.outcome),
        ]);
        let status = match error_type {
            None => Status::Unset,
            Some(code) => {
                self.attributes.push(KeyValue::new(attribute::ERROR_TYPE, code.to_owned()));
                // The exception itself is told once, on the span of the attempt.
                Status::error(cut(end.error_message.as_deref().unwrap_or(code), MAX_DESCRIPTION_BYTES).to_owned())
            }
        };
        if !self.guest.is_empty() {
            self.attributes.extend(key_values(&self.policy.attributes(self.guest)));
        }
        self.processor.on_end(span_data::of_live(LiveSpan {
            context: self.span,
            parent: self.parent,
            scope: scope("jackfield.host"),
            name: plugin.span_name(function).into(),
            start: self.start,
            // Measured by the monotonic clock, so that a stepping clock does not make a call end before it began.
            end: self.start + took,
            attributes: self.attributes,
            dropped_attributes: 0,
            events: self.events,
            dropped_events: 0,
            status,
        }));
    }
}

/// One count per signal and reason.
fn merge(dropped: Vec<Dropped>) -> Vec<Dropped> {
    let mut merged: Vec<Dropped> = Vec::new();
    for (signal, reason, count) in dropped {
        match merged.iter_mut().find(|known| (known.0, known.1) == (signal, reason)) {
            Some(known) => known.2 += count,
            None => merged.push((signal, reason, count)),
        }
    }
    merged
}
