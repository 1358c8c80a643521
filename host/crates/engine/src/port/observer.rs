//! Observers: what reads committed events and shows them to somebody.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use pipeline::{Definition, Record, Run, Transition};

use super::journal::Position;

/// Is given every committed event in the order of the commits, at least once, from the position after its saved cursor.
#[async_trait]
pub trait Observer: fmt::Debug + Send + Sync {
    /// The name under which the cursor is kept.
    fn name(&self) -> &'static str;

    /// Where to begin.
    async fn cursor(&self) -> Result<Position, ObserverError>;

    /// Takes a batch. The engine repeats the batch after a pause when this fails; the observer saves its own cursor when it has done what it promises.
    async fn observe(&self, batch: &[OwnedTransition]) -> Result<(), ObserverError>;
}

/// A committed event with the state of its run before and after it.
#[derive(Debug, Clone)]
pub struct OwnedTransition {
    /// The place in the common order.
    pub position: Position,
    /// The pipeline.
    pub definition: Arc<Definition>,
    /// The run before the event; `None` for its first.
    pub before: Option<Arc<Run>>,
    /// The event.
    pub record: Arc<Record>,
    /// The run after the event.
    pub after: Arc<Run>,
}

impl OwnedTransition {
    /// The borrowed form that definitions measure.
    pub fn as_transition(&self) -> Transition<'_> {
        Transition { definition: &self.definition, before: self.before.as_deref(), record: &self.record, after: &self.after }
    }
}

/// Why an observer could not take a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ObserverError(pub String);
