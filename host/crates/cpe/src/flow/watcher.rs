//! Follows the runs of the pipelines: keeps the book of devices up to date, lets devices go that nothing more is to be done with, and ends what was superseded.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use engine::{
    api::{Decision, Engine, ResolveError},
    port::{Clock, Document, Documents, Observer, ObserverError, OwnedTransition, Position, SpanContext},
};
use pipeline::{Event, Resolution, Run, RunId, Timestamp, TraceIdentity};
use serde_json::json;
use tracing::warn;

use super::{
    book::{Book, Standing},
    command::COMMAND_PIPELINE,
    facts::key,
    projection::{SUPERSEDED, failure, may_show},
    provision::PIPELINE,
    runner::Sessions,
};
use crate::device::DeviceKey;

/// Where the cursor is kept.
const CURSOR_COLLECTION: &str = "cpe-cursor";
const CURSOR: &str = "devices";

/// The cursor is saved so often. What was seen after it is seen again after a restart, which changes nothing.
const SAVE_EVERY: std::time::Duration = std::time::Duration::from_secs(5);

/// Who decides about fallouts of runs that a newer one took over from.
pub(crate) const BY: &str = "jackfield";

/// Follows the runs of the pipelines.
#[derive(Debug)]
pub struct Watcher {
    book: Arc<Book>,
    sessions: Arc<dyn Sessions>,
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
    engine: OnceLock<Arc<dyn Engine>>,
    saved: Mutex<Timestamp>,
}

impl Watcher {
    /// A watcher that knows no engine yet.
    pub fn new(book: Arc<Book>, sessions: Arc<dyn Sessions>, documents: Arc<dyn Documents>, clock: Arc<dyn Clock>) -> Self {
        Self { book, sessions, documents, clock, engine: OnceLock::new(), saved: Mutex::new(Timestamp(0)) }
    }

    /// Tells it the engine, which was opened with it. Before, runs that were superseded stay held.
    pub fn connect(&self, engine: Arc<dyn Engine>) {
        let _connected_before = self.engine.set(engine);
    }

    /// Where to begin, or to go on.
    async fn saved_position(&self) -> Result<Position, ObserverError> {
        let found = self.documents.get(CURSOR_COLLECTION, CURSOR).await.map_err(|error| ObserverError(error.to_string()))?;
        Ok(Position(found.and_then(|document| document.body["position"].as_u64()).unwrap_or(0)))
    }

    async fn provisioning(&self, transition: &OwnedTransition, device: &DeviceKey) -> Result<(), ObserverError> {
        let run = &*transition.after;
        if let Some(standing) = Standing::of(&transition.as_transition()) {
            let root = root_of(run);
            self.book.follow(device, |entry| entry.stand(Standing { trace: Some(root.into()), ..standing }));
        } else if run.outcome().is_some() {
            // The device was forgotten: its next contact is its first. Where a newer run took over, that one stands.
            self.book.known(device, |entry| entry.standing.take_if(|standing| standing.run == *run.id()));
        }
        let superseded = failure(run).is_some_and(|(failure, _)| failure.error_type == SUPERSEDED);
        let held = matches!(transition.record.event, Event::FalloutOpened(_));
        if held && superseded {
            return self.end(run.id()).await;
        }
        // Of a run that was superseded the device hears nothing: it is the other's.
        let rests = held || matches!(transition.record.event, Event::RunEnded { .. });
        if rests
            && !superseded
            && let Some(session) = self.book.rest(device, None, run.id(), true)
        {
            self.sessions.expect(device, session, false);
        }
        Ok(())
    }

    /// A command that is over is nothing to wait for.
    fn command(&self, transition: &OwnedTransition, device: &DeviceKey) {
        let run = transition.after.id();
        if transition.after.outcome().is_some() {
            self.book.follow(device, |entry| entry.remove_command(run));
            if let Some(session) = self.book.rest(device, None, run, false) {
                self.sessions.expect(device, session, false);
            }
        } else if matches!(transition.record.event, Event::RunStarted(_)) {
            self.book.follow(device, |entry| entry.add_command(run.clone()));
        }
    }

    /// A run that another one took over from needs no person.
    async fn end(&self, run: &RunId) -> Result<(), ObserverError> {
        let engine = self.engine.get().ok_or_else(|| ObserverError("the engine is being opened".to_owned()))?;
        fail(&**engine, run, "another provisioning of the device took over").await.map_err(|error| ObserverError(error.to_string()))
    }

    async fn save(&self, position: Position) -> Result<(), ObserverError> {
        let now = self.clock.now();
        {
            let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
            if now.since(*saved) < SAVE_EVERY {
                return Ok(());
            }
            *saved = now;
        }
        let body = json!({ "position": position.0 });
        let document = Document { collection: CURSOR_COLLECTION, id: CURSOR.to_owned(), rank: 0, body, attributes: Vec::new() };
        if let Err(error) = self.documents.put(vec![document]).await {
            warn!("the place up to which runs of devices were followed is saved later: {error}");
        }
        Ok(())
    }
}

/// The root span of a run.
pub(crate) fn root_of(run: &Run) -> SpanContext {
    let TraceIdentity { trace_id, span_id, sampled, trace_state, parent_span_id: _ } = run.started().trace.clone();
    SpanContext { trace_id, span_id, sampled, trace_state }
}

/// Ends a held run as failed. One that is not held any more needs nothing.
pub(crate) async fn fail(engine: &dyn Engine, run: &RunId, note: &str) -> Result<(), ResolveError> {
    let decision = Decision { run: run.clone(), fallout: None, resolution: Resolution::Fail, by: BY.to_owned(), note: note.to_owned() };
    match engine.resolve(decision).await {
        Ok(()) | Err(ResolveError::Ambiguous { open: 0, .. } | ResolveError::Refused(_) | ResolveError::UnknownRun(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

#[async_trait]
impl Observer for Watcher {
    fn name(&self) -> &'static str {
        "cpe-devices"
    }

    async fn cursor(&self) -> Result<Position, ObserverError> {
        self.saved_position().await
    }

    async fn observe(&self, batch: &[OwnedTransition]) -> Result<(), ObserverError> {
        for transition in batch {
            let pipeline = transition.definition.name.as_str();
            if (pipeline != PIPELINE && pipeline != COMMAND_PIPELINE) || !may_show(&transition.record.event) {
                continue;
            }
            let Some(device) = transition.after.input()["id"].as_str().and_then(key) else { continue };
            match pipeline {
                PIPELINE => self.provisioning(transition, &device).await?,
                _ => self.command(transition, &device),
            }
        }
        match batch.last() {
            Some(last) => self.save(last.position).await,
            None => Ok(()),
        }
    }
}
