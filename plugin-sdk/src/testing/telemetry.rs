//! What the plugin under test said about its calls.

use std::cell::RefCell;

use crate::{
    metrics::Label,
    telemetry::{Attribute, Level, TraceContext},
};

/// One thing that was said.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// Attributes of the span.
    Annotate(Vec<Attribute>),
    /// An event on the span.
    Event(String, Vec<Attribute>),
    /// The span was marked as failed: error type and message.
    Fail(String, String),
    /// A log record.
    Log(Level, String, Vec<Attribute>),
    /// A span of the plugin's own began: its number, name and attributes.
    SpanStart(u32, String, Vec<Attribute>),
    /// Attributes of a span of that number.
    SpanSet(u32, Vec<Attribute>),
    /// An event on a span of that number.
    SpanEvent(u32, String, Vec<Attribute>),
    /// A span of that number was marked as failed: error type and message.
    SpanFail(u32, String, String),
    /// A span of that number ended.
    SpanEnd(u32),
    /// Something was added to a counter.
    Add(String, f64, Vec<Label>),
    /// A value of a histogram was recorded.
    Measure(String, f64, Vec<Label>),
}

thread_local! {
    static RECORDS: RefCell<Vec<Record>> = const { RefCell::new(Vec::new()) };
}

/// What was said.
#[derive(Debug)]
pub struct Telemetry;

impl Telemetry {
    /// Everything so far, in order.
    pub fn records() -> Vec<Record> {
        RECORDS.with_borrow(Clone::clone)
    }
}

pub(crate) fn current() -> TraceContext {
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into();
    TraceContext { traceparent, tracestate: String::new(), sampled: true }
}

pub(crate) fn annotate(attributes: &[Attribute]) {
    push(Record::Annotate(attributes.to_vec()));
}

pub(crate) fn event(name: &str, attributes: &[Attribute]) {
    push(Record::Event(name.into(), attributes.to_vec()));
}

pub(crate) fn fail(error_type: &str, message: &str) {
    push(Record::Fail(error_type.into(), message.into()));
}

pub(crate) fn log(level: Level, message: &str, attributes: &[Attribute]) {
    push(Record::Log(level, message.into(), attributes.to_vec()));
}

pub(super) fn reset() {
    RECORDS.with_borrow_mut(Vec::clear);
}

pub(super) fn push(record: Record) {
    RECORDS.with_borrow_mut(|records| records.push(record));
}
