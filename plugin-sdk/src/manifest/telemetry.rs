//! What a plugin may emit, so that an operator knows beforehand what will turn up where. What is not declared is dropped.

/// What a plugin may emit. Names are dotted, lower case, and begin with a name of the vendor's own: `acme.olt.port`.
///
/// ```
/// use jackfield_plugin_sdk::{Metric, Telemetry};
///
/// const TELEMETRY: Telemetry = Telemetry {
///     attributes: &["acme.olt.*"],
///     events: &["acme.olt.selected"],
///     metrics: &[Metric::counter("acme.olt.ports", "1", "Ports that were taken").labels(&[("size", &["small", "large"])])],
///     ..Telemetry::NONE
/// };
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Telemetry {
    /// Keys of attributes, wherever they stand; `acme.olt.*` is every key that begins with `acme.olt.`.
    pub attributes: &'static [&'static str],
    /// Names of events.
    pub events: &'static [&'static str],
    /// Names of spans of its own.
    pub spans: &'static [&'static str],
    /// Metrics.
    pub metrics: &'static [Metric],
}

impl Telemetry {
    /// Nothing but what the host records by itself, and log records without attributes.
    pub const NONE: Self = Self { attributes: &[], events: &[], spans: &[], metrics: &[] };
}

/// A metric of the plugin's own.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What is done with its values.
    pub kind: MetricKind,
    /// The unit of its values, in UCUM: `1`, `s`, `By`.
    pub unit: &'static str,
    /// What it says, in a sentence.
    pub description: &'static str,
    /// The labels with all their values; any other value is counted as `_other`.
    pub labels: &'static [(&'static str, &'static [&'static str])],
}

/// What is done with the values of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// They are added up.
    Counter,
    /// Their distribution is kept.
    Histogram,
}

impl Metric {
    /// A metric whose values are added up.
    pub const fn counter(name: &'static str, unit: &'static str, description: &'static str) -> Self {
        Self { name, kind: MetricKind::Counter, unit, description, labels: &[] }
    }

    /// A metric that keeps the distribution of its values.
    pub const fn histogram(name: &'static str, unit: &'static str, description: &'static str) -> Self {
        Self { name, kind: MetricKind::Histogram, unit, description, labels: &[] }
    }

    /// The same with labels.
    #[must_use]
    pub const fn labels(self, labels: &'static [(&'static str, &'static [&'static str])]) -> Self {
        Self { labels, ..self }
    }
}
