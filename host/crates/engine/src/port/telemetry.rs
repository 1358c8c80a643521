//! What a plugin call reports while it runs; keeps OpenTelemetry out of the runtime.

use std::{fmt, time::Duration};

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

    /// The guest or the host adds something; limits apply where it is implemented.
    fn record(&mut self, item: SpanItem);

    /// The call is over.
    fn end(self: Box<Self>, end: CallEnd);
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
    /// The guest's telemetry was refused or cut; counted, never an error.
    Dropped {
        /// `attributes`, `events` or `logs`.
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
