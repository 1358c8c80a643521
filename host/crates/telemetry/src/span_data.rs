//! The only place that builds the SDK's `SpanData`, whose form may change between minor versions.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    Array, InstrumentationScope, Key, KeyValue, StringValue, Value,
    trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use pipeline::{AttributeValue, Timestamp};

use crate::{
    projection::{ProjectedSpan, SpanStatus},
    registry::Kind,
};

/// The scope of that name in this version of the host.
pub(crate) fn scope(name: impl Into<Cow<'static, str>>) -> InstrumentationScope {
    InstrumentationScope::builder(name).with_version(env!("CARGO_PKG_VERSION")).build()
}

/// The SDK's form of a projected span; `None` when its ids are not ids, which no journal of ours contains.
pub(crate) fn of_projected(span: &ProjectedSpan) -> Option<SpanData> {
    let trace_id = TraceId::from_hex(&span.trace_id).ok()?;
    let trace_state: TraceState = span.trace_state.parse().unwrap_or_default();
    let context = |span_id: &str| Some(SpanContext::new(trace_id, SpanId::from_hex(span_id).ok()?, TraceFlags::SAMPLED, false, trace_state.clone()));
    let mut events = SpanEvents::default();
    events.events = span.events.iter().map(|event| Event::new(event.name.clone(), time(event.at), key_values(&event.attributes), 0)).collect();
    let mut links = SpanLinks::default();
    links.links = span.links.iter().filter_map(|link| Some(Link::new(context(&link.span_id)?, key_values(&link.attributes), 0))).collect();
    Some(SpanData {
        span_context: context(&span.span_id)?,
        parent_span_id: span.parent.as_ref().map_or(Ok(SpanId::INVALID), |parent| SpanId::from_hex(&parent.span_id)).ok()?,
        parent_span_is_remote: span.parent.as_ref().is_some_and(|parent| parent.remote),
        span_kind: match span.kind {
            Kind::Internal => SpanKind::Internal,
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
        },
        name: span.name.clone().into(),
        start_time: time(span.start),
        end_time: time(span.end),
        attributes: key_values(&span.attributes),
        dropped_attributes_count: 0,
        events,
        links,
        status: match &span.status {
            SpanStatus::Unset => Status::Unset,
            SpanStatus::Ok => Status::Ok,
            SpanStatus::Error(description) => Status::error(description.clone()),
        },
        instrumentation_scope: scope(span.scope),
    })
}

/// A span that was measured while it happened.
pub(crate) struct LiveSpan {
    pub(crate) context: SpanContext,
    pub(crate) parent: SpanId,
    pub(crate) scope: InstrumentationScope,
    pub(crate) name: Cow<'static, str>,
    pub(crate) start: SystemTime,
    pub(crate) end: SystemTime,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) dropped_attributes: u32,
    pub(crate) events: Vec<Event>,
    pub(crate) dropped_events: u32,
    pub(crate) status: Status,
}

/// The SDK's form of a live span.
pub(crate) fn of_live(span: LiveSpan) -> SpanData {
    let mut events = SpanEvents::default();
    (events.events, events.dropped_count) = (span.events, span.dropped_events);
    SpanData {
        span_context: span.context,
        parent_span_id: span.parent,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: span.name,
        start_time: span.start,
        end_time: span.end,
        attributes: span.attributes,
        dropped_attributes_count: span.dropped_attributes,
        events,
        links: SpanLinks::default(),
        status: span.status,
        instrumentation_scope: span.scope,
    }
}

pub(crate) fn time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_micros(at.0)
}

pub(crate) fn key_values(attributes: &[(String, AttributeValue)]) -> Vec<KeyValue> {
    attributes.iter().map(|(key, attribute)| KeyValue::new(Key::from(key.clone()), value(attribute))).collect()
}

pub(crate) fn value(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Flag(flag) => Value::Bool(*flag),
        AttributeValue::Int(number) => Value::I64(*number),
        AttributeValue::Float(number) => Value::F64(*number),
        AttributeValue::Text(text) => Value::String(Arc::<str>::from(text.as_str()).into()),
        AttributeValue::Texts(texts) => Value::Array(Array::String(texts.iter().map(|text| StringValue::from(text.clone())).collect())),
    }
}
