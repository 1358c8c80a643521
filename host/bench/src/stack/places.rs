//! Telemetry's places in the store, as the host provides them.

use std::sync::Arc;

use async_trait::async_trait;
use engine::port::{Position, RunState, Timers as _};
use pipeline::PipelineName;
use store_sqlite::{Store, TallyChange};
use telemetry::{Census, CursorError, CursorStore, Tally};

/// Telemetry's places in the store.
#[derive(Debug)]
pub(crate) struct Places {
    store: Arc<Store>,
    runtime: tokio::runtime::Handle,
}

impl Places {
    /// Must be made inside a runtime, on which the census is read.
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self { store, runtime: tokio::runtime::Handle::current() }
    }
}

fn refused(error: impl std::fmt::Display) -> CursorError {
    CursorError(error.to_string())
}

#[async_trait]
impl CursorStore for Places {
    async fn load(&self, name: &str) -> Result<Position, CursorError> {
        self.store.cursor(name).await.map_err(refused)
    }

    async fn save(&self, name: &str, position: Position) -> Result<(), CursorError> {
        self.store.save_cursor(name, position).await.map_err(refused)
    }

    async fn tallies(&self) -> Result<Vec<Tally>, CursorError> {
        let tallies = self.store.tallies().await.map_err(refused)?;
        Ok(tallies.into_iter().map(|tally| Tally { name: tally.name, labels: tally.labels, value: tally.value }).collect())
    }

    async fn commit_tallies(&self, name: &str, position: Position, changes: &[Tally]) -> Result<(), CursorError> {
        let change = |tally: &Tally| TallyChange { name: tally.name.clone(), labels: tally.labels.clone(), add: tally.value };
        self.store.commit_tallies(name, position, changes.iter().map(change).collect()).await.map_err(refused)
    }
}

impl Census for Places {
    /// Reads the store on a thread of its own, because the caller's may belong to a runtime.
    fn runs(&self) -> Option<Vec<(PipelineName, RunState, u64)>> {
        std::thread::scope(|scope| scope.spawn(|| self.runtime.block_on(self.store.census())).join()).ok()?.ok()
    }
}
