//! Metrics of plugin calls, bound once per plugin so that a call pays for no label.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use engine::port::GuestMeasurement;
use opentelemetry::{
    KeyValue, StringValue, Value,
    metrics::{AsyncInstrument, BoundHistogram, Counter, Histogram},
};
use opentelemetry_sdk::metrics::SdkMeterProvider;

use super::guest::GuestMetrics;
use crate::{
    generated::{attribute, metric},
    metrics::instruments,
    options::Units,
    registry,
};

/// The functions that a plugin can be asked for.
const FUNCTIONS: [&str; 4] = ["apply", "resume", "observe", "undo"];
/// How many plugin versions are remembered; beyond it the memory is cleared and filled again.
const MAX_PLUGINS: usize = 1024;

/// Metrics of plugin calls.
#[derive(Debug)]
pub(crate) struct CallFigures {
    duration: Histogram<f64>,
    dropped: Counter<u64>,
    dropped_total: AtomicU64,
    guests: GuestMetrics,
    plugins: Plugins,
}

/// Plugin versions by digest.
type Plugins = Arc<RwLock<HashMap<Box<str>, Arc<Plugin>, BuildHasherDefault<DigestHasher>>>>;

/// A digest is a hash already: its last bytes are as good as any other's.
#[derive(Debug, Default)]
struct DigestHasher(u64);

impl Hasher for DigestHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(tail) = bytes.last_chunk::<16>() {
            // Hexadecimal digits have four bits each that differ; the product moves them to where the table looks.
            let folded = u128::from_le_bytes(*tail).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            self.0 ^= u64::from_le_bytes(*folded.to_be_bytes().first_chunk().expect("16 bytes have 8"));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What is the same in all calls of one plugin version.
#[derive(Debug)]
pub(crate) struct Plugin {
    pub(crate) name: StringValue,
    pub(crate) version: StringValue,
    pub(crate) digest: StringValue,
    /// The names of the spans, one per function.
    span_names: [String; FUNCTIONS.len()],
    succeeded: Vec<BoundHistogram<f64>>,
    active: AtomicI64,
}

impl CallFigures {
    pub(crate) fn new(meters: &SdkMeterProvider, units: Units) -> Self {
        let row = |name| registry::metric(name).expect("the registry has the metrics of plugin calls");
        let plugins = Plugins::default();
        let (duration, active, dropped) = (row(metric::PLUGIN_CALL_DURATION), row(metric::PLUGIN_CALL_ACTIVE), row(metric::PLUGIN_TELEMETRY_DROPPED));
        let meter = instruments::meter(meters, duration);
        let observed = plugins.clone();
        let observe = move |observer: &dyn AsyncInstrument<i64>| observe_active(&observed, observer);
        meter.i64_observable_up_down_counter(active.name).with_unit(active.unit).with_description(active.brief).with_callback(observe).build();
        Self {
            duration: instruments::histogram(&meter, duration, units),
            dropped: meter.u64_counter(dropped.name).with_unit(dropped.unit).with_description(dropped.brief).build(),
            dropped_total: AtomicU64::new(0),
            guests: GuestMetrics::new(meters),
            plugins,
        }
    }

    /// What is the same in all calls of a plugin version, made at its first call.
    pub(crate) fn plugin(&self, name: &str, version: &str, digest: &str) -> Arc<Plugin> {
        if let Some(plugin) = self.plugins.read().unwrap_or_else(PoisonError::into_inner).get(digest) {
            return plugin.clone();
        }
        let mut plugins = self.plugins.write().unwrap_or_else(PoisonError::into_inner);
        if plugins.len() >= MAX_PLUGINS {
            plugins.clear();
        }
        plugins.entry(digest.into()).or_insert_with(|| Arc::new(self.bind(name, version, digest))).clone()
    }

    fn bind(&self, name: &str, version: &str, digest: &str) -> Plugin {
        // Shared text: a label or attribute that is cloned costs a counter, not an allocation.
        let shared = |text: String| StringValue::from(Arc::<str>::from(text));
        let name = shared(name.to_owned());
        let bound = FUNCTIONS.iter().map(|function| self.duration.bind(&[plugin_name(&name), KeyValue::new(attribute::PLUGIN_FUNCTION, *function)]));
        let succeeded = bound.collect();
        let span_names = FUNCTIONS.map(|function| format!("plugin.call {name}/{function}"));
        Plugin {
            name,
            span_names,
            version: shared(version.to_owned()),
            digest: shared(format!("sha256:{digest}")),
            succeeded,
            active: AtomicI64::new(0),
        }
    }

    /// A call ended.
    pub(crate) fn record(&self, plugin: &Plugin, function: &'static str, took: Duration, error_type: Option<&str>) {
        let seconds = took.as_secs_f64();
        let place = FUNCTIONS.iter().position(|known| *known == function);
        match (error_type, place.and_then(|place| plugin.succeeded.get(place))) {
            (None, Some(bound)) => bound.record(seconds),
            (error_type, _) => {
                let mut labels = vec![plugin_name(&plugin.name), KeyValue::new(attribute::PLUGIN_FUNCTION, function)];
                labels.extend(error_type.map(|code| KeyValue::new(attribute::ERROR_TYPE, code.to_owned())));
                self.duration.record(seconds, &labels);
            }
        }
    }

    /// Guest telemetry was refused or cut.
    pub(crate) fn dropped(&self, plugin: &Plugin, signal: &'static str, reason: &'static str, count: u64) {
        self.dropped_total.fetch_add(count, Ordering::Relaxed);
        self.dropped.add(count, &[plugin_name(&plugin.name), KeyValue::new(attribute::SIGNAL, signal), KeyValue::new("reason", reason)]);
    }

    /// A measurement of a plugin's own.
    pub(crate) fn measured(&self, plugin: &Plugin, measurement: GuestMeasurement) {
        if let Err(reason) = self.guests.record(&plugin.name, measurement) {
            self.dropped(plugin, "metrics", reason, 1);
        }
    }

    /// How much guest telemetry was refused or cut.
    pub(crate) fn dropped_total(&self) -> u64 {
        self.dropped_total.load(Ordering::Relaxed)
    }
}

impl Plugin {
    /// The name of the span of a call of that function.
    pub(crate) fn span_name(&self, function: &str) -> String {
        let known = FUNCTIONS.iter().position(|known| *known == function);
        known.map_or_else(|| format!("plugin.call {}/{function}", self.name), |place| self.span_names[place].clone())
    }

    pub(crate) fn enter(&self) {
        self.active.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn leave(&self) {
        self.active.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Versions of one plugin are one series.
fn observe_active(plugins: &Plugins, observer: &dyn AsyncInstrument<i64>) {
    let mut active: HashMap<StringValue, i64> = HashMap::new();
    for plugin in plugins.read().unwrap_or_else(PoisonError::into_inner).values() {
        *active.entry(plugin.name.clone()).or_default() += plugin.active.load(Ordering::Relaxed);
    }
    active.into_iter().for_each(|(name, calls)| observer.observe(calls, &[plugin_name(&name)]));
}

fn plugin_name(name: &StringValue) -> KeyValue {
    KeyValue::new(attribute::PLUGIN_NAME, Value::String(name.clone()))
}
