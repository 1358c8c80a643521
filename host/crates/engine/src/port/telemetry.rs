//! What a plugin call reports while it runs; keeps OpenTelemetry out of the runtime.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use pipeline::Attributes;

use super::call::{Call, SpanContext};

/// Opens a span for a plugin call. Every call is measured; only sampled ones are exported.
pub trait CallTelemetry: fmt::Debug + Send + Sync {
    /// A call begins.
    fn begin(&self, call: &Call) -> Box<dyn CallSpan>;
}

/// The span of one plugin call.
pub trait CallSpan: Send {
    /// The span as a parent: the call's own, or where the call has none the span that it belongs to.
    fn context(&self) -> &SpanContext;

    /// What requests of the call carry as `traceparent`; `None` where the operator lets no trace context out. Asked when the call first uses HTTP.
    fn outbound(&self) -> Option<&SpanContext> {
        Some(self.context())
    }

    /// What begins spans below this one, for whoever works for the call; `None` when spans of the call are not recorded.
    fn children(&self) -> Option<Arc<dyn Children>> {
        None
    }

    /// The guest or the host adds something; limits apply where it is implemented.
    fn record(&mut self, item: SpanItem);

    /// The call is over.
    fn end(self: Box<Self>, end: CallEnd);
}

/// Begins spans below that of a call.
pub trait Children: fmt::Debug + Send + Sync {
    /// A span begins under the call's own or under one of these.
    fn begin(&self, under: &SpanContext, span: NewSpan) -> Box<dyn ChildSpan>;
}

/// A span below that of a call. One that is dropped has ended without a failure.
pub trait ChildSpan: Send {
    /// The span as a parent.
    fn context(&self) -> &SpanContext;

    /// Attributes and events; anything else belongs to the call.
    fn record(&mut self, item: SpanItem);

    /// It is over: with `error.type` and a message if it failed.
    fn end(self: Box<Self>, failed: Option<(String, String)>);
}

/// A span that begins.
#[derive(Debug, Clone, PartialEq)]
pub struct NewSpan {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Whose it is.
    pub kind: ChildKind,
    /// What is known from the beginning.
    pub attributes: Attributes,
}

/// Whose work a span below a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildKind {
    /// The plugin says so.
    Guest,
    /// The host asks another system for the plugin.
    Client,
    /// The host does something for the plugin.
    Host,
}

/// A measurement on an instrument that a plugin declares.
#[derive(Debug, Clone, PartialEq)]
pub struct GuestMeasurement {
    /// The instrument.
    pub name: String,
    /// Whether values are added up; otherwise their distribution is kept.
    pub counter: bool,
    /// The unit of the values.
    pub unit: String,
    /// What it says.
    pub description: String,
    /// How much.
    pub value: f64,
    /// All labels that the instrument has, with declared values or `_other`.
    pub labels: Vec<(String, String)>,
}

/// Something that is added to a call's span.
#[derive(Debug, Clone, PartialEq)]
pub enum SpanItem {
    /// Attributes of the span.
    Attributes(Attributes),
    /// An event on the span.
    Event {
        /// The event's name.
        name: String,
        /// Its attributes.
        attributes: Attributes,
    },
    /// A log record under the span.
    Log {
        /// How important it is.
        level: LogLevel,
        /// The text.
        message: String,
        /// Its attributes.
        attributes: Attributes,
    },
    /// A measurement of the guest's.
    Measured(GuestMeasurement),
    /// The guest's telemetry was refused or cut; counted, never an error.
    Dropped {
        /// `attributes`, `events`, `logs`, `spans` or `metrics`.
        signal: &'static str,
        /// Why.
        reason: &'static str,
        /// How many items.
        count: u64,
    },
}

/// How important a log record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// For the plugin's author.
    Debug,
    /// For the record.
    Info,
    /// Somebody should look.
    Warn,
    /// Something failed.
    Error,
}

/// How a plugin call ended.
#[derive(Debug, Clone, PartialEq)]
pub struct CallEnd {
    /// CPU time of the guest.
    pub cpu: Duration,
    /// The most memory the guest had, in bytes.
    pub memory_peak: u64,
    /// `done`, `undone`, `pending`, `observed` or `failed`.
    pub outcome: &'static str,
    /// The closed list of the telemetry contract, section 7, or a code the plugin declared.
    pub error_type: Option<String>,
    /// What went wrong, with the backtrace of a trap.
    pub error_message: Option<String>,
}
