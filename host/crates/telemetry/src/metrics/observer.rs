//! Counts committed events: durable counters move on together with the cursor, histograms at once.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use engine::port::{Observer, ObserverError, OwnedTransition, Position};
use pipeline::{Measurement, Outcome, Run};
use tokio::sync::Notify;

use super::{
    instruments::Instruments,
    tallies::{Tallies, tally},
};
use crate::{
    cursor::{CursorStore, Tally},
    generated::{attribute, metric},
    labels::Labels,
    registry,
};

/// The most additions that wait to be written before the feed of events writes them itself.
const MAX_PENDING: usize = 4096;

/// The observer of committed events for metrics.
#[derive(Debug, Clone)]
pub(crate) struct MetricObserver(pub(crate) Arc<Counting>);

/// What counting needs, shared by the observer and the task that writes.
#[derive(Debug)]
pub(crate) struct Counting {
    pub(crate) instruments: Instruments,
    /// The labels beyond those that every point has.
    labels: Labels,
    pub(crate) tallies: Arc<Tallies>,
    pub(crate) cursors: Arc<dyn CursorStore>,
    /// How far this process has recorded; an event that is shown again after an error counts once.
    seen: AtomicU64,
    pending: Mutex<Pending>,
    /// Serialises writes, so that a cursor is never set back.
    writing: tokio::sync::Mutex<()>,
    bell: Notify,
}

/// Additions that the store does not have yet, and the position after which they are complete.
#[derive(Debug, Default)]
struct Pending {
    changes: Vec<Tally>,
    position: Option<Position>,
}

impl Counting {
    /// The name of the cursor.
    pub(crate) const NAME: &'static str = "telemetry.metrics";

    pub(crate) fn new(instruments: Instruments, labels: Labels, tallies: Arc<Tallies>, cursors: Arc<dyn CursorStore>) -> Self {
        Self {
            instruments,
            labels,
            tallies,
            cursors,
            seen: AtomicU64::new(0),
            pending: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            bell: Notify::new(),
        }
    }

    /// Writes what was counted, at most once per `delay`, for ever.
    pub(crate) async fn run(self: Arc<Self>, delay: Duration) {
        loop {
            self.bell.notified().await;
            tokio::time::sleep(delay).await;
            if let Err(error) = self.commit().await {
                tracing::warn!("counters are written later: {error}");
                self.bell.notify_one();
            }
        }
    }

    /// Writes what was counted. Only then does the copy in memory have it: what is exported never runs ahead of the store.
    pub(crate) async fn commit(&self) -> Result<(), crate::cursor::CursorError> {
        let _turn = self.writing.lock().await;
        let Pending { changes, position } = std::mem::take(&mut *self.pending());
        let Some(position) = position else { return Ok(()) };
        let merged = merge(changes);
        if let Err(error) = self.cursors.commit_tallies(Self::NAME, position, &merged).await {
            let mut pending = self.pending();
            pending.changes.extend(merged);
            pending.position = pending.position.max(Some(position));
            return Err(error);
        }
        self.tallies.add(&merged);
        Ok(())
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records histograms and collects additions.
    fn count(&self, transition: &OwnedTransition, changes: &mut Vec<Tally>) {
        let measured = (transition.definition.measure)(&transition.as_transition());
        for mut measurement in measured.into_iter().chain(run_duration(transition)) {
            self.labels.apply(&mut measurement);
            match tally(&measurement) {
                Some(change) => changes.push(self.tallies.bounded(change)),
                None => self.instruments.record(&measurement),
            }
        }
    }
}

#[async_trait]
impl Observer for MetricObserver {
    fn name(&self) -> &'static str {
        Counting::NAME
    }

    async fn cursor(&self) -> Result<Position, ObserverError> {
        self.0.cursors.load(Counting::NAME).await.map_err(|error| ObserverError(error.to_string()))
    }

    async fn observe(&self, batch: &[OwnedTransition]) -> Result<(), ObserverError> {
        let mut changes = Vec::new();
        for transition in batch {
            if transition.position.0 > self.0.seen.fetch_max(transition.position.0, Ordering::AcqRel) {
                self.0.count(transition, &mut changes);
            }
        }
        let waiting = {
            // Together, so that no write takes a part of a batch, or a batch without its position.
            let mut pending = self.0.pending();
            pending.changes.extend(changes);
            pending.position = pending.position.max(batch.last().map(|last| last.position));
            pending.changes.len()
        };
        if waiting >= MAX_PENDING {
            return self.0.commit().await.map_err(|error| ObserverError(error.to_string()));
        }
        self.0.bell.notify_one();
        Ok(())
    }
}

/// How long a run took, when this event ends it.
fn run_duration(transition: &OwnedTransition) -> Option<Measurement> {
    let outcome = transition.after.outcome()?;
    if transition.before.as_deref().and_then(Run::outcome).is_some() {
        return None;
    }
    let mut labels = vec![(attribute::PIPELINE_NAME, transition.definition.name.to_string())];
    match outcome {
        Outcome::Completed => {}
        Outcome::Cancelled => labels.push((attribute::ERROR_TYPE, "host.cancelled".to_owned())),
        Outcome::Failed { failure, .. } => labels.push((attribute::ERROR_TYPE, registry::error_type(&failure.error_type).to_owned())),
    }
    let value = transition.record.at.since(transition.after.started_at()).as_secs_f64();
    Some(Measurement { instrument: metric::PIPELINE_RUN_DURATION, value, labels })
}

/// One addition per series.
fn merge(changes: Vec<Tally>) -> Vec<Tally> {
    let mut merged: std::collections::BTreeMap<(String, Vec<(String, String)>), f64> = std::collections::BTreeMap::new();
    for Tally { name, labels, value } in changes {
        *merged.entry((name, labels)).or_default() += value;
    }
    merged.into_iter().map(|((name, labels), value)| Tally { name, labels, value }).collect()
}
