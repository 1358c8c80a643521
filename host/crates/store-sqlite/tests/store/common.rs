//! What the tests share: a store in a temporary directory, and appends with as few words as possible.

use std::{path::PathBuf, sync::Arc};

use engine::port::{Append, AppendError, Appended, Journal, KeyValueWrite, Opening, RunRow, RunState};
use pipeline::{Epoch, Event, PipelineName, Record, RunId, Seq, TenantName, Timestamp, testing};
use store_sqlite::{Options, Store};
use tempfile::TempDir;

/// A directory with a store in it that can be closed and opened again.
pub(crate) struct Fixture {
    pub(crate) directory: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) store: Arc<Store>,
    pub(crate) opening: Opening,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(Options::default())
    }

    pub(crate) fn with(options: Options) -> Self {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("state").join("store.db");
        let (store, opening) = Store::open(&path, options).unwrap();
        Self { directory, path, store, opening }
    }

    /// Closes the store and opens it again.
    pub(crate) async fn reopen(&mut self, options: Options) {
        self.store.close().await;
        (self.store, self.opening) = Store::open(&self.path, options).unwrap();
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.opening.epoch
    }

    /// The first append of a run: one record.
    pub(crate) fn start(&self, run: u64) -> Append {
        let record = Record { epoch: self.epoch(), ..testing::started(&testing::linear(&["a"])) };
        Append { row: row(run, 1), expected_head: Seq(0), records: vec![record], documents: Vec::new(), writes: Vec::new(), holds: Vec::new() }
    }

    /// A further append of a run: `count` records after `head`.
    pub(crate) fn more(&self, run: u64, head: u64, count: u64) -> Append {
        let records = (1..=count).map(|n| self.record(head + n)).collect();
        Append { row: row(run, head + count), expected_head: Seq(head), records, documents: Vec::new(), writes: Vec::new(), holds: Vec::new() }
    }

    /// A further append of a run with key-value changes.
    pub(crate) fn with_writes(&self, run: u64, head: u64, writes: Vec<KeyValueWrite>) -> Append {
        Append { writes, ..self.more(run, head, 1) }
    }

    fn record(&self, seq: u64) -> Record {
        Record { seq: Seq(seq), epoch: self.epoch(), at: Timestamp(1_000 + seq), event: Event::ParentNotified }
    }

    pub(crate) async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        self.store.append(&append).await
    }

    /// A connection that knows nothing of the store, as an operator's shell would be.
    pub(crate) fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(&self.path).unwrap()
    }
}

pub(crate) fn run(n: u64) -> RunId {
    testing::run_id(n)
}

/// An active run of the default tenant.
pub(crate) fn row(n: u64, head: u64) -> RunRow {
    RunRow {
        run: run(n),
        tenant: TenantName::new("default").unwrap(),
        pipeline: PipelineName::new("test").unwrap(),
        idempotency_key: None,
        head: Seq(head),
        state: RunState::Active,
        wake_at: None,
        detail: format!("at {head}"),
        created_at: Timestamp(1_000),
        updated_at: Timestamp(1_000 + head),
    }
}

/// A change of a key in the namespace `n`.
pub(crate) fn set(key: &str, expected_version: u64, value: Option<&str>) -> KeyValueWrite {
    KeyValueWrite { namespace: "n".to_owned(), key: key.to_owned(), expected_version, value: value.map(str::to_owned) }
}

/// The numbers of a run's records.
pub(crate) async fn seqs(store: &Store, n: u64) -> Vec<u64> {
    store.load(&run(n)).await.unwrap().iter().map(|record| record.seq.0).collect()
}
