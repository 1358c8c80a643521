//! Recovery and the watch: no live run is ever without somebody or something to drive it.

use std::{sync::Arc, time::Duration};

use pipeline::{RunId, replay};
use tracing::{error, warn};

use crate::{
    port::{ReadError, RunState},
    shared::{Message, Shared},
};

/// How many rows are read at a time.
const PAGE: usize = 256;
/// The pause before recovery looks again for room in memory.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(5);
/// How often the watch looks.
const WATCH_EVERY: Duration = Duration::from_secs(30);

/// Wakes every run that an earlier process left with something to do.
pub(crate) async fn recover(shared: Arc<Shared>) {
    let mut after = None;
    while !shared.is_stopping() {
        let room = shared.room_to_wake().min(PAGE);
        if room == 0 {
            shared.clock.sleep_until(shared.clock.now().plus(WAIT_FOR_ROOM)).await;
            continue;
        }
        let rows = match shared.timers.in_state(RunState::Active, after.as_ref(), room).await {
            Ok(rows) => rows,
            Err(error) => return warn!("recovery could not read all runs, the watch goes on: {error}"),
        };
        let Some(last) = rows.last() else { return };
        after = Some(last.run.clone());
        rows.iter().filter(|row| !shared.is_driven(&row.run)).for_each(|row| shared.tell(&row.run, Message::Wake));
    }
}

/// Looks for live runs that nothing drives, until the engine stops.
pub(crate) async fn watch(shared: Arc<Shared>) {
    let mut stopping = shared.stopping.subscribe();
    while !shared.is_stopping() {
        // The losers of this race hold nothing.
        tokio::select! {
            () = shared.clock.sleep_until(shared.clock.now().plus(WATCH_EVERY)) => {}
            _ = stopping.changed() => return,
        }
        match stuck(&shared).await {
            Ok(runs) => {
                for run in runs {
                    error!(%run, "the run was stuck: it is woken");
                    shared.tell(&run, Message::Wake);
                }
            }
            Err(error) => warn!("the watch could not read all runs: {error}"),
        }
    }
}

/// Live runs that nothing will wake: active ones without a task, and waiting ones without a timer, callback, child or open fallout.
pub(crate) async fn stuck(shared: &Arc<Shared>) -> Result<Vec<RunId>, ReadError> {
    let mut stuck = Vec::new();
    for_each(shared, RunState::Active, |run| {
        if !shared.is_driven(run) {
            stuck.push(run.clone());
        }
    })
    .await?;
    let mut suspects = Vec::new();
    let mut after = None;
    loop {
        let rows = shared.timers.in_state(RunState::Waiting, after.as_ref(), PAGE).await?;
        suspects.extend(rows.iter().filter(|row| row.wake_at.is_none()).map(|row| row.run.clone()));
        let Some(last) = rows.last() else { break };
        after = Some(last.run.clone());
    }
    for run in suspects {
        if !shared.is_driven(&run) && !can_wake(shared, &run).await? {
            stuck.push(run);
        }
    }
    Ok(stuck)
}

/// Whether something will wake the run, by its journal. A run that cannot be folded was held with a reason when it was loaded.
async fn can_wake(shared: &Shared, run: &RunId) -> Result<bool, ReadError> {
    let records = shared.journal.load(run).await?;
    let Some(pipeline::Event::RunStarted(started)) = records.first().map(|record| &record.event) else { return Ok(true) };
    let Some(pack) = shared.definitions.get(&started.pipeline, started.version) else { return Ok(true) };
    let folded = replay(&pack.definition, run.clone(), &records);
    Ok(folded.map_or(true, |run| run.outcome().is_some() || !run.wakes(&pack.definition).is_empty()))
}

async fn for_each(shared: &Arc<Shared>, state: RunState, mut each: impl FnMut(&RunId)) -> Result<(), ReadError> {
    let mut after = None;
    while !shared.is_stopping() {
        let rows = shared.timers.in_state(state, after.as_ref(), PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = Some(last.run.clone());
        rows.iter().for_each(|row| each(&row.run));
    }
    Ok(())
}
