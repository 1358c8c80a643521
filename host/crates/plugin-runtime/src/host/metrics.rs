//! `jackfield:host/metrics`: measurements on instruments that the manifest declares. What is not declared is dropped and counted.

use engine::port::{GuestMeasurement, SpanItem};
use package::{Metric, MetricKind};

use super::bindings::metrics::{Host, Label};
use crate::call::CallState;

/// Measurements of one call.
const MAX_MEASUREMENTS: u32 = 1_000;
/// What stands for a value that is not declared.
const OTHER: &str = "_other";

impl CallState {
    fn measure(&mut self, name: &str, kind: MetricKind, value: f64, labels: &[Label]) {
        let measured = self.telemetry.measured;
        let refused = match self.context.plugin.manifest.telemetry.as_ref().and_then(|telemetry| telemetry.metric(name)) {
            None => "undeclared",
            Some(metric) if metric.kind != kind => "kind",
            Some(_) if !value.is_finite() || (kind == MetricKind::Counter && value < 0.0) => "value",
            Some(_) if measured >= MAX_MEASUREMENTS => "limit",
            Some(metric) => {
                let item = SpanItem::Measured(measurement(metric, value, labels));
                let unknown = labels.iter().any(|label| !metric.labels.contains_key(&label.key));
                self.telemetry.measured += 1;
                self.telemetry.span.record(item);
                if unknown {
                    self.telemetry.drop("metrics", "label");
                }
                return;
            }
        };
        self.telemetry.drop("metrics", refused);
    }
}

/// A measurement with exactly the labels that are declared.
fn measurement(metric: &Metric, value: f64, given: &[Label]) -> GuestMeasurement {
    let label = |(key, values): (&String, &Vec<String>)| {
        let said = given.iter().find(|label| label.key == *key).map(|label| &label.value);
        let known = said.filter(|said| values.contains(said)).map_or(OTHER, String::as_str);
        (key.clone(), known.to_owned())
    };
    GuestMeasurement {
        name: metric.name.clone(),
        counter: metric.kind == MetricKind::Counter,
        unit: metric.unit.clone(),
        description: metric.description.clone(),
        value,
        labels: metric.labels.iter().map(label).collect(),
    }
}

impl Host for &mut CallState {
    fn add(&mut self, instrument: String, value: f64, labels: Vec<Label>) -> wasmtime::Result<()> {
        self.measure(&instrument, MetricKind::Counter, value, &labels);
        Ok(())
    }

    fn record(&mut self, instrument: String, value: f64, labels: Vec<Label>) -> wasmtime::Result<()> {
        self.measure(&instrument, MetricKind::Histogram, value, &labels);
        Ok(())
    }
}
