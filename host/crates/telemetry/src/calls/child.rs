//! Spans below that of a plugin call: the plugin's own and those of what the host does for it.

use std::{
    borrow::Cow,
    cell::OnceCell,
    sync::Arc,
    time::{Instant, SystemTime},
};

use engine::port::{ChildKind, ChildSpan, Children, NewSpan, SpanContext, SpanItem};
use opentelemetry::{
    KeyValue, Value,
    trace::{Event, SpanId, SpanKind, Status, TraceFlags},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SpanProcessor};
use pipeline::Attributes;

use super::{Plugin, Shared};
use crate::{
    generated::attribute,
    policy, registry,
    span_data::{self, LiveSpan, key_values, scope},
};

/// The scope of spans that plugins begin: their names are not the host's.
pub(crate) const GUEST_SCOPE: &str = "jackfield.plugin";
/// The name of a span whose plugin gave it one of the host's.
const UNNAMED: &str = "plugin.span";

/// Begins spans below that of one call.
#[derive(Debug)]
pub(super) struct LiveChildren {
    pub(super) shared: Arc<Shared>,
    pub(super) plugin: Arc<Plugin>,
    pub(super) call: opentelemetry::trace::SpanContext,
}

struct LiveChild {
    shared: Arc<Shared>,
    plugin: Arc<Plugin>,
    span: opentelemetry::trace::SpanContext,
    parent: SpanId,
    /// Made when somebody asks.
    text: OnceCell<SpanContext>,
    name: Cow<'static, str>,
    kind: ChildKind,
    start: SystemTime,
    begun: Instant,
    attributes: Attributes,
    events: Vec<Event>,
    ended: bool,
}

impl Children for LiveChildren {
    fn begin(&self, under: &SpanContext, span: NewSpan) -> Box<dyn ChildSpan> {
        let NewSpan { name, kind, attributes } = span;
        let foreign = kind == ChildKind::Guest && registry::span(&name).is_some();
        let own = RandomIdGenerator::default().new_span_id();
        let call = &self.call;
        Box::new(LiveChild {
            shared: Arc::clone(&self.shared),
            plugin: Arc::clone(&self.plugin),
            span: opentelemetry::trace::SpanContext::new(call.trace_id(), own, TraceFlags::SAMPLED, false, call.trace_state().clone()),
            parent: SpanId::from_hex(&under.span_id).unwrap_or_else(|_| call.span_id()),
            text: OnceCell::new(),
            name: if foreign { UNNAMED.into() } else { name },
            kind,
            start: opentelemetry::time::now(),
            begun: Instant::now(),
            attributes,
            events: Vec::new(),
            ended: false,
        })
    }
}

impl LiveChild {
    fn finish(&mut self, failed: Option<(String, String)>) {
        self.ended = true;
        let Some(processor) = &self.shared.processor else { return };
        let guest = self.kind == ChildKind::Guest;
        let given = std::mem::take(&mut self.attributes);
        // What the host says about itself is no matter of the operator's wishes about personal values.
        let mut attributes = key_values(&if guest { self.shared.policy.attributes(given) } else { given });
        if guest {
            attributes.push(KeyValue::new(attribute::PLUGIN_NAME, Value::String(self.plugin.name.clone())));
        }
        let status = failed.map_or(Status::Unset, |(code, message)| {
            let code = registry::error_type(&code);
            attributes.push(KeyValue::new(attribute::ERROR_TYPE, code.to_owned()));
            Status::error(policy::description(&message, code).to_owned())
        });
        let mut data = span_data::of_live(LiveSpan {
            context: self.span.clone(),
            parent: self.parent,
            scope: scope(if guest { GUEST_SCOPE } else { "jackfield.host" }),
            name: std::mem::take(&mut self.name),
            start: self.start,
            end: self.start + self.begun.elapsed(),
            attributes,
            dropped_attributes: 0,
            events: std::mem::take(&mut self.events),
            dropped_events: 0,
            status,
        });
        if self.kind == ChildKind::Client {
            data.span_kind = SpanKind::Client;
        }
        processor.on_end(data);
    }
}

impl ChildSpan for LiveChild {
    fn context(&self) -> &SpanContext {
        self.text.get_or_init(|| SpanContext {
            trace_id: self.span.trace_id().to_string(),
            span_id: self.span.span_id().to_string(),
            sampled: true,
            trace_state: self.span.trace_state().header(),
        })
    }

    fn record(&mut self, item: SpanItem) {
        match item {
            SpanItem::Attributes(attributes) => {
                for (key, value) in attributes {
                    match self.attributes.iter_mut().find(|(present, _)| *present == key) {
                        Some((_, present)) => *present = value,
                        None => self.attributes.push((key, value)),
                    }
                }
            }
            SpanItem::Event { name, attributes } => {
                let attributes = key_values(&self.shared.policy.attributes(attributes));
                self.events.push(Event::new(name, self.start + self.begun.elapsed(), attributes, 0));
            }
            SpanItem::Log { .. } | SpanItem::Measured(_) | SpanItem::Dropped { .. } => {}
        }
    }

    fn end(mut self: Box<Self>, failed: Option<(String, String)>) {
        self.finish(failed);
    }
}

impl Drop for LiveChild {
    fn drop(&mut self) {
        if !self.ended {
            self.finish(None);
        }
    }
}
