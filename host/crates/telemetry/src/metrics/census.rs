//! Figures that are observed, never counted: what there is at the moment of collection.

use std::{
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
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

/// Provisionings of devices that are under way: those that wait for a person are not.
const SESSIONS_ACTIVE: &str = "cpe.provision.active_sessions";
/// The pipeline whose runs are provisionings of devices.
const CPE_PIPELINE: &str = "cpe";

/// The observed figures.
#[derive(Debug)]
pub(crate) struct Figures {
    census: Arc<dyn Census>,
    zeros: Vec<Measurement>,
    limits: BTreeMap<&'static str, u64>,
}

impl Figures {
    pub(crate) fn new(census: Arc<dyn Census>, zeros: &[Measurement], rows: &[MetricRow], limits: BTreeMap<&'static str, u64>) -> Self {
        let observed = |name: &str| rows.iter().any(|row| row.name == name && row.instrument == Instrument::UpDownCounter);
        Self { census, zeros: zeros.iter().filter(|zero| observed(zero.instrument)).cloned().collect(), limits }
    }

    /// The points of an observed instrument. A census that panics is a census that does not know: it must not stop the collection of metrics.
    pub(crate) fn points(&self, instrument: &str) -> Vec<(Vec<KeyValue>, i64)> {
        if let Some(limit) = self.limits.get(instrument) {
            return vec![(Vec::new(), i64::try_from(*limit).unwrap_or(i64::MAX))];
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
    if instrument == SESSIONS_ACTIVE && pipeline.as_str() == CPE_PIPELINE {
        return matches!(state, RunState::Active | RunState::Waiting).then(Vec::new);
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
