//! Figures that are observed, never counted: what there is at the moment of collection.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, PoisonError, RwLock},
};

use engine::port::RunState;
use opentelemetry::KeyValue;
use pipeline::{Measurement, PipelineName};

use super::tallies::key_values;
use crate::{
    generated::{attribute, metric},
    registry::{Instrument, MetricRow},
};

/// Tells what runs there are. The host implements it over its store.
pub trait Census: fmt::Debug + Send + Sync {
    /// How many runs that are not over there are, by pipeline and state; `None` when that is not known now. Called on every collection of
    /// metrics, on a thread that may block for a quick read. What it does not name is 0.
    fn runs(&self) -> Option<Vec<(PipelineName, RunState, u64)>>;
}

/// Orders that are not over, by what the customer calls their state.
const ORDERS_IN_PROGRESS: &str = "bss.order.in_progress";
/// The pipeline whose runs are orders.
const ORDER_PIPELINE: &str = "order";

/// A figure that is kept in memory, as it is now. Called on every collection of metrics: it must not wait.
pub type Gauge = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The observed figures.
pub(crate) struct Figures {
    census: Arc<dyn Census>,
    zeros: Vec<Measurement>,
    gauges: RwLock<BTreeMap<&'static str, Gauge>>,
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Figures").field("census", &self.census).finish_non_exhaustive()
    }
}

impl Figures {
    pub(crate) fn new(census: Arc<dyn Census>, zeros: &[Measurement], rows: &[MetricRow]) -> Self {
        let observed = |name: &str| rows.iter().any(|row| row.name == name && row.instrument == Instrument::UpDownCounter);
        Self { census, zeros: zeros.iter().filter(|zero| observed(zero.instrument)).cloned().collect(), gauges: RwLock::default() }
    }

    /// Tells this figure from now on under this name.
    pub(crate) fn observe(&self, instrument: &'static str, gauge: Gauge) {
        self.gauges.write().unwrap_or_else(PoisonError::into_inner).insert(instrument, gauge);
    }

    /// The points of an observed instrument. A source that panics is one that does not know: it must not stop the collection of metrics.
    pub(crate) fn points(&self, instrument: &str) -> Vec<(Vec<KeyValue>, i64)> {
        let gauge = self.gauges.read().unwrap_or_else(PoisonError::into_inner).get(instrument).cloned();
        if let Some(gauge) = gauge {
            let value = catch_unwind(AssertUnwindSafe(|| gauge())).ok();
            return value.map(|value| (Vec::new(), i64::try_from(value).unwrap_or(i64::MAX))).into_iter().collect();
        }
        let Ok(Some(runs)) = catch_unwind(AssertUnwindSafe(|| self.census.runs())) else { return Vec::new() };
        let mut points: BTreeMap<Vec<(String, String)>, i64> = self.zeros(instrument).collect();
        for (pipeline, state, count) in runs {
            let Some(labels) = labels(instrument, &pipeline, state) else { continue };
            *points.entry(labels).or_default() += i64::try_from(count).unwrap_or(i64::MAX);
        }
        points.into_iter().map(|(labels, count)| (key_values(&labels), count)).collect()
    }

    fn zeros(&self, instrument: &str) -> impl Iterator<Item = (Vec<(String, String)>, i64)> {
        let named = self.zeros.iter().filter(move |zero| zero.instrument == instrument);
        named.map(|zero| (zero.labels.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect(), 0))
    }
}

/// The series that a run of this pipeline in this state belongs to.
fn labels(instrument: &str, pipeline: &PipelineName, state: RunState) -> Option<Vec<(String, String)>> {
    if state == RunState::Ended {
        return None;
    }
    if instrument == metric::PIPELINE_RUN_ACTIVE {
        let name = (attribute::PIPELINE_NAME.to_owned(), pipeline.to_string());
        return Some(vec![name, ("state".to_owned(), state.as_str().to_owned())]);
    }
    if instrument == ORDERS_IN_PROGRESS && pipeline.as_str() == ORDER_PIPELINE {
        let state = match state {
            RunState::Active | RunState::Waiting => "submitted",
            RunState::Held => "fallout",
            RunState::Ended => return None,
        };
        return Some(vec![("state".to_owned(), state.to_owned())]);
    }
    None
}
