//! What a person may do to a run beside deciding about its fallouts: bind items otherwise, take back what a run did that is over.

use std::sync::Arc;

use pipeline::{Definition, Digest, Pin, PinChanged, ReopenRefused, RepinItem, RepinRefused, Revision, Run, RunId, Seq};
use tokio::sync::oneshot;

use crate::{
    api::{Engine, EngineError},
    bindings::BindingTable,
    driver::Driver,
    shared::{Message, Shared},
};

/// What a person wants to be bound otherwise in one run.
#[derive(Debug, Clone)]
pub struct Repin {
    /// The run.
    pub run: RunId,
    /// The plugin that items leave.
    pub from: Digest,
    /// What they are bound to from now on. It answers one contract: only items of that contract are moved.
    pub to: Arc<Pin>,
    /// The binding table that says what it may reach; it is in the store.
    pub revision: Revision,
    /// The head of the run that the person has seen: it must not have gone on meanwhile.
    pub expected_head: Seq,
    /// Whether items that did something are moved as well, so that the new provider takes back what the old one did.
    pub include_done: bool,
    /// Who decided; 1 to 128 characters.
    pub by: String,
    /// Why; at most 4096 characters.
    pub note: String,
}

impl Repin {
    /// What it changes in the run, which is at this head.
    pub(crate) fn change(&self, definition: &Definition, run: &Run, head: Seq) -> Result<PinChanged, RepinError> {
        let Self { run: _, from, to, revision, expected_head, include_done, by, note } = self.clone();
        if head != expected_head {
            return Err(RepinError::Moved { run: self.run.clone(), expected: expected_head, actual: head });
        }
        Ok(pipeline::repin(definition, run, pipeline::Repin { from, to, revision, include_done, by, note })?)
    }
}

/// Why items were not bound otherwise. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RepinError {
    /// No such run.
    #[error("there is no run {0}")]
    UnknownRun(RunId),
    /// The run has gone on.
    #[error("run {run} is at record {}, not {}: look again", .actual.0, .expected.0)]
    Moved {
        /// The run.
        run: RunId,
        /// What the person has seen.
        expected: Seq,
        /// Where it is.
        actual: Seq,
    },
    /// The binding table is not in the store.
    #[error("binding-table revision {0} is not in the store")]
    UnknownRevision(Revision),
    /// The binding table does not say what the new provider may reach.
    #[error("plugin {digest} is not among the plugins of binding-table revision {revision}")]
    NotInRevision {
        /// The new provider.
        digest: Digest,
        /// The binding table.
        revision: Revision,
    },
    /// The run is not at rest, or the new provider does not fit.
    #[error(transparent)]
    Refused(#[from] RepinRefused),
    /// The name or the note has a wrong length.
    #[error("{0}")]
    Invalid(String),
    /// The engine could not do it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// Why what a run did is not taken back. Nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UndoError {
    /// No such run.
    #[error("there is no run {0}")]
    UnknownRun(RunId),
    /// The run goes on, or has nothing to take back.
    #[error(transparent)]
    Refused(#[from] ReopenRefused),
    /// The name or the note has a wrong length.
    #[error("{0}")]
    Invalid(String),
    /// The engine could not do it.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Driver {
    /// Binds items of a run to another provider and returns how many. Only at rest, and only if the run is where the caller has seen it.
    pub async fn repin(&self, repin: Repin) -> Result<u32, RepinError> {
        let (shared, run) = (self.shared(), repin.run.clone());
        let table = self.check(&repin).await?;
        if !exists(shared, &run).await? {
            return Err(RepinError::UnknownRun(run));
        }
        let (reply, answer) = oneshot::channel();
        shared.tell(&run, Message::Repin { repin: Box::new(repin), table, reply });
        answer.await.map_err(|_| lost())?
    }

    /// What could be moved away from a plugin in one run, and the head of the run that this was seen at.
    pub async fn repinnable(&self, run: &RunId, from: &Digest) -> Result<(Seq, Vec<RepinItem>), RepinError> {
        let Some(view) = self.query(run).await? else { return Err(RepinError::UnknownRun(run.clone())) };
        let items = pipeline::repinnable(&*self.definition_of(&view.run)?, &view.run, from).map_err(RepinRefused::from)?;
        Ok((view.run.head(), items))
    }

    /// Whether [`Driver::repin`] would refuse any of these, all of one run and made one after the other, as the run is now: nothing is written.
    pub async fn would_repin(&self, moves: &[Repin]) -> Result<(), RepinError> {
        let Some(first) = moves.first() else { return Ok(()) };
        let Some(view) = self.query(&first.run).await? else { return Err(RepinError::UnknownRun(first.run.clone())) };
        let definition = self.definition_of(&view.run)?;
        // Each that is made is one record more.
        for (repin, head) in moves.iter().zip(view.run.head().0..) {
            self.check(repin).await?;
            repin.change(&definition, &view.run, Seq(head))?;
        }
        Ok(())
    }

    /// What can be said without the run; the table.
    async fn check(&self, repin: &Repin) -> Result<Arc<BindingTable>, RepinError> {
        check_person(&repin.by, &repin.note).map_err(RepinError::Invalid)?;
        let table = self.shared().bindings.table(&repin.revision).await.map_err(EngineError::from)?;
        let table = table.ok_or_else(|| RepinError::UnknownRevision(repin.revision.clone()))?;
        match repin.to.provider.digest().filter(|digest| !table.plugins.contains_key(*digest)) {
            Some(digest) => Err(RepinError::NotInRevision { digest: digest.clone(), revision: repin.revision.clone() }),
            None => Ok(table),
        }
    }

    fn definition_of(&self, run: &Run) -> Result<Arc<Definition>, EngineError> {
        let started = run.started();
        let unknown = || EngineError::Journal { run: run.id().clone(), detail: "its pipeline is not known to this host".to_owned() };
        Ok(self.shared().definitions.get(&started.pipeline, started.version).ok_or_else(unknown)?.definition.clone())
    }

    /// Takes back what a run did that is over, by its receipts, with the providers that did it. The run goes on for that and ends as cancelled.
    pub async fn undo_ended(&self, run: &RunId, by: &str, note: &str) -> Result<(), UndoError> {
        check_person(by, note).map_err(UndoError::Invalid)?;
        let shared = self.shared();
        if !exists(shared, run).await? {
            return Err(UndoError::UnknownRun(run.clone()));
        }
        let (reply, answer) = oneshot::channel();
        shared.tell(run, Message::Reopen { by: by.to_owned(), note: note.to_owned(), reply });
        answer.await.map_err(|_| lost())?
    }
}

async fn exists(shared: &Shared, run: &RunId) -> Result<bool, EngineError> {
    Ok(shared.journal.row(run).await?.is_some())
}

fn lost() -> EngineError {
    EngineError::Unavailable("the run could not be brought into memory".to_owned())
}

/// Whoever intervenes has a name, and a note is not a book.
pub(crate) fn check_person(by: &str, note: &str) -> Result<(), String> {
    let (by, note) = (by.chars().count(), note.chars().count());
    if !(1..=128).contains(&by) {
        return Err(format!("the name of who decides has {by} characters: expected 1 to 128"));
    }
    if note > 4096 {
        return Err(format!("the note has {note} characters: expected at most 4096"));
    }
    Ok(())
}
