//! What the plugin under test measured, told among what it said.

use super::telemetry::{Record, push};
use crate::metrics::Label;

pub(crate) fn add(instrument: &str, value: f64, labels: &[Label]) {
    push(Record::Add(instrument.into(), value, labels.to_vec()));
}

pub(crate) fn record(instrument: &str, value: f64, labels: &[Label]) {
    push(Record::Measure(instrument.into(), value, labels.to_vec()));
}
