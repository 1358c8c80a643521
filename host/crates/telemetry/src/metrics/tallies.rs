//! Counters that go on over restarts: a copy in memory of what the store has committed, which is all that is ever exported.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use opentelemetry::KeyValue;
use pipeline::{Epoch, Measurement, Timestamp};

use crate::{
    cursor::Tally,
    generated::attribute,
    policy::{MAX_VALUE_BYTES, cut},
    registry::{self, MetricRow},
};

/// The name under which the last sign of life before each epoch is kept among the tallies. It is no instrument and is not exported.
pub(crate) const SIGN_OF_LIFE: &str = "telemetry.last_sign_of_life";

/// Labels, ordered by name.
pub(crate) type Labels = Vec<(String, String)>;

/// The durable counters as the store has them.
#[derive(Debug)]
pub(crate) struct Tallies {
    series: Mutex<HashMap<&'static str, BTreeMap<Labels, f64>>>,
    max_series: usize,
}

impl Tallies {
    /// The counters of the store, and a series of value 0 for each of `zeros` that it does not have.
    pub(crate) fn new(committed: &[Tally], zeros: &[Measurement], max_series: usize) -> Self {
        let tallies = Self { series: Mutex::default(), max_series };
        let zeros: Vec<Tally> = zeros.iter().filter_map(|zero| tally(&Measurement { value: 0.0, ..zero.clone() })).collect();
        tallies.add(&zeros);
        tallies.add(committed);
        tallies
    }

    /// Takes over additions that the store has committed.
    pub(crate) fn add(&self, changes: &[Tally]) {
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            let Some(row) = durable(&change.name) else { continue };
            *series.entry(row.name).or_default().entry(change.labels.clone()).or_default() += change.value;
        }
    }

    /// The addition with its labels, or with those of the overflow series when the counter has too many series. A new series is there at once,
    /// with the value 0, so that its first increase can be seen as one.
    pub(crate) fn bounded(&self, change: Tally) -> Tally {
        let Some(row) = durable(&change.name) else { return change };
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let known = series.entry(row.name).or_default();
        if known.contains_key(&change.labels) {
            return change;
        }
        let overflow = || vec![("otel.metric.overflow".to_owned(), "true".to_owned())];
        let change = if known.len() < self.max_series { change } else { Tally { labels: overflow(), ..change } };
        known.entry(change.labels.clone()).or_default();
        change
    }

    /// The points of a counter.
    pub(crate) fn points(&self, instrument: &str) -> Vec<(Vec<KeyValue>, u64)> {
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let points = series.get(instrument).into_iter().flatten();
        points.map(|(labels, value)| (key_values(labels), whole(*value))).collect()
    }
}

/// The addition that a measurement of a durable counter means.
pub(crate) fn tally(measurement: &Measurement) -> Option<Tally> {
    durable(measurement.instrument)?;
    let mut labels: Labels = measurement.labels.iter().map(|(key, value)| ((*key).to_owned(), label(key, value).to_owned())).collect();
    labels.sort();
    Some(Tally { name: measurement.instrument.to_owned(), labels, value: measurement.value })
}

/// A label's value within its bounds.
pub(super) fn label<'a>(key: &str, value: &'a str) -> &'a str {
    if key == attribute::ERROR_TYPE { registry::error_type(value) } else { cut(value, MAX_VALUE_BYTES) }
}

/// The signs of life that the store has: by epoch, the last one before it.
pub(crate) fn signs_of_life(tallies: &[Tally]) -> BTreeMap<Epoch, Timestamp> {
    let lives = tallies.iter().filter(|tally| tally.name == SIGN_OF_LIFE);
    lives.filter_map(|tally| Some((Epoch(tally.labels.first()?.1.parse().ok()?), Timestamp(whole(tally.value))))).collect()
}

/// The sign of life before an epoch in the form in which the store keeps it. Microseconds since 1970 are exact in a double until 2255.
#[allow(clippy::cast_precision_loss, reason = "microseconds since 1970 are below 2^53 until the year 2255")]
pub(crate) fn sign_of_life(epoch: Epoch, at: Timestamp) -> Tally {
    Tally { name: SIGN_OF_LIFE.to_owned(), labels: vec![("epoch".to_owned(), epoch.0.to_string())], value: at.0 as f64 }
}

pub(crate) fn key_values(labels: &Labels) -> Vec<KeyValue> {
    labels.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())).collect()
}

fn durable(name: &str) -> Option<&'static MetricRow> {
    registry::metric(name).filter(|row| row.durable)
}

/// A sum of ones as the integer it is.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and clamped first; a cast of a double saturates")]
fn whole(value: f64) -> u64 {
    value.round().max(0.0) as u64
}
