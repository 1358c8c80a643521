//! The instruments of the registry.

use std::{collections::HashMap, sync::Arc};

use opentelemetry::{
    KeyValue,
    metrics::{Histogram, Meter, MeterProvider},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use pipeline::Measurement;

use super::{census::Figures, tallies::Tallies};
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

/// A histogram and what its values are multiplied with.
#[derive(Debug)]
struct Scaled {
    histogram: Histogram<f64>,
    factor: f64,
}

impl Instruments {
    /// Makes all instruments whose source is the journal or the store.
    pub(crate) fn new(meters: &SdkMeterProvider, units: Units, tallies: &Arc<Tallies>, figures: &Arc<Figures>) -> Self {
        let mut histograms = HashMap::new();
        for row in registry::metrics().iter().filter(|row| !row.name.starts_with("plugin.") && !row.name.starts_with("otel.")) {
            let meter = meter(meters, row);
            match row.instrument {
                Instrument::Histogram => {
                    histograms.insert(row.name, Scaled { histogram: histogram(&meter, row, units), factor: factor(row, units) });
                }
                Instrument::Counter => counter(&meter, row, units, tallies.clone()),
                Instrument::UpDownCounter => up_down_counter(&meter, row, units, figures.clone()),
            }
        }
        Self { histograms }
    }

    /// Records a measurement of a histogram; others are not for it.
    pub(crate) fn record(&self, measurement: &Measurement) {
        if let Some(Scaled { histogram, factor }) = self.histograms.get(measurement.instrument) {
            let labels: Vec<KeyValue> = measurement.labels.iter().map(|(key, value)| KeyValue::new(*key, value.clone())).collect();
            // A clock that stepped back must not make a duration negative.
            histogram.record((measurement.value * factor).max(0.0), &labels);
        }
    }
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
    row.boundaries.iter().map(|bound| bound * factor(row, units)).collect()
}

/// What a value in the registry's unit is multiplied with.
fn factor(row: &MetricRow, units: Units) -> f64 {
    if units == Units::Semconv && row.unit == "ms" { 0.001 } else { 1.0 }
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
