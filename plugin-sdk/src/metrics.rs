//! Measurements on instruments that the manifest declares, with their labels and the values of these. Nothing here fails: what is not declared is dropped, and a
//! value of a label that is not declared is counted as `_other`.
//!
//! ```
//! jackfield_plugin_sdk::metrics::add("acme.olt.ports", 1.0, [("speed", "10g")]);
//! jackfield_plugin_sdk::metrics::record("acme.olt.answer", 0.25, []);
//! ```

/// A label of a measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// A key that the manifest declares for the instrument.
    pub key: String,
    /// One of the values that the manifest declares.
    pub value: String,
}

/// Adds to a counter.
pub fn add<'a>(instrument: &str, value: f64, labels: impl IntoIterator<Item = (&'a str, &'a str)>) {
    host::add(instrument, value, &named(labels));
}

/// Records a value of a histogram.
pub fn record<'a>(instrument: &str, value: f64, labels: impl IntoIterator<Item = (&'a str, &'a str)>) {
    host::record(instrument, value, &named(labels));
}

fn named<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Label> {
    labels.into_iter().map(|(key, value)| Label { key: key.to_owned(), value: value.to_owned() }).collect()
}

#[cfg(target_family = "wasm")]
use crate::bindings::imports::jackfield::host::metrics as host;

#[cfg(not(target_family = "wasm"))]
use crate::testing::metrics as host;
