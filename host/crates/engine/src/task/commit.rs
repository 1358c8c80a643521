//! The one place where a run's records are written.

use std::time::Duration;

use pipeline::{Command, Event};
use tracing::{error, warn};

use super::{Lost, RunTask};
use crate::{
    fold::{Folded, fold},
    port::{AppendError, KeyValueWrite, WriteError},
    shared::Unplaced,
};

/// The pause before an append is repeated for want of room, doubled up to the maximum.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// Why a cause was not recorded.
pub(super) enum Refused {
    /// The key-value changes clash with another call's; the run is as it was.
    Conflict(String),
    /// The run cannot be driven on.
    Lost,
}

impl RunTask {
    /// Records a cause that changes no keys.
    pub(super) async fn commit(&mut self, causes: Vec<Event>, writes: Vec<KeyValueWrite>) -> Result<Vec<Command>, Lost> {
        self.try_commit(causes, writes).await.map_err(|_| Lost)
    }

    /// Records a cause and what follows from it, durably, and returns what is to be done then.
    pub(super) async fn try_commit(&mut self, causes: Vec<Event>, writes: Vec<KeyValueWrite>) -> Result<Vec<Command>, Refused> {
        let folded = fold(self.context(), self.run.clone(), self.now(), None, causes);
        let Folded { run, mut append, states, commands } = folded.map_err(|illegal| {
            error!(run = %self.run.id(), "a fault of this host: {illegal}");
            Refused::Lost
        })?;
        append.writes = writes;
        let mut pause = FIRST_PAUSE;
        loop {
            match self.shared.journal.append(&append).await {
                Ok(appended) => {
                    let before = Some(std::mem::replace(&mut self.run, run));
                    self.shared.announce(appended, Unplaced { definition: self.pack.definition.clone(), before, records: append.records, states });
                    return Ok(commands);
                }
                Err(AppendError::Conflict { key, .. }) => return Err(Refused::Conflict(key)),
                // What was done is kept and recorded as soon as there is room; the provider is not called again.
                Err(AppendError::Write(WriteError::Unavailable(reason))) if !self.shared.is_stopping() => {
                    warn!(run = %self.run.id(), "the journal cannot be written to, trying again: {reason}");
                    self.shared.clock.sleep_until(self.now().plus(pause)).await;
                    pause = (pause * 2).min(LAST_PAUSE);
                }
                Err(error) => return Err(self.lost(&error)),
            }
        }
    }

    fn lost(&self, error: &AppendError) -> Refused {
        match error {
            AppendError::Write(WriteError::Fenced(_) | WriteError::Fatal(_)) => self.shared.fail(&error.to_string()),
            AppendError::Stale { .. } | AppendError::Exists(_) | AppendError::Conflict { .. } | AppendError::Write(WriteError::Unavailable(_)) => {}
        }
        error!(run = %self.run.id(), "the run is given up by this task: {error}");
        Refused::Lost
    }
}
