//! Spans of what no journal tells: they are recorded when they are over and exported at most once, like those of plugin calls.

use std::{fmt, sync::Arc};

use engine::{
    Sampler,
    port::{LiveSpan, LiveSpans, SpanContext},
};
use opentelemetry::{
    KeyValue,
    trace::{Link, SpanId, SpanKind, Status, TraceFlags, TraceId},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, SpanData, SpanLinks, SpanProcessor};
use pipeline::PipelineName;

use crate::{
    calls::Shared,
    generated::attribute,
    policy::{self, MAX_NAME_BYTES, cut},
    registry,
    span_data::{self, key_values, scope, time},
};

/// The most links of a span: the default of the OpenTelemetry specification.
const MAX_LINKS: usize = 128;

/// Records spans of packs.
pub(crate) struct Live {
    pub(crate) shared: Arc<Shared>,
    pub(crate) sampler: Sampler,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

impl LiveSpans for Live {
    fn root(&self, pipeline: &PipelineName) -> SpanContext {
        let ids = RandomIdGenerator::default();
        SpanContext {
            trace_id: ids.new_trace_id().to_string(),
            span_id: ids.new_span_id().to_string(),
            sampled: (self.sampler)(pipeline, None),
            trace_state: String::new(),
        }
    }

    fn child(&self, parent: &SpanContext) -> SpanContext {
        SpanContext { span_id: RandomIdGenerator::default().new_span_id().to_string(), ..parent.clone() }
    }

    fn record(&self, span: LiveSpan) {
        let sampled = span.context.as_ref().or(span.parent.as_ref()).is_some_and(|context| context.sampled);
        if let Some(processor) = self.shared.processor.as_ref().filter(|_| sampled)
            && let Some(data) = self.data(span)
        {
            processor.on_end(data);
        }
    }
}

impl Live {
    /// The SDK's form; `None` when an id is none, which nothing of ours makes.
    fn data(&self, span: LiveSpan) -> Option<SpanData> {
        let LiveSpan { scope: of, name, client, context, parent, links, started, ended, attributes, error } = span;
        let own = match &context {
            Some(own) => span_context(own)?,
            None => span_context(&self.child(parent.as_ref()?))?,
        };
        let mut attributes = key_values(&self.shared.policy.attributes(attributes));
        let status = error.map_or(Status::Unset, |(code, message)| {
            let code = registry::error_type(&code);
            attributes.push(KeyValue::new(attribute::ERROR_TYPE, code.to_owned()));
            Status::error(policy::description(&message, code).to_owned())
        });
        let mut data = span_data::of_live(span_data::LiveSpan {
            context: own,
            parent: parent.map_or(Some(SpanId::INVALID), |parent| SpanId::from_hex(&parent.span_id).ok())?,
            scope: scope(of),
            name: cut(&name, MAX_NAME_BYTES).to_owned().into(),
            start: time(started),
            end: time(ended.max(started)),
            attributes,
            dropped_attributes: 0,
            events: Vec::new(),
            dropped_events: 0,
            status,
        });
        if client {
            data.span_kind = SpanKind::Client;
        }
        let link = |(context, reason): (SpanContext, &'static str)| {
            Some(Link::new(span_context(&context)?, vec![KeyValue::new(attribute::LINK_REASON, reason)], 0))
        };
        let mut spans = SpanLinks::default();
        spans.dropped_count = u32::try_from(links.len().saturating_sub(MAX_LINKS)).unwrap_or(u32::MAX);
        spans.links = links.into_iter().take(MAX_LINKS).filter_map(link).collect();
        data.links = spans;
        Some(data)
    }
}

fn span_context(context: &SpanContext) -> Option<opentelemetry::trace::SpanContext> {
    let (trace, span) = (TraceId::from_hex(&context.trace_id).ok()?, SpanId::from_hex(&context.span_id).ok()?);
    let flags = if context.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    Some(opentelemetry::trace::SpanContext::new(trace, span, flags, false, context.trace_state.parse().unwrap_or_default()))
}
