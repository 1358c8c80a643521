//! Telemetry as data: what a pipeline's pure functions say about a committed event, without knowing who exports it.

use serde::{Deserialize, Serialize};

use crate::{definition::Definition, event::Record, run::Run};

/// The value of a span attribute: the types of the OpenTelemetry specification that the contract uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// A boolean.
    Flag(bool),
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// A string.
    Text(String),
    /// A list of strings.
    Texts(Vec<String>),
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for AttributeValue {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for AttributeValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

/// Span attributes in the order they were set; a key appears once.
pub type Attributes = Vec<(String, AttributeValue)>;

/// One committed event with the state before and after it: all that a metric may depend on.
#[derive(Debug, Clone, Copy)]
pub struct Transition<'a> {
    /// The pipeline.
    pub definition: &'a Definition,
    /// The run before the event; `None` for its first.
    pub before: Option<&'a Run>,
    /// The event.
    pub record: &'a Record,
    /// The run after the event.
    pub after: &'a Run,
}

/// One value for one instrument of the telemetry registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurement {
    /// The instrument's name in the registry.
    pub instrument: &'static str,
    /// What is added (counter) or recorded (histogram), in the instrument's unit.
    pub value: f64,
    /// The labels.
    pub labels: Vec<(&'static str, String)>,
}
