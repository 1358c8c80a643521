//! The instruments of the registry.

use std::{collections::HashMap, sync::Arc};

use opentelemetry::{
    KeyValue,
    metrics::{BoundHistogram, Histogram, Meter, MeterProvider},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use pipeline::Measurement;

use super::{
    census::Figures,
    tallies::{Tallies, label},
};
use crate::{
    options::Units,
    registry::{self, Instrument, MetricRow, Number},
    span_data::scope,
};

/// The instruments that committed events are recorded with. Counters and observed figures need no hand: they read their sources when collected.
#[derive(Debug)]
pub(crate) struct Instruments {
    histograms: HashMap<&'static str, Scaled>,
}

/// A histogram and what its values are divided by.
#[derive(Debug)]
struct Scaled {
    histogram: Histogram<f64>,
    divisor: f64,
    /// Series that are there before anything was recorded, with a count of 0: a series is exported as soon as it is bound.
    _declared: Vec<BoundHistogram<f64>>,
}

impl Instruments {
    /// Makes all instruments whose source is the journal or the store. Of `zeros` it takes those that are histograms'.
    pub(crate) fn new(meters: &SdkMeterProvider, units: Units, zeros: &[Measurement], tallies: &Arc<Tallies>, figures: &Arc<Figures>) -> Self {
        let mut histograms = HashMap::new();
        for row in registry::metrics().iter().filter(|row| !row.name.starts_with("plugin.") && !row.name.starts_with("otel.")) {
            let meter = meter(meters, row);
            match row.instrument {
                Instrument::Histogram => {
                    let histogram = histogram(&meter, row, units);
                    let declared = zeros.iter().filter(|zero| zero.instrument == row.name).map(|zero| histogram.bind(&labels(zero))).collect();
                    histograms.insert(row.name, Scaled { histogram, divisor: divisor(row, units), _declared: declared });
                }
                Instrument::Counter => counter(&meter, row, units, tallies.clone()),
                Instrument::UpDownCounter => up_down_counter(&meter, row, units, figures.clone()),
            }
        }
        Self { histograms }
    }

    /// Records a measurement of a histogram; others are not for it.
    pub(crate) fn record(&self, measurement: &Measurement) {
        if let Some(Scaled { histogram, divisor, .. }) = self.histograms.get(measurement.instrument) {
            // A clock that stepped back must not make a duration negative.
            histogram.record((measurement.value / divisor).max(0.0), &labels(measurement));
        }
    }
}

fn labels(measurement: &Measurement) -> Vec<KeyValue> {
    measurement.labels.iter().map(|(key, value)| KeyValue::new(*key, label(key, value).to_owned())).collect()
}

/// The meter of a metric's scope.
pub(crate) fn meter(meters: &SdkMeterProvider, row: &MetricRow) -> Meter {
    meters.meter_with_scope(scope(row.scope))
}

/// The unit of a metric in a profile.
pub(crate) fn unit(row: &MetricRow, units: Units) -> &'static str {
    match units {
        Units::Seed => row.unit,
        Units::Semconv => row.unit_semconv,
    }
}

/// A histogram with the registry's boundaries in the profile's unit.
pub(crate) fn histogram(meter: &Meter, row: &MetricRow, units: Units) -> Histogram<f64> {
    meter.f64_histogram(row.name).with_unit(unit(row, units)).with_description(row.brief).with_boundaries(boundaries(row, units)).build()
}

/// The boundaries of a histogram in the profile's unit.
pub(crate) fn boundaries(row: &MetricRow, units: Units) -> Vec<f64> {
    row.boundaries.iter().map(|bound| bound / divisor(row, units)).collect()
}

/// What a value in the registry's unit is divided by. A division by 1000 gives the double that is nearest to the decimal number; a product with 0.001
/// does not.
fn divisor(row: &MetricRow, units: Units) -> f64 {
    match (units, row.unit, row.unit_semconv) {
        (Units::Semconv, "ms", "s") => 1000.0,
        (Units::Seed | Units::Semconv, _, _) => 1.0,
    }
}

fn counter(meter: &Meter, row: &'static MetricRow, units: Units, tallies: Arc<Tallies>) {
    debug_assert_eq!(row.number, Number::U64, "the registry has no counter of another type");
    let observe = move |observer: &dyn opentelemetry::metrics::AsyncInstrument<u64>| {
        tallies.points(row.name).iter().for_each(|(labels, value)| observer.observe(*value, labels));
    };
    meter.u64_observable_counter(row.name).with_unit(unit(row, units)).with_description(row.brief).with_callback(observe).build();
}

fn up_down_counter(meter: &Meter, row: &'static MetricRow, units: Units, figures: Arc<Figures>) {
    let observe = move |observer: &dyn opentelemetry::metrics::AsyncInstrument<i64>| {
        figures.points(row.name).iter().for_each(|(labels, value)| observer.observe(*value, labels));
    };
    meter.i64_observable_up_down_counter(row.name).with_unit(unit(row, units)).with_description(row.brief).with_callback(observe).build();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_a_metric_changes_together_with_its_values() {
        for row in registry::metrics() {
            let same = |unit: &str| if unit == "seconds" { "s" } else { unit }.to_owned();
            match (same(row.unit).as_str(), row.unit_semconv) {
                ("ms", "s") => {
                    assert!((divisor(row, Units::Semconv) - 1000.0).abs() < f64::EPSILON, "{}", row.name);
                    let text = |bounds: Vec<f64>, shift: i32| bounds.iter().map(|bound| (bound * 10_f64.powi(shift)).round()).collect::<Vec<_>>();
                    assert_eq!(text(boundaries(row, Units::Seed), 0), text(boundaries(row, Units::Semconv), 3), "{}", row.name);
                }
                // An annotation in braces is no scale.
                (seed, semconv) if seed == semconv || semconv.starts_with('{') => {
                    assert!((divisor(row, Units::Semconv) - 1.0).abs() < f64::EPSILON, "{}", row.name);
                }
                (seed, semconv) => panic!("{}: nobody knows how to turn {seed} into {semconv}", row.name),
            }
            assert!((divisor(row, Units::Seed) - 1.0).abs() < f64::EPSILON, "{}", row.name);
            assert_eq!(unit(row, Units::Seed), row.unit);
        }
        let steps = registry::metric("bss.order.step_duration").unwrap();
        assert_eq!(boundaries(steps, Units::Semconv)[..8], [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5]);
    }
}
