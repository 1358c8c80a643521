//! A run in memory: one task that obeys the reducer's commands, one cause and one append at a time. It leaves memory when there is nothing to do.

mod commit;
mod message;
mod work;

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError},
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use pipeline::{Command, ItemId, Run, RunId, Seq, Timestamp, lost_attempts, replay};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tracing::{error, warn};

use self::work::{Done, Live};
use crate::{
    bindings::Tables,
    definitions::Pack,
    fold::Context,
    port::{Append, RunState},
    shared::{Message, Shared},
};

/// A run that is being driven.
pub(crate) struct RunTask {
    shared: Arc<Shared>,
    pack: Pack,
    tables: Tables,
    run: Arc<Run>,
    live: HashSet<Live>,
    /// Items that are being called and whose call may have looked before somebody had news for them.
    nudged: HashSet<ItemId>,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    mailbox: mpsc::UnboundedReceiver<Message>,
    /// Nothing that waits for another run keeps one, so that runs never wait for each other's places in a circle.
    place: Option<OwnedSemaphorePermit>,
}

/// The run cannot be driven on: its task ends without having left properly.
pub(crate) struct Lost;

/// Drives a run that was just started.
pub(crate) async fn begin(
    shared: Arc<Shared>,
    (pack, tables, run): (Pack, Tables, Arc<Run>),
    commands: Vec<Command>,
    mailbox: mpsc::UnboundedReceiver<Message>,
    place: Option<OwnedSemaphorePermit>,
) {
    let mut task = RunTask::new(shared, (pack, tables, run), mailbox, place);
    task.obey(commands);
    task.drive().await;
}

/// Brings a run into memory and drives it. What was being called when its last task ended is in doubt from here on.
pub(crate) async fn wake(shared: Arc<Shared>, id: RunId, mailbox: mpsc::UnboundedReceiver<Message>) {
    let Ok(place) = shared.places.clone().acquire_owned().await else { return };
    let loaded = load(&shared, &id).await;
    let (pack, tables, run) = match loaded {
        Ok(Some(loaded)) => loaded,
        Ok(None) => return forget(&shared, &id),
        Err(reason) => {
            error!(run = %id, "the run cannot be driven: {reason}");
            return forget(&shared, &id);
        }
    };
    let lost = lost_attempts(&pack.definition, &run);
    let mut task = RunTask::new(shared, (pack, tables, run), mailbox, Some(place));
    // Even when nothing was lost, the commands of the state must be obeyed again.
    let commands = if lost.is_empty() { Ok(pipeline::decide(&task.pack.definition, &task.run)) } else { task.commit(lost, Vec::new()).await };
    match commands {
        Ok(commands) => {
            task.obey(commands);
            task.drive().await;
        }
        Err(Lost) => task.abandon(),
    }
}

/// Reads and folds a run. `None`: there is no such run, or it is held because this process cannot fold it.
async fn load(shared: &Shared, id: &RunId) -> Result<Option<(Pack, Tables, Arc<Run>)>, String> {
    let records = shared.journal.load(id).await.map_err(|error| error.to_string())?;
    let Some(pipeline::Event::RunStarted(started)) = records.first().map(|record| &record.event) else { return Ok(None) };
    let Some(pack) = shared.definitions.get(&started.pipeline, started.version) else {
        hold_unknown(shared, id, &format!("pipeline `{}` version {} is not known to this host", started.pipeline, started.version)).await?;
        return Ok(None);
    };
    let run = replay(&pack.definition, id.clone(), &records).map_err(|error| error.to_string())?;
    let table = async |revision| shared.bindings.table(revision).await.map_err(|error| error.to_string());
    let missing = |revision| format!("binding-table revision {revision} is not in the store");
    let Some(own) = table(&started.revision).await? else {
        hold_unknown(shared, id, &missing(&started.revision)).await?;
        return Ok(None);
    };
    let mut tables = Tables::new(own);
    for revision in run.repinned_revisions() {
        let Some(other) = table(revision).await? else {
            hold_unknown(shared, id, &missing(revision)).await?;
            return Ok(None);
        };
        tables.add(revision.clone(), other);
    }
    Ok(Some((pack.clone(), tables, Arc::new(run))))
}

/// Holds a run that this process cannot fold: its row says why, its journal stays as it is for a process that can.
async fn hold_unknown(shared: &Shared, id: &RunId, detail: &str) -> Result<(), String> {
    warn!(run = %id, "the run is held: {detail}");
    let Some(mut row) = shared.journal.row(id).await.map_err(|error| error.to_string())? else { return Ok(()) };
    if row.state == RunState::Held && row.detail == detail {
        return Ok(());
    }
    let expected_head: Seq = row.head;
    (row.state, row.wake_at, row.detail) = (RunState::Held, None, detail.to_owned());
    let append = Append { row, expected_head, records: Vec::new(), documents: Vec::new(), writes: Vec::new(), holds: Vec::new() };
    shared.journal.append(&append).await.map(|_| ()).map_err(|error| error.to_string())
}

/// Takes the run off the list of driven ones; messages that are still in its mailbox are answered by their closed reply channels.
fn forget(shared: &Shared, id: &RunId) {
    shared.driven.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
}

impl RunTask {
    fn new(
        shared: Arc<Shared>,
        (pack, tables, run): (Pack, Tables, Arc<Run>),
        mailbox: mpsc::UnboundedReceiver<Message>,
        place: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self { shared, pack, tables, run, live: HashSet::new(), nudged: HashSet::new(), work: FuturesUnordered::new(), mailbox, place }
    }

    fn context(&self) -> Context<'_> {
        Context { pack: &self.pack, tables: &self.tables, current: self.shared.bindings.by_step(&self.tables), epoch: self.shared.epoch }
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Works until there is nothing to do in memory.
    async fn drive(mut self) {
        while !self.leave() {
            if self.turn().await.is_err() {
                return self.abandon();
            }
        }
    }

    /// One cause. The append it leads to is never dropped: it is awaited outside of the `select!`, whose losers are all re-created in the next turn.
    async fn turn(&mut self) -> Result<(), Lost> {
        enum Cause {
            Done(Done),
            Message(Message),
            Timer,
        }
        let timer = self.run.wake_at().filter(|_| !self.shared.is_stopping());
        let clock = self.shared.clock.clone();
        let cause = tokio::select! {
            biased;
            Some(done) = self.work.next(), if !self.work.is_empty() => Cause::Done(done),
            Some(message) = self.mailbox.recv() => Cause::Message(message),
            () = async { clock.sleep_until(timer.unwrap_or_default()).await }, if timer.is_some() => Cause::Timer,
        };
        match cause {
            Cause::Done(done) => self.done(done).await,
            Cause::Message(message) => self.message(message).await,
            Cause::Timer => self.timers().await,
        }
    }

    /// Records the timers that are due, one append each.
    async fn timers(&mut self) -> Result<(), Lost> {
        while let Some(event) = self.run.due_timer(&self.pack.definition, self.now()) {
            let commands = self.commit(vec![event], Vec::new()).await?;
            self.obey(commands);
        }
        Ok(())
    }

    /// Whether the run left memory: nothing is being called and nobody has told it anything.
    fn leave(&mut self) -> bool {
        if !self.work.is_empty() {
            return false;
        }
        let mut driven = self.shared.driven.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.mailbox.is_empty() {
            return false;
        }
        driven.remove(self.run.id());
        drop(driven);
        if let Some(due) = self.run.wake_at() {
            self.shared.announce_timer(due);
        }
        if self.run.outcome().is_none() && self.run.wakes(&self.pack.definition).is_empty() {
            error!(run = %self.run.id(), "the run is stuck: nothing can wake it");
        }
        true
    }

    /// Ends without having left: another writer, a fault or the end of the store. The watch finds the run again.
    fn abandon(self) {
        forget(&self.shared, self.run.id());
    }
}
