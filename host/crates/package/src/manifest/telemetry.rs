//! The telemetry that a plugin may emit: what is not declared is dropped, so that an operator knows beforehand what will turn up where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    ManifestError,
    check::{count, cut, error, name, once, sentence},
};

/// Prefixes of names that belong to the host and to OpenTelemetry.
pub const RESERVED_TELEMETRY: [&str; 9] = ["otel.", "telemetry.", "service.", "host.", "process.", "plugin.", "pipeline.", "error.", "exception."];

const MAX_NAMES: usize = 128;
const MAX_SPANS: usize = 32;
const MAX_METRICS: usize = 16;
/// Series of one metric: each label's values and `_other`, multiplied.
const MAX_SERIES: usize = 64;
const MAX_NAME: usize = 64;

/// What a plugin may emit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// Keys of attributes, wherever they stand; `acme.olt.*` is every key that begins with `acme.olt.`.
    pub attributes: Vec<String>,
    /// Names of events.
    pub events: Vec<String>,
    /// Names of spans of its own.
    pub spans: Vec<String>,
    /// Metrics.
    pub metrics: Vec<Metric>,
}

/// A metric of a plugin's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// What is done with its values.
    pub kind: MetricKind,
    /// The unit of its values, in UCUM: `1`, `s`, `By`.
    #[serde(default = "Metric::one")]
    pub unit: String,
    /// What it says.
    #[serde(default)]
    pub description: String,
    /// The labels with all their values; any other value is counted as `_other`.
    #[serde(default)]
    pub labels: BTreeMap<String, Vec<String>>,
}

/// What is done with the values of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricKind {
    /// They are added up.
    Counter,
    /// Their distribution is kept.
    Histogram,
}

impl Metric {
    fn one() -> String {
        "1".to_owned()
    }
}

impl Telemetry {
    /// Whether an attribute may be emitted.
    pub fn allows_attribute(&self, key: &str) -> bool {
        self.attributes.iter().any(|allowed| match allowed.strip_suffix('*') {
            Some(prefix) => key.starts_with(prefix),
            None => allowed == key,
        })
    }

    /// Whether an event may be emitted.
    pub fn allows_event(&self, name: &str) -> bool {
        self.events.iter().any(|allowed| allowed == name)
    }

    /// Whether a span may be begun.
    pub fn allows_span(&self, name: &str) -> bool {
        self.spans.iter().any(|allowed| allowed == name)
    }

    /// The metric of that name.
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    pub(super) fn check(&self) -> Result<(), ManifestError> {
        let Self { attributes, events, spans, metrics } = self;
        names(".telemetry.attributes", attributes.iter().map(|key| key.strip_suffix(".*").unwrap_or(key)), MAX_NAMES)?;
        names(".telemetry.events", events.iter().map(String::as_str), MAX_NAMES)?;
        names(".telemetry.spans", spans.iter().map(String::as_str), MAX_SPANS)?;
        names(".telemetry.metrics", metrics.iter().map(|metric| metric.name.as_str()), MAX_METRICS)?;
        for (at, listed) in [(".telemetry.attributes", attributes), (".telemetry.events", events), (".telemetry.spans", spans)] {
            once(at, listed.iter().map(String::as_str))?;
        }
        once(".telemetry.metrics", metrics.iter().map(|metric| metric.name.as_str()))?;
        metrics.iter().try_for_each(Metric::check)
    }
}

impl Metric {
    fn check(&self) -> Result<(), ManifestError> {
        let at = format!(".telemetry.metrics.{}", self.name);
        name(&format!("{at}.unit"), &self.unit, 32, |b| b.is_ascii_graphic(), "printable ASCII without spaces")?;
        sentence(&format!("{at}.description"), &self.description)?;
        names(&format!("{at}.labels"), self.labels.keys().map(String::as_str), MAX_NAMES)?;
        for value in self.labels.values().flatten() {
            if value.is_empty() || value.len() > MAX_NAME || value.chars().any(char::is_control) {
                return Err(error(&format!("{at}.labels"), format!("`{}` is not valid: expected 1 to {MAX_NAME} printable characters", cut(value))));
            }
        }
        let series = self.labels.values().try_fold(1_usize, |product, values| product.checked_mul(values.len() + 1));
        if series.is_none_or(|series| series > MAX_SERIES) {
            let expected = format!("expected at most {MAX_SERIES} (of each label the values and one for all others, multiplied)");
            return Err(error(&format!("{at}.labels"), format!("the labels make {} series, {expected}", series.unwrap_or(usize::MAX))));
        }
        Ok(())
    }
}

fn names<'a>(at: &str, all: impl Iterator<Item = &'a str> + Clone, most: usize) -> Result<(), ManifestError> {
    count(at, all.clone().count(), most)?;
    for one in all {
        name(at, one, MAX_NAME, |b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.', "[a-z0-9_.]")?;
        if !one.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(error(at, format!("`{one}` is not valid: expected a name that begins with a letter")));
        }
        if let Some(prefix) = RESERVED_TELEMETRY.iter().find(|prefix| one.starts_with(**prefix) || format!("{one}.") == **prefix) {
            return Err(error(at, format!("`{one}` begins with `{prefix}`, which belongs to the host")));
        }
    }
    Ok(())
}
