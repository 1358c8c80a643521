//! Feeds committed events to an observer: in the order of the commits, at least once, with the state before and after each.

use std::{collections::HashMap, sync::Arc, time::Duration};

use pipeline::{Run, RunId, apply, begin, replay};
use tracing::warn;

use crate::{
    port::{Committed, Observer, OwnedTransition, Position},
    shared::Shared,
};

/// How many events are read at a time.
const BATCH: usize = 512;
/// How many folded runs are kept between batches; beyond it the memory is cleared and runs are folded again from their journals.
const MAX_FOLDED: usize = 8192;
/// The pause after an observer or the store failed.
const AFTER_ERROR: Duration = Duration::from_millis(500);

/// Feeds an observer until the engine has stopped and everything that was committed has been shown.
pub(crate) async fn run(shared: Arc<Shared>, observer: Arc<dyn Observer>) {
    let mut committed = shared.committed.subscribe();
    let mut stopping = shared.stopping.subscribe();
    let mut feed = Feed { shared, observer, folded: HashMap::new(), after: None };
    loop {
        match feed.turn().await {
            Ok(true) => continue,
            Ok(false) if *stopping.borrow() => return,
            Ok(false) => {}
            Err(reason) => {
                warn!(observer = feed.observer.name(), "committed events are shown later: {reason}");
                feed.forget();
                if *stopping.borrow() {
                    return;
                }
                feed.shared.clock.sleep_until(feed.shared.clock.now().plus(AFTER_ERROR)).await;
                continue;
            }
        }
        // The losers of this race hold nothing.
        tokio::select! {
            _ = committed.changed() => {}
            _ = stopping.changed() => {}
        }
    }
}

struct Feed {
    shared: Arc<Shared>,
    observer: Arc<dyn Observer>,
    folded: HashMap<RunId, Arc<Run>>,
    after: Option<Position>,
}

impl Feed {
    /// Shows one batch; `false` when there was nothing to show.
    async fn turn(&mut self) -> Result<bool, String> {
        let after = match self.after {
            Some(after) => after,
            None => self.observer.cursor().await.map_err(|error| error.to_string())?,
        };
        let events = self.shared.journal.committed(after, BATCH).await.map_err(|error| error.to_string())?;
        let Some(last) = events.last().map(|event| event.position) else {
            self.after = Some(after);
            return Ok(false);
        };
        let mut batch = Vec::with_capacity(events.len());
        for event in events {
            batch.extend(self.transition(event).await?);
        }
        if !batch.is_empty() {
            self.observer.observe(&batch).await.map_err(|error| error.to_string())?;
        }
        self.after = Some(last);
        if self.folded.len() > MAX_FOLDED {
            self.folded.clear();
        }
        Ok(true)
    }

    /// Begins again at the observer's own cursor.
    fn forget(&mut self) {
        self.after = None;
        self.folded.clear();
    }

    /// The event with its states; `None` for a run of a pipeline that this process does not know.
    async fn transition(&mut self, event: Committed) -> Result<Option<OwnedTransition>, String> {
        let Committed { position, run, record } = event;
        let before = match self.folded.remove(&run) {
            Some(before) => Some(before),
            None => self.before(&run, record.seq).await?,
        };
        let started = match (&before, &record.event) {
            (Some(before), _) => before.started().clone(),
            (None, pipeline::Event::RunStarted(started)) => (**started).clone(),
            (None, _) => return Ok(None),
        };
        let Some(pack) = self.shared.definitions.get(&started.pipeline, started.version) else { return Ok(None) };
        let after = match &before {
            Some(before) => apply(&pack.definition, (**before).clone(), &record),
            None => begin(&pack.definition, run.clone(), &record),
        };
        let after = Arc::new(after.map_err(|illegal| format!("run {run}: {illegal}"))?);
        if after.outcome().is_none() || after.owes_parent() {
            self.folded.insert(run, after.clone());
        }
        Ok(Some(OwnedTransition { position, definition: pack.definition.clone(), before, record, after }))
    }

    /// The state of a run before one of its records, folded from the journal.
    async fn before(&self, run: &RunId, seq: pipeline::Seq) -> Result<Option<Arc<Run>>, String> {
        if seq == pipeline::Seq(1) {
            return Ok(None);
        }
        let mut records = self.shared.journal.load(run).await.map_err(|error| error.to_string())?;
        records.retain(|record| record.seq < seq);
        let Some(pipeline::Event::RunStarted(started)) = records.first().map(|record| &record.event) else { return Ok(None) };
        let Some(pack) = self.shared.definitions.get(&started.pipeline, started.version) else { return Ok(None) };
        replay(&pack.definition, run.clone(), &records).map(|run| Some(Arc::new(run))).map_err(|illegal| format!("run {run}: {illegal}"))
    }
}
