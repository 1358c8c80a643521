//! Spans that remember what they were told.

use std::sync::{Arc, Mutex, PoisonError};

use engine::port::{Call, CallEnd, CallSpan, CallTelemetry, ChildKind, ChildSpan, Children, NewSpan, SpanContext, SpanItem};
use pipeline::Attributes;

/// Remembers what calls report, over all plugins, in the order in which it comes.
#[derive(Debug, Default, Clone)]
pub struct Spans {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    items: Vec<SpanItem>,
    ends: Vec<CallEnd>,
    children: Vec<Child>,
    begun: u64,
}

/// A span below that of a call, as it was when it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Child {
    /// Its id.
    pub id: String,
    /// The id of the span that it is below.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// Whose work it is.
    pub kind: ChildKind,
    /// Its attributes, the last value of each key.
    pub attributes: Attributes,
    /// Its events: names and attributes.
    pub events: Vec<(String, Attributes)>,
    /// `error.type` and message, if it failed.
    pub failed: Option<(String, String)>,
}

impl Spans {
    /// Takes what was recorded since the last time.
    pub fn take_items(&self) -> Vec<SpanItem> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).items)
    }

    /// Takes the spans below calls that ended since the last time, in the order in which they did.
    pub fn take_children(&self) -> Vec<Child> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).children)
    }

    /// Takes how calls ended since the last time.
    pub fn take_ends(&self) -> Vec<CallEnd> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).ends)
    }
}

impl CallTelemetry for Spans {
    fn begin(&self, call: &Call) -> Box<dyn CallSpan> {
        let context = SpanContext { span_id: "00f067aa0ba902b7".to_owned(), ..call.span.clone() };
        Box::new(Span { context, seen: Arc::clone(&self.seen) })
    }
}

struct Span {
    context: SpanContext,
    seen: Arc<Mutex<Seen>>,
}

impl CallSpan for Span {
    fn context(&self) -> &SpanContext {
        &self.context
    }

    fn children(&self) -> Option<Arc<dyn Children>> {
        self.context.sampled.then(|| Arc::new(Spans { seen: Arc::clone(&self.seen) }) as Arc<dyn Children>)
    }

    fn record(&mut self, item: SpanItem) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).items.push(item);
    }

    fn end(self: Box<Self>, end: CallEnd) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).ends.push(end);
    }
}

impl Children for Spans {
    fn begin(&self, under: &SpanContext, span: NewSpan) -> Box<dyn ChildSpan> {
        let number = {
            let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen.begun += 1;
            seen.begun
        };
        let NewSpan { name, kind, attributes } = span;
        let id = format!("{number:016x}");
        let context = SpanContext { span_id: id.clone(), ..under.clone() };
        let child = Child { id, parent: under.span_id.clone(), name: name.into_owned(), kind, attributes, events: Vec::new(), failed: None };
        Box::new(Live { context, child: Some(child), seen: Arc::clone(&self.seen) })
    }
}

struct Live {
    context: SpanContext,
    /// None: it has ended.
    child: Option<Child>,
    seen: Arc<Mutex<Seen>>,
}

impl Live {
    fn finish(&mut self, failed: Option<(String, String)>) {
        if let Some(child) = self.child.take() {
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).children.push(Child { failed, ..child });
        }
    }
}

impl ChildSpan for Live {
    fn context(&self) -> &SpanContext {
        &self.context
    }

    fn record(&mut self, item: SpanItem) {
        let Some(child) = &mut self.child else { return };
        match item {
            SpanItem::Attributes(attributes) => {
                for (key, value) in attributes {
                    child.attributes.retain(|(present, _)| *present != key);
                    child.attributes.push((key, value));
                }
            }
            SpanItem::Event { name, attributes } => child.events.push((name, attributes)),
            SpanItem::Log { .. } | SpanItem::Measured(_) | SpanItem::Dropped { .. } => {}
        }
    }

    fn end(mut self: Box<Self>, failed: Option<(String, String)>) {
        self.finish(failed);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.finish(None);
    }
}
