//! The span of one plugin call.

use std::{
    cell::OnceCell,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use engine::port::{Call, CallEnd, CallSpan, Children, LogLevel, SpanContext, SpanItem};
use opentelemetry::{
    KeyValue, Value,
    trace::{Event, SpanId, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SpanData, SpanProcessor};
use pipeline::Attributes;

use super::{
    Plugin, Shared,
    child::LiveChildren,
    limits::{Budget, Dropped},
};
use crate::{
    generated::attribute,
    policy::{self, Policy},
    registry,
    span_data::{self, LiveSpan, key_values, scope},
};

/// The call of a provider inside the host: no span of its own.
pub(super) struct NativeCall {
    pub(super) context: SpanContext,
    pub(super) propagates: bool,
}

impl CallSpan for NativeCall {
    fn context(&self) -> &SpanContext {
        &self.context
    }

    fn outbound(&self) -> Option<&SpanContext> {
        self.propagates.then_some(&self.context)
    }

    fn record(&mut self, _item: SpanItem) {}

    fn end(self: Box<Self>, _end: CallEnd) {}
}

/// The call of a plugin.
pub(super) struct LiveCall {
    /// What the call hands on: its own span, or its parent when the run is not sampled. Most calls hand nothing on, so the text of the own one is made when
    /// somebody asks.
    context: OnceCell<SpanContext>,
    trace_state: String,
    shared: Arc<Shared>,
    plugin: Arc<Plugin>,
    function: &'static str,
    begun: Instant,
    budget: Budget,
    dropped: Vec<Dropped>,
    ended: bool,
    recording: Option<Recording>,
    /// Made when the first span below this one begins.
    children: OnceCell<Arc<LiveChildren>>,
}

/// What only a sampled call has.
struct Recording {
    span: opentelemetry::trace::SpanContext,
    parent: SpanId,
    start: SystemTime,
    attributes: Vec<KeyValue>,
    guest: Attributes,
    events: Vec<Event>,
}

impl LiveCall {
    pub(super) fn begin(shared: &Arc<Shared>, call: &Call, plugin: Arc<Plugin>) -> Self {
        plugin.enter();
        let function = call.verb.function();
        let sampled = shared.processor.is_some() && call.span.sampled;
        let recording = sampled.then(|| Recording::begin(call, &plugin, function)).flatten();
        let (context, trace_state) = match &recording {
            Some(_) => (OnceCell::new(), call.span.trace_state.clone()),
            None => (OnceCell::from(call.span.clone()), String::new()),
        };
        Self {
            context,
            trace_state,
            shared: shared.clone(),
            plugin,
            function,
            begun: Instant::now(),
            budget: Budget::default(),
            dropped: Vec::new(),
            ended: false,
            recording,
            children: OnceCell::new(),
        }
    }

    fn finish(&mut self, end: &CallEnd) {
        self.ended = true;
        let took = self.begun.elapsed();
        let error_type = end.error_type.as_deref().map(registry::error_type);
        self.shared.figures.record(&self.plugin, self.function, took, error_type);
        self.count_dropped();
        if let (Some(recording), Some(processor)) = (self.recording.take(), &self.shared.processor) {
            processor.on_end(recording.end(took, &self.shared.policy, &self.plugin, self.function, end, error_type));
        }
    }

    fn count_dropped(&mut self) {
        for (signal, reason, count) in merge(std::mem::take(&mut self.dropped)) {
            self.shared.figures.dropped(&self.plugin, signal, reason, count);
        }
    }

    fn log(&self, level: LogLevel, message: String, attributes: Attributes) {
        let attributes = &self.shared.policy.attributes(attributes);
        let SpanContext { trace_id, span_id, sampled, .. } = self.context();
        let plugin = self.plugin.name.as_str();
        // The level of an event is fixed where it is written, hence four of them.
        match level {
            LogLevel::Debug => tracing::debug!(target: "plugin", plugin, trace_id, span_id, ?attributes, "{message}"),
            LogLevel::Info => tracing::info!(target: "plugin", plugin, trace_id, span_id, ?attributes, "{message}"),
            LogLevel::Warn => tracing::warn!(target: "plugin", plugin, trace_id, span_id, ?attributes, "{message}"),
            LogLevel::Error => tracing::error!(target: "plugin", plugin, trace_id, span_id, ?attributes, "{message}"),
        }
        if let (Some(logs), Ok(trace), Ok(span)) = (&self.shared.logs, TraceId::from_hex(trace_id), SpanId::from_hex(span_id)) {
            logs.guest(level, message, attributes, (trace, span, *sampled));
        }
    }
}

impl CallSpan for LiveCall {
    fn context(&self) -> &SpanContext {
        self.context.get_or_init(|| {
            // The span itself is there whenever nothing was put here at the beginning, until the call ends.
            let (trace_id, span_id) = self
                .recording
                .as_ref()
                .map_or((TraceId::INVALID, SpanId::INVALID), |recording| (recording.span.trace_id(), recording.span.span_id()));
            let (trace_id, span_id) = (trace_id.to_string(), span_id.to_string());
            SpanContext { trace_id, span_id, sampled: true, trace_state: self.trace_state.clone() }
        })
    }

    fn children(&self) -> Option<Arc<dyn Children>> {
        let call = &self.recording.as_ref()?.span;
        let make = || LiveChildren { shared: Arc::clone(&self.shared), plugin: Arc::clone(&self.plugin), call: call.clone() };
        let children: &Arc<LiveChildren> = self.children.get_or_init(|| Arc::new(make()));
        Some(Arc::<LiveChildren>::clone(children))
    }

    fn outbound(&self) -> Option<&SpanContext> {
        self.shared.propagates.then(|| self.context())
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
                    let attributes = key_values(&self.shared.policy.attributes(attributes));
                    recording.events.push(Event::new(name, recording.start + self.begun.elapsed(), attributes, 0));
                }
            }
            SpanItem::Log { level, message, attributes } => {
                if let Some((message, attributes)) = self.budget.log(&message, attributes, &mut self.dropped) {
                    self.log(level, message, attributes);
                }
            }
            SpanItem::Measured(measurement) => self.shared.figures.measured(&self.plugin, measurement),
            SpanItem::Dropped { signal, reason, count } => self.dropped.push((signal, reason, count)),
        }
        // A plugin that floods its telemetry must not grow the host's memory.
        if self.dropped.len() >= 64 {
            self.count_dropped();
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
            let end =
                CallEnd { cpu: Duration::ZERO, memory_peak: 0, outcome: "failed", error_type: Some("host.cancelled".to_owned()), error_message };
            self.finish(&end);
        }
        self.plugin.leave();
    }
}

impl Recording {
    fn begin(call: &Call, plugin: &Plugin, function: &'static str) -> Option<Self> {
        let trace_id = trace_id(&call.span.trace_id)?;
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
            KeyValue::new(attribute::PIPELINE_NAME, call.pipeline.as_str().to_owned()),
            KeyValue::new(attribute::PIPELINE_RUN_ID, call.run.as_str().to_owned()),
            KeyValue::new(attribute::PIPELINE_STEP_NAME, call.attempt.item.step.as_str().to_owned()),
            KeyValue::new(attribute::PIPELINE_ATTEMPT, i64::from(call.attempt.attempt)),
        ]);
        Some(Self {
            span: opentelemetry::trace::SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, false, trace_state),
            parent: SpanId::from_hex(&call.span.span_id).ok()?,
            start: opentelemetry::time::now(),
            attributes,
            guest: Attributes::new(),
            events: Vec::new(),
        })
    }

    fn end(mut self, took: Duration, policy: &Policy, plugin: &Plugin, function: &'static str, end: &CallEnd, error_type: Option<&str>) -> SpanData {
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
                Status::error(policy::description(end.error_message.as_deref().unwrap_or_default(), code).to_owned())
            }
        };
        if !self.guest.is_empty() {
            self.attributes.extend(key_values(&policy.attributes(std::mem::take(&mut self.guest))));
        }
        let Self { span, parent, start, attributes, events, .. } = self;
        span_data::of_live(LiveSpan {
            context: span,
            parent,
            scope: scope("jackfield.host"),
            name: plugin.span_name(function).into(),
            start,
            // Measured by the monotonic clock, so that a stepping clock does not make a call end before it began.
            end: start + took,
            attributes,
            dropped_attributes: 0,
            events,
            dropped_events: 0,
            status,
        })
    }
}

/// The id in two halves: digits of 64 bits are read several times faster than those of 128.
fn trace_id(text: &str) -> Option<TraceId> {
    let (high, low) = text.split_at_checked(16).filter(|(_, low)| low.len() == 16)?;
    let half = |digits: &str| u64::from_str_radix(digits, 16).ok().map(u128::from);
    Some(TraceId::from(half(high)? << 64 | half(low)?))
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
