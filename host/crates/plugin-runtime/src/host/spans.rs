//! `jackfield:host/spans`: spans of a plugin's own, within limits, and where spans of the host's work for it belong. What exceeds a limit is dropped and counted.

use std::{sync::Arc, time::Instant};

use engine::port::{ChildKind, ChildSpan, Children, NewSpan, SpanContext, SpanItem};
use pipeline::{AttributeValue, Attributes};
use wasmtime::component::Resource;

use super::{
    bindings::{
        spans::{Host, HostSpan},
        telemetry::Attribute,
    },
    telemetry::{GuestTelemetry, MAX_EVENT_NAME, check_key, printable},
};
use crate::call::CallState;

/// Spans of one call.
const MAX_SPANS: u32 = 64;
/// Spans inside each other.
const MAX_DEPTH: usize = 8;
/// Events on all spans of one call.
const MAX_EVENTS: u32 = 128;
/// Bytes of all that is said on spans of one call.
const MAX_BYTES: usize = 64 << 10;
/// Spans of what the host does for one call.
const MAX_HOST_SPANS: u32 = 64;
/// The name of what has no name of its own.
const UNNAMED: &str = "plugin.span";
/// The number of a span that is not recorded.
const NOT_RECORDED: u32 = u32::MAX;

/// A span in the guest's hands: its number in this call.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated bindings export it")]
pub struct GuestSpan;

/// The spans of one call.
#[derive(Default)]
pub(crate) struct Spans {
    /// The innermost last.
    open: Vec<Open>,
    begun: u32,
    events: u32,
    bytes: usize,
    host: u32,
    /// Changes when another span becomes the innermost.
    generation: u32,
}

struct Open {
    number: u32,
    span: Box<dyn ChildSpan>,
    failed: Option<(String, String)>,
}

/// What begins spans of HTTP requests.
#[derive(Clone)]
pub(crate) struct Clients {
    children: Arc<dyn Children>,
    under: SpanContext,
}

impl Clients {
    pub(crate) fn begin(&self, name: &'static str, attributes: Attributes) -> Box<dyn ChildSpan> {
        self.children.begin(&self.under, NewSpan { name: name.into(), kind: ChildKind::Client, attributes })
    }
}

impl Spans {
    /// Why the guest may begin no more, if that is so.
    fn full(&self) -> Option<&'static str> {
        if self.begun >= MAX_SPANS { Some("limit") } else { (self.open.len() >= MAX_DEPTH).then_some("depth") }
    }

    fn find(&mut self, number: u32) -> Option<&mut Open> {
        self.open.iter_mut().find(|open| open.number == number)
    }

    /// Whether so many bytes more may be said.
    fn spend(&mut self, attributes: &Attributes) -> bool {
        let size = |(key, value): &(String, AttributeValue)| {
            key.len()
                + match value {
                    AttributeValue::Text(text) => text.len(),
                    AttributeValue::Texts(texts) => texts.iter().map(String::len).sum(),
                    AttributeValue::Flag(_) | AttributeValue::Int(_) | AttributeValue::Float(_) => 8,
                }
        };
        let wanted = self.bytes.saturating_add(attributes.iter().map(size).sum());
        let fits = wanted <= MAX_BYTES;
        if fits {
            self.bytes = wanted;
        }
        fits
    }
}

impl GuestTelemetry {
    /// The span that what happens now belongs to.
    fn innermost(&self) -> &SpanContext {
        self.spans.open.last().map_or_else(|| self.span.context(), |open| open.span.context())
    }

    /// Which span is the innermost, as a number that changes with it.
    pub(crate) fn generation(&self) -> u32 {
        self.spans.generation
    }

    /// What begins spans of HTTP requests below the innermost span; none when the call is not recorded.
    pub(crate) fn clients(&self) -> Option<Clients> {
        Some(Clients { children: self.span.children()?, under: self.innermost().clone() })
    }

    /// A span of something that the host does for the call.
    pub(crate) fn begin_host_span(&mut self, name: &'static str) -> Option<Box<dyn ChildSpan>> {
        if self.spans.host >= MAX_HOST_SPANS {
            self.drop("spans", "host_limit");
            return None;
        }
        let children = self.span.children()?;
        self.spans.host += 1;
        Some(children.begin(self.innermost(), NewSpan { name: name.into(), kind: ChildKind::Host, attributes: Attributes::new() }))
    }

    /// The attributes of an item on a span, if there is room for them.
    fn span_attributes(&mut self, attributes: Vec<Attribute>) -> Attributes {
        let attributes = self.item_attributes(attributes, "spans");
        if self.spans.spend(&attributes) {
            return attributes;
        }
        self.drop("spans", "size");
        Attributes::new()
    }

    fn begin_span(&mut self, children: &Arc<dyn Children>, name: String, attributes: Vec<Attribute>) -> u32 {
        let attributes = self.span_attributes(attributes);
        let span = children.begin(self.innermost(), NewSpan { name: name.into(), kind: ChildKind::Guest, attributes });
        let Spans { open, begun, generation, .. } = &mut self.spans;
        let number = *begun;
        *begun += 1;
        *generation += 1;
        open.push(Open { number, span, failed: None });
        number
    }

    fn end_span(&mut self, number: u32) {
        let Spans { open, generation, .. } = &mut self.spans;
        if let Some(place) = open.iter().position(|open| open.number == number) {
            *generation += 1;
            let Open { span, failed, .. } = open.remove(place);
            span.end(failed);
        }
    }

    /// Ends what the guest has left open, the innermost first.
    pub(super) fn end_all_spans(&mut self) {
        while let Some(Open { span, failed, .. }) = self.spans.open.pop() {
            span.end(Some(failed.unwrap_or_else(|| ("_OTHER".to_owned(), "unfinished".to_owned()))));
        }
    }

    fn span_event(&mut self, number: u32, name: &str, attributes: Vec<Attribute>) {
        if self.spans.events >= MAX_EVENTS {
            return self.drop("events", "limit");
        }
        if !self.allows_event(name) {
            return self.drop("events", "undeclared");
        }
        self.spans.events += 1;
        let attributes = self.span_attributes(attributes);
        if let Some(open) = self.spans.find(number) {
            open.span.record(SpanItem::Event { name: printable(name, MAX_EVENT_NAME), attributes });
        }
    }
}

impl CallState {
    /// The number of a span that is recorded; none when it is not.
    fn start_span(&mut self, name: String, attributes: Vec<Attribute>) -> Option<u32> {
        if let Some(reason) = self.telemetry.spans.full() {
            self.telemetry.drop("spans", reason);
            return None;
        }
        let children = self.telemetry.span.children()?;
        // A span that is not recorded takes nothing from those of other calls.
        if !self.context.plugin.guard.may_begin_span(Instant::now()) {
            self.telemetry.drop("spans", "rate");
            return None;
        }
        let plugin = &self.context.plugin;
        let known = check_key(&name).is_ok()
            && match &plugin.manifest.telemetry {
                Some(declared) => declared.allows_span(&name),
                None => plugin.guard.knows_span_name(&name),
            };
        let name = if known {
            name
        } else {
            self.telemetry.drop("spans", "name");
            UNNAMED.to_owned()
        };
        Some(self.telemetry.begin_span(&children, name, attributes))
    }
}

impl Host for &mut CallState {}

impl HostSpan for &mut CallState {
    fn start(&mut self, name: String, attributes: Vec<Attribute>) -> wasmtime::Result<Resource<GuestSpan>> {
        // The number is all there is of it here: a guest that holds a million of them makes no table grow.
        Ok(Resource::new_own(self.start_span(name, attributes).unwrap_or(NOT_RECORDED)))
    }

    fn set(&mut self, span: Resource<GuestSpan>, attributes: Vec<Attribute>) -> wasmtime::Result<()> {
        if span.rep() != NOT_RECORDED {
            let attributes = self.telemetry.span_attributes(attributes);
            if let Some(open) = self.telemetry.spans.find(span.rep()) {
                open.span.record(SpanItem::Attributes(attributes));
            }
        }
        Ok(())
    }

    fn event(&mut self, span: Resource<GuestSpan>, name: String, attributes: Vec<Attribute>) -> wasmtime::Result<()> {
        if span.rep() != NOT_RECORDED {
            self.telemetry.span_event(span.rep(), &name, attributes);
        }
        Ok(())
    }

    fn fail(&mut self, span: Resource<GuestSpan>, error_type: String, message: String) -> wasmtime::Result<()> {
        let failed = self.failed(error_type, &message);
        if let Some(open) = self.telemetry.spans.find(span.rep()) {
            open.failed = Some(failed);
        }
        Ok(())
    }

    fn drop(&mut self, span: Resource<GuestSpan>) -> wasmtime::Result<()> {
        self.telemetry.end_span(span.rep());
        Ok(())
    }
}
