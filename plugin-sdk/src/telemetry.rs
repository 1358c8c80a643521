//! What a plugin says about the call it is in. The host records a span for every sampled call by itself and measures
//! every call, so none of this is needed for that. Nothing here fails.
//!
//! ```
//! use jackfield_plugin_sdk::telemetry::{self, Level};
//!
//! telemetry::annotate([("acme.olt.port", 17.into()), ("acme.olt.name", "olt-1".into())]);
//! telemetry::event("acme.olt.selected", []);
//! telemetry::log(Level::Info, "took a port", []);
//! ```

/// A value: the types an OpenTelemetry attribute can have.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// True or false.
    Flag(bool),
    /// A whole number.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A list of texts.
    Texts(Vec<String>),
    /// A list of truth values.
    Flags(Vec<bool>),
    /// A list of whole numbers.
    Ints(Vec<i64>),
    /// A list of floating point numbers.
    Floats(Vec<f64>),
}

macro_rules! values {
    ($($from:ty => $case:ident),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$case(value.into())
            }
        })*
    };
}

values! {
    &str => Text, String => Text, bool => Flag, i64 => Int, i32 => Int, u32 => Int, f64 => Float,
    Vec<String> => Texts, Vec<bool> => Flags, Vec<i64> => Ints, Vec<f64> => Floats,
}

/// A named value.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Dotted, lower case, under a name of the vendor's own: `acme.olt.port`.
    pub key: String,
    /// Its value.
    pub value: Value,
}

/// The trace this call belongs to, in the W3C Trace Context form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// `00-{trace id}-{span id of this call}-{flags}`.
    pub traceparent: String,
    /// The vendor list, possibly empty.
    pub tracestate: String,
    /// False: spans of this call are not recorded.
    pub sampled: bool,
}

/// How important a log record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Finest.
    Trace,
    /// For the author.
    Debug,
    /// Normal.
    Info,
    /// Something to look at.
    Warn,
    /// Something went wrong.
    Error,
}

/// The trace context of this call, to hand to what does not speak HTTP headers; HTTP requests carry it by themselves.
pub fn current() -> TraceContext {
    host::current()
}

/// Sets attributes of this call's span. A key set twice keeps the last value.
pub fn annotate<'a>(attributes: impl IntoIterator<Item = (&'a str, Value)>) {
    host::annotate(&named(attributes));
}

/// Records an event on this call's span, now.
pub fn event<'a>(name: &str, attributes: impl IntoIterator<Item = (&'a str, Value)>) {
    host::event(name, &named(attributes));
}

/// Marks this call's span as failed although the call returns a success.
pub fn fail(error_type: &str, message: &str) {
    host::fail(error_type, message);
}

/// Writes a log record that is tied to this call's span.
pub fn log<'a>(level: Level, message: &str, attributes: impl IntoIterator<Item = (&'a str, Value)>) {
    host::log(level, message, &named(attributes));
}

pub(crate) fn named<'a>(attributes: impl IntoIterator<Item = (&'a str, Value)>) -> Vec<Attribute> {
    attributes.into_iter().map(|(key, value)| Attribute { key: key.to_owned(), value }).collect()
}

#[cfg(target_family = "wasm")]
use crate::bindings::imports::jackfield::host::telemetry as host;

#[cfg(not(target_family = "wasm"))]
use crate::testing::telemetry as host;
