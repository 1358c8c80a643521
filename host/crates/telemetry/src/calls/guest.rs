//! Metrics of plugins' own, on the host's meter: instruments that manifests declare, made when they are first used.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use engine::port::GuestMeasurement;
use opentelemetry::{
    KeyValue, StringValue, Value,
    metrics::{Counter, Histogram, Meter, MeterProvider as _},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use crate::{generated::attribute, registry, span_data::scope};

/// Instruments of all plugins together. A plugin declares at most 16; one that comes when there are so many is dropped.
const MAX_INSTRUMENTS: usize = 1_024;

/// Instruments of plugins.
#[derive(Debug)]
pub(super) struct GuestMetrics {
    meter: Meter,
    instruments: Mutex<HashMap<(String, bool), Instrument>>,
}

#[derive(Debug, Clone)]
enum Instrument {
    Counter(Counter<f64>),
    Histogram(Histogram<f64>),
}

impl GuestMetrics {
    pub(super) fn new(meters: &SdkMeterProvider) -> Self {
        Self { meter: meters.meter_with_scope(scope(super::child::GUEST_SCOPE)), instruments: Mutex::default() }
    }

    /// Records a measurement, or says why not.
    pub(super) fn record(&self, plugin: &StringValue, measurement: GuestMeasurement) -> Result<(), &'static str> {
        let GuestMeasurement { value, labels, .. } = &measurement;
        let mut all = Vec::with_capacity(labels.len() + 1);
        all.push(KeyValue::new(attribute::PLUGIN_NAME, Value::String(plugin.clone())));
        all.extend(labels.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())));
        match self.instrument(&measurement)? {
            Instrument::Counter(counter) => counter.add(*value, &all),
            Instrument::Histogram(histogram) => histogram.record(*value, &all),
        }
        Ok(())
    }

    fn instrument(&self, measurement: &GuestMeasurement) -> Result<Instrument, &'static str> {
        let GuestMeasurement { name, counter, unit, description, .. } = measurement;
        // The same name is another instrument where its values are used otherwise, but never one of the host's.
        if registry::metric(name).is_some() {
            return Err("reserved");
        }
        let mut instruments = self.instruments.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (name.clone(), *counter);
        if let Some(known) = instruments.get(&key) {
            return Ok(known.clone());
        }
        if instruments.len() >= MAX_INSTRUMENTS {
            return Err("instruments");
        }
        let (name, unit, description) = (name.clone(), unit.clone(), description.clone());
        let made = if *counter {
            Instrument::Counter(self.meter.f64_counter(name).with_unit(unit).with_description(description).build())
        } else {
            Instrument::Histogram(self.meter.f64_histogram(name).with_unit(unit).with_description(description).build())
        };
        instruments.insert(key, made.clone());
        Ok(made)
    }
}
