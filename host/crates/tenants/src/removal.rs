//! Takes tenants away: what their runs did is taken back by its receipts, in reverse, with the providers that did it. Whoever deletes a tenant that is still being
//! made has said so for good: the wish is kept, and carried out as soon as the run has come to rest.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use engine::{
    Driver, UndoError,
    api::{Decision, Engine, EngineError, ResolveError},
    port::{Document, DocumentError, DocumentQuery, Documents, ReadError},
};
use pipeline::{FalloutSubject, Resolution, ResolutionRefused, Run, RunId};
use serde_json::json;
use tracing::warn;

/// The collection of wishes; their ids are those of the tenants.
const COLLECTION: &str = "tenant-removal";

/// How many wishes are read at a time.
const PAGE: u64 = 1_000;

/// Takes tenants away.
#[derive(Debug)]
pub struct Remover {
    driver: Arc<Driver>,
    documents: Arc<dyn Documents>,
    wishes: Mutex<HashMap<String, Wish>>,
}

/// Who wants a tenant to be taken away.
#[derive(Debug, Clone)]
struct Wish {
    run: RunId,
    by: String,
    note: String,
}

/// What became of a wish so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Everything is being taken back.
    Begun,
    /// The tenant is still being made; it is taken away as soon as that is over.
    Later,
    /// There is nothing to take back.
    Nothing,
}

/// Why a tenant is not taken away.
#[derive(Debug, thiserror::Error)]
pub enum RemovalError {
    /// The engine could not do it.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The wish could not be kept.
    #[error(transparent)]
    Documents(#[from] DocumentError),
    /// The engine refused.
    #[error("{0}")]
    Refused(String),
}

impl Remover {
    /// A remover that knows no wishes yet.
    pub fn new(driver: Arc<Driver>, documents: Arc<dyn Documents>) -> Self {
        Self { driver, documents, wishes: Mutex::default() }
    }

    /// Takes in the wishes that were kept.
    ///
    /// # Errors
    ///
    /// The store could not be read.
    pub async fn load(&self) -> Result<(), ReadError> {
        let mut offset = 0;
        loop {
            let page = self.documents.find(DocumentQuery { collection: COLLECTION, equal: Vec::new(), offset, limit: PAGE }).await?;
            let mut wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
            for Document { id, body, .. } in page.documents {
                let text = |field: &str| body[field].as_str().unwrap_or_default().to_owned();
                let Ok(run) = RunId::new(text("run")) else { continue };
                wishes.insert(id, Wish { run, by: text("by"), note: text("note") });
            }
            offset += PAGE;
            if offset >= page.total {
                return Ok(());
            }
        }
    }

    /// The tenants that somebody wants to be taken away and that are still there.
    pub(crate) fn wanted(&self) -> Vec<String> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// Takes a tenant away, now or when its run has come to rest. When it returns, the wish is durable.
    ///
    /// # Errors
    ///
    /// [`RemovalError`].
    pub async fn remove(&self, id: &str, run: &RunId, by: &str, note: &str) -> Result<Removal, RemovalError> {
        let body = json!({ "run": run, "by": by, "note": note });
        self.documents.put(vec![Document { collection: COLLECTION, id: id.to_owned(), rank: 0, body, attributes: Vec::new() }]).await?;
        let wish = Wish { run: run.clone(), by: by.to_owned(), note: note.to_owned() };
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), wish);
        self.pursue(id).await
    }

    /// Goes on with a wish, if there is one: its run may have come to rest.
    ///
    /// # Errors
    ///
    /// [`RemovalError`]; the wish is still there.
    pub async fn pursue(&self, id: &str) -> Result<Removal, RemovalError> {
        let wish = self.wishes.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        let Some(Wish { run, by, note }) = wish else { return Ok(Removal::Nothing) };
        let Some(view) = self.driver.query(&run).await? else { return self.fulfilled(id, Removal::Nothing).await };
        if view.run.outcome().is_none() {
            return self.end(id, &view.run, &by, &note).await;
        }
        match self.driver.undo_ended(&run, &by, &note).await {
            Ok(()) => self.fulfilled(id, Removal::Begun).await,
            Err(UndoError::Refused(pipeline::ReopenRefused::NotOver | pipeline::ReopenRefused::OwesParent)) => Ok(Removal::Later),
            Err(UndoError::UnknownRun(_) | UndoError::Refused(pipeline::ReopenRefused::Nothing)) => self.fulfilled(id, Removal::Nothing).await,
            Err(UndoError::Invalid(message)) => Err(RemovalError::Refused(message)),
            Err(UndoError::Engine(error)) => Err(error.into()),
        }
    }

    /// Sends a run that is held back to its beginning, or to its end where there is no way back: then it is taken back from there.
    async fn end(&self, id: &str, run: &Run, by: &str, note: &str) -> Result<Removal, RemovalError> {
        let open: Vec<_> = run.open_fallouts().map(|fallout| (fallout.opened.id, fallout.opened.subject)).collect();
        // A person has to clean up first.
        if open.iter().any(|(_, subject)| *subject == FalloutSubject::UndoFailed) {
            return self.fulfilled(id, Removal::Begun).await;
        }
        let Some((fallout, _)) = open.first().copied() else { return Ok(Removal::Later) };
        let decide = |resolution| Decision { run: run.id().clone(), fallout: Some(fallout), resolution, by: by.to_owned(), note: note.to_owned() };
        let mut answer = self.driver.resolve(decide(Resolution::Cancel)).await;
        let past = matches!(answer, Err(ResolveError::Refused(ResolutionRefused::PastNoReturn)));
        if past {
            answer = self.driver.resolve(decide(Resolution::Fail)).await;
        }
        match answer {
            Ok(()) if past => Ok(Removal::Later),
            Ok(()) => self.fulfilled(id, Removal::Begun).await,
            // Somebody else decided at the same time.
            Err(ResolveError::Refused(_) | ResolveError::Ambiguous { .. } | ResolveError::UnknownRun(_)) => Ok(Removal::Later),
            Err(ResolveError::Invalid(message)) => Err(RemovalError::Refused(message)),
            Err(ResolveError::Engine(error)) => Err(error.into()),
        }
    }

    async fn fulfilled(&self, id: &str, removal: Removal) -> Result<Removal, RemovalError> {
        if let Err(error) = self.documents.remove(COLLECTION, id).await {
            warn!(tenant = id, "the tenant is taken away, and the wish for it is forgotten later: {error}");
        }
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        Ok(removal)
    }
}
