//! The mutant: a journal that acknowledges appends before they are committed. Without a crash it is indistinguishable from an honest one.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use engine::port::{Append, AppendError, Appended, Committed, Journal, Position, ReadError, RunRow, RunState, Timers};
use pipeline::{PipelineName, Record, RunId, Timestamp};
use store_sqlite::Store;
use tokio::{sync::Mutex, task::JoinSet};

/// How long an acknowledged append waits for its commit.
const HELD_BACK: Duration = Duration::from_millis(20);

/// Acknowledges at once and writes later, in order; whoever reads sees everything.
#[derive(Debug)]
pub(super) struct Early {
    held: Arc<Held>,
    _writer: JoinSet<()>,
}

#[derive(Debug)]
struct Held {
    inner: Arc<Store>,
    appends: Mutex<Vec<Append>>,
}

impl Early {
    pub(super) fn new(inner: Arc<Store>) -> Self {
        let held = Arc::new(Held { inner, appends: Mutex::default() });
        let mut writer = JoinSet::new();
        let writes = held.clone();
        writer.spawn(async move {
            loop {
                tokio::time::sleep(HELD_BACK).await;
                writes.write().await;
            }
        });
        Self { held, _writer: writer }
    }
}

impl Early {
    /// The store with everything in it that was acknowledged.
    async fn written(&self) -> &Store {
        self.held.write().await;
        &self.held.inner
    }
}

impl Held {
    async fn write(&self) {
        let mut appends = self.appends.lock().await;
        for append in appends.drain(..) {
            self.inner.append(&append).await.expect("nobody else writes to the store of the mutant");
        }
    }
}

#[async_trait]
impl Journal for Early {
    async fn append(&self, append: &Append) -> Result<Appended, AppendError> {
        self.held.appends.lock().await.push(append.clone());
        Ok(Appended { position: Position(0), bytes: 0 })
    }

    async fn load(&self, run: &RunId) -> Result<Vec<Record>, ReadError> {
        self.written().await.load(run).await
    }

    async fn row(&self, run: &RunId) -> Result<Option<RunRow>, ReadError> {
        self.written().await.row(run).await
    }

    async fn committed(&self, after: Position, limit: usize) -> Result<Vec<Committed>, ReadError> {
        self.written().await.committed(after, limit).await
    }
}

#[async_trait]
impl Timers for Early {
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<RunId>, ReadError> {
        self.written().await.due(now, limit).await
    }

    async fn next(&self) -> Result<Option<Timestamp>, ReadError> {
        self.written().await.next().await
    }

    async fn in_state(&self, state: RunState, after: Option<&RunId>, limit: usize) -> Result<Vec<RunRow>, ReadError> {
        self.written().await.in_state(state, after, limit).await
    }

    async fn census(&self) -> Result<Vec<(PipelineName, RunState, u64)>, ReadError> {
        self.written().await.census().await
    }
}
