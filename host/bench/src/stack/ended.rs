//! A journal that tells when a run has ended durably, without reading anything back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use engine::port::{Append, AppendError, Appended, Committed, Journal, Position, ReadError, RunRow, RunState};
use pipeline::{Record, RunId};
use store_sqlite::Store;
use tokio::sync::oneshot;

/// Passes everything on to the store.
#[derive(Debug)]
pub(crate) struct WatchedJournal {
    store: Arc<Store>,
    runs: Mutex<HashMap<RunId, Watch>>,
}

/// What is known of a run: whichever comes first, its end or somebody who waits for it.
#[derive(Debug)]
enum Watch {
    Waits(oneshot::Sender<String>),
    Ended(String),
}

impl WatchedJournal {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store, runs: Mutex::default() }
    }

    /// Returns when the end of the run is durable; fails unless it completed.
    pub(crate) async fn completed(&self, run: &RunId) -> Result<()> {
        let ended = {
            let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
            match runs.remove(run) {
                Some(Watch::Ended(detail)) => Err(detail),
                Some(Watch::Waits(_)) | None => {
                    let (sender, receiver) = oneshot::channel();
                    runs.insert(run.clone(), Watch::Waits(sender));
                    Ok(receiver)
                }
            }
        };
        let detail = match ended {
            Ok(receiver) => receiver.await.context("the journal was dropped")?,
            Err(detail) => detail,
        };
        ensure!(detail == "completed", "run {run} ended as `{detail}`");
        Ok(())
    }

    fn ended(&self, run: &RunId, detail: String) {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        match runs.remove(run) {
            // Whoever waited may have given up.
            Some(Watch::Waits(sender)) => drop(sender.send(detail)),
            Some(Watch::Ended(_)) | None => drop(runs.insert(run.clone(), Watch::Ended(detail))),
        }
    }
}

#[async_trait]
impl Journal for WatchedJournal {
    async fn append(&self, append: &Append) -> Result<Appended, AppendError> {
        // A run that is held will not end by itself: whoever waits must hear of it.
        let over = matches!(append.row.state, RunState::Ended | RunState::Held).then(|| (append.row.run.clone(), append.row.detail.clone()));
        let appended = self.store.append(append).await?;
        if let Some((run, detail)) = over {
            self.ended(&run, detail);
        }
        Ok(appended)
    }

    async fn load(&self, run: &RunId) -> Result<Vec<Record>, ReadError> {
        self.store.load(run).await
    }

    async fn row(&self, run: &RunId) -> Result<Option<RunRow>, ReadError> {
        self.store.row(run).await
    }

    async fn committed(&self, after: Position, limit: usize) -> Result<Vec<Committed>, ReadError> {
        self.store.committed(after, limit).await
    }
}
