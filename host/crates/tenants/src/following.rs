//! Follows the runs of tenants: keeps the book of slugs up to date, tells listeners that something has changed, and passes on what has to be done next.

mod listeners;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use engine::port::{Clock, Document, Documents, Observer, ObserverError, OwnedTransition, Position};
use pipeline::{Event, RunId, Timestamp};
use serde_json::json;
use tokio::sync::mpsc;
use tracing::warn;

pub use self::listeners::{Listener, Listeners};
use crate::{
    certificate_pipeline::CERTIFICATE_PIPELINE, projection::document, repair_pipeline::REPAIR_PIPELINE, sign_up::Book, tenant_pipeline::PIPELINE,
};

/// Where the cursor is kept.
const CURSOR_COLLECTION: &str = "tenant-cursor";
const CURSOR: &str = "tenants";

/// The cursor is saved so often. What was seen after it is seen again after a restart, which changes nothing.
const SAVE_EVERY: Duration = Duration::from_secs(5);

/// How many runs that came to rest wait for whoever looks after them. What finds no place is found by the next look at all tenants.
const MAX_RESTED: usize = 4096;

/// A run of a tenant that came to rest: it is over, or waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rested {
    /// The tenant.
    pub(crate) id: String,
    /// The run that made it.
    pub(crate) run: RunId,
}

/// Follows the runs of the pipelines.
#[derive(Debug)]
pub struct Follower {
    book: Arc<Book>,
    listeners: Arc<Listeners>,
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
    rested: mpsc::Sender<Rested>,
    saved: Mutex<Timestamp>,
}

/// Where runs that came to rest are heard of.
#[derive(Debug)]
pub struct RestedRuns(pub(crate) mpsc::Receiver<Rested>);

impl Follower {
    /// A follower, and where runs that came to rest are heard of.
    pub fn new(book: Arc<Book>, listeners: Arc<Listeners>, documents: Arc<dyn Documents>, clock: Arc<dyn Clock>) -> (Self, RestedRuns) {
        let (rested, receiver) = mpsc::channel(MAX_RESTED);
        let saved = Mutex::new(Timestamp(0));
        (Self { book, listeners, documents, clock, rested, saved }, RestedRuns(receiver))
    }

    fn follow(&self, transition: &OwnedTransition) {
        let run = &*transition.after;
        let Some(id) = run.input()["id"].as_str() else { return };
        if transition.definition.name.as_str() == PIPELINE {
            if matches!(transition.record.event, Event::RunStarted(_) | Event::RunReopened { .. }) {
                let text = |field: &str| run.input()[field].as_str().unwrap_or_default();
                self.book.hold(text("slug"), id, text("plan"));
            }
            // A person's decision may end a run as well as its last step.
            let over = run.outcome().is_some() && transition.before.as_ref().is_none_or(|before| before.outcome().is_none());
            if over && let Some(shown) = document(&transition.as_transition()) {
                self.book.follow(&shown);
            }
            if over || matches!(transition.record.event, Event::FalloutOpened(_)) {
                // Where there is no place, the next look at all tenants finds it.
                let _found_later = self.rested.try_send(Rested { id: id.to_owned(), run: run.id().clone() });
            }
        }
        self.listeners.tell(id);
    }

    async fn save(&self, position: Position) {
        let now = self.clock.now();
        {
            let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
            if now.since(*saved) < SAVE_EVERY {
                return;
            }
            *saved = now;
        }
        let body = json!({ "position": position.0 });
        let cursor = Document { collection: CURSOR_COLLECTION, id: CURSOR.to_owned(), rank: 0, body, attributes: Vec::new() };
        if let Err(error) = self.documents.put(vec![cursor]).await {
            warn!("the place up to which runs of tenants were followed is saved later: {error}");
        }
    }
}

#[async_trait]
impl Observer for Follower {
    fn name(&self) -> &'static str {
        "tenants"
    }

    async fn cursor(&self) -> Result<Position, ObserverError> {
        let found = self.documents.get(CURSOR_COLLECTION, CURSOR).await.map_err(|error| ObserverError(error.to_string()))?;
        Ok(Position(found.and_then(|document| document.body["position"].as_u64()).unwrap_or(0)))
    }

    async fn observe(&self, batch: &[OwnedTransition]) -> Result<(), ObserverError> {
        let of_tenants = |name: &str| [PIPELINE, CERTIFICATE_PIPELINE, REPAIR_PIPELINE].contains(&name);
        batch.iter().filter(|transition| of_tenants(transition.definition.name.as_str())).for_each(|transition| self.follow(transition));
        if let Some(last) = batch.last() {
            self.save(last.position).await;
        }
        Ok(())
    }
}
