//! Feeds committed events to an observer: in the order of the commits, at least once, with the state before and after each. What this process has just
//! written comes from memory; the rest is read from the journal and folded.

use std::{collections::HashMap, sync::Arc, time::Duration};

use pipeline::{Run, RunId, Seq, apply, begin, replay};
use tracing::warn;

use crate::{
    port::{Committed, Observer, OwnedTransition, Position},
    shared::Shared,
    tail::After,
};

/// How many events are shown at a time.
const BATCH: usize = 512;
/// How many folded runs are kept between batches; beyond it the memory is cleared and runs are folded again from their journals.
const MAX_FOLDED: usize = 8192;
/// How long a feed that was idle waits for more: observers are in no hurry, and waking them for every commit would take time from what commits.
const GATHER: Duration = Duration::from_millis(5);
/// The pause after an observer or the store failed.
const AFTER_ERROR: Duration = Duration::from_millis(500);
/// How long commits that were acknowledged before an earlier one wait for it; after that the journal is read.
const FOR_A_GAP: Duration = Duration::from_millis(20);

/// Feeds an observer until the engine has stopped and everything that was committed has been shown.
pub(crate) async fn run(shared: Arc<Shared>, observer: Arc<dyn Observer>) {
    let mut committed = shared.committed.subscribe();
    let mut stopping = shared.stopping.subscribe();
    let mut feed = Feed { shared, observer, folded: HashMap::new(), after: None, follows: false };
    loop {
        let gap = match feed.turn().await {
            Ok(Turn::Shown) => continue,
            Ok(Turn::Nothing) if *stopping.borrow() => return,
            Ok(Turn::Nothing) => false,
            Ok(Turn::Gap) => true,
            Err(reason) => {
                warn!(observer = feed.observer.name(), "committed events are shown later: {reason}");
                feed.forget();
                if *stopping.borrow() {
                    return;
                }
                feed.shared.clock.sleep_until(feed.shared.clock.now().plus(AFTER_ERROR)).await;
                continue;
            }
        };
        let patience = feed.shared.clock.now().plus(FOR_A_GAP);
        // The losers of these races hold nothing.
        tokio::select! {
            _ = committed.changed() => {}
            _ = stopping.changed() => {}
            () = feed.shared.clock.sleep_until(patience), if gap => feed.follows = false,
        }
        let until = feed.shared.clock.now().plus(GATHER);
        let stops = feed.shared.is_stopping();
        tokio::select! {
            () = feed.shared.clock.sleep_until(until), if !stops => {}
            _ = stopping.changed(), if !stops => {}
            else => {}
        }
    }
}

/// What one turn came to.
enum Turn {
    /// A batch was shown.
    Shown,
    /// There was nothing to show.
    Nothing,
    /// Something was committed, but not everything before it is known yet.
    Gap,
}

struct Feed {
    shared: Arc<Shared>,
    observer: Arc<dyn Observer>,
    /// Runs as they were after the last record that was read from the journal.
    folded: HashMap<RunId, Arc<Run>>,
    after: Option<Position>,
    /// Whether everything that was written before this process has been shown, so that the tail has all the rest or none of it.
    follows: bool,
}

impl Feed {
    /// Shows one batch, if there is one.
    async fn turn(&mut self) -> Result<Turn, String> {
        let after = match self.after {
            Some(after) => after,
            None => self.observer.cursor().await.map_err(|error| error.to_string())?,
        };
        self.after = Some(after);
        let (last, batch) = match self.shared.tail.after(after, BATCH) {
            After::Transitions(batch) => {
                self.folded.clear();
                (batch.last().map(|last| last.position), batch)
            }
            After::Nothing if self.follows => return Ok(Turn::Nothing),
            After::Gap if self.follows => return Ok(Turn::Gap),
            After::Nothing | After::Gap | After::Behind => self.read(after).await?,
        };
        let Some(last) = last else {
            self.follows = true;
            return Ok(Turn::Nothing);
        };
        if !batch.is_empty() {
            self.observer.observe(&batch).await.map_err(|error| error.to_string())?;
        }
        self.after = Some(last);
        Ok(Turn::Shown)
    }

    /// Begins again at the observer's own cursor.
    fn forget(&mut self) {
        (self.after, self.follows) = (None, false);
        self.folded.clear();
    }

    /// A batch from the journal, and the position of the last event that it covers.
    async fn read(&mut self, after: Position) -> Result<(Option<Position>, Vec<OwnedTransition>), String> {
        let events = self.shared.journal.committed(after, BATCH).await.map_err(|error| error.to_string())?;
        let last = events.last().map(|event| event.position);
        let mut batch = Vec::with_capacity(events.len());
        for event in events {
            batch.extend(self.transition(event).await?);
        }
        if self.folded.len() > MAX_FOLDED {
            self.folded.clear();
        }
        Ok((last, batch))
    }

    /// The event with its states; `None` for a run of a pipeline that this process does not know.
    async fn transition(&mut self, event: Committed) -> Result<Option<OwnedTransition>, String> {
        let Committed { position, run, record } = event;
        let before = match self.folded.remove(&run).filter(|before| before.head().next() == record.seq) {
            Some(before) => Some(before),
            None => self.before(&run, record.seq).await?,
        };
        let started = match (&before, &record.event) {
            (Some(before), _) => before.started(),
            (None, pipeline::Event::RunStarted(started)) => started,
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
        Ok(Some(OwnedTransition { position, definition: pack.definition.clone(), before, record: Arc::new(record), after }))
    }

    /// The state of a run before one of its records, folded from the journal.
    async fn before(&self, run: &RunId, seq: Seq) -> Result<Option<Arc<Run>>, String> {
        if seq == Seq(1) {
            return Ok(None);
        }
        let mut records = self.shared.journal.load(run).await.map_err(|error| error.to_string())?;
        records.retain(|record| record.seq < seq);
        let Some(pipeline::Event::RunStarted(started)) = records.first().map(|record| &record.event) else { return Ok(None) };
        let Some(pack) = self.shared.definitions.get(&started.pipeline, started.version) else { return Ok(None) };
        replay(&pack.definition, run.clone(), &records).map(|run| Some(Arc::new(run))).map_err(|illegal| format!("run {run}: {illegal}"))
    }
}
