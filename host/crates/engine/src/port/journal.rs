//! The journal: the only place where the state of a run is kept.

use std::fmt;

use async_trait::async_trait;
use pipeline::{Epoch, PipelineName, Record, RunId, Seq, TenantName, Timestamp};

use super::{call::KeyValueWrite, documents::Document, holds::HoldChange};

/// Appends and reads records. One implementation serves many runs and groups their appends into common commits.
#[async_trait]
pub trait Journal: fmt::Debug + Send + Sync {
    /// Writes records, documents and key-value changes of one run in one transaction. When it returns `Ok` they are durable. Once the
    /// write is queued, dropping the future does not stop it.
    async fn append(&self, append: &Append) -> Result<Appended, AppendError>;

    /// All records of a run in order; empty when the run is unknown.
    async fn load(&self, run: &RunId) -> Result<Vec<Record>, ReadError>;

    /// The row of a run, from which lists are made without folding journals.
    async fn row(&self, run: &RunId) -> Result<Option<RunRow>, ReadError>;

    /// Records of all runs in the order of their commits, after a position; at most `limit`.
    async fn committed(&self, after: Position, limit: usize) -> Result<Vec<Committed>, ReadError>;
}

/// What opening the store established.
#[derive(Clone)]
pub struct Opening {
    /// The epoch of this process: every append carries it and is refused once another process has opened the store.
    pub epoch: Epoch,
    /// The last time the previous epoch was seen alive: the end of the attempts it lost.
    pub last_sign_of_life: Timestamp,
    /// The store's own secret, from which callback tokens are derived.
    pub secret: [u8; 32],
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").field("epoch", &self.epoch).field("last_sign_of_life", &self.last_sign_of_life).finish_non_exhaustive()
    }
}

/// A place in the common order of all commits; 0 is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Position(pub u64);

/// A record with its run and its place in the common order.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The place in the common order.
    pub position: Position,
    /// The run.
    pub run: RunId,
    /// The record.
    pub record: Record,
}

/// One append: everything that one cause changes, atomically.
#[derive(Debug, Clone)]
pub struct Append {
    /// The run's row after the append. `row.head` is the number of the last record.
    pub row: RunRow,
    /// The head that the records build on; 0 creates the run.
    pub expected_head: Seq,
    /// The records, consecutive from `expected_head + 1`, all of this process's epoch.
    pub records: Vec<Record>,
    /// Documents to write.
    pub documents: Vec<Document>,
    /// Key-value changes of the call whose outcome this append records.
    pub writes: Vec<KeyValueWrite>,
    /// What the run needs more or less than before.
    pub holds: Vec<HoldChange>,
}

/// A run as lists show it; a projection of its journal, kept in the same transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// The run.
    pub run: RunId,
    /// Whose it is.
    pub tenant: TenantName,
    /// The pipeline.
    pub pipeline: PipelineName,
    /// The key under which a repeated start finds the run; unique within tenant and pipeline.
    pub idempotency_key: Option<String>,
    /// The number of the last record.
    pub head: Seq,
    /// What the run is doing.
    pub state: RunState,
    /// The earliest timer, if the run has one.
    pub wake_at: Option<Timestamp>,
    /// What the run waits for or why it ended, in a few words for a person.
    pub detail: String,
    /// When it started.
    pub created_at: Timestamp,
    /// When its last record was written.
    pub updated_at: Timestamp,
}

/// What a run is doing, as the store indexes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Something can be done at once.
    Active,
    /// It waits for a timer, a callback or a child.
    Waiting,
    /// It waits for a person.
    Held,
    /// It is over and its parent, if any, knows.
    Ended,
}

impl RunState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Active, Self::Waiting, Self::Held, Self::Ended];

    /// The text form, which is also the persisted one.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Ended => "ended",
        }
    }

    /// The state of that text form.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// What an append achieved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The place of the last record in the common order; the others are directly before it.
    pub position: Position,
    /// How many bytes the append has, about.
    pub bytes: usize,
}

/// Why an append was not made. Nothing of it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// A run with this idempotency key exists already.
    #[error("run {0} was started with the same idempotency key")]
    Exists(RunId),
    /// Somebody else appended to the run.
    #[error("run {run} is at record {actual:?}, not {expected:?}")]
    Stale {
        /// The run.
        run: RunId,
        /// The head that the append was built on.
        expected: Seq,
        /// The head that the store has.
        actual: Seq,
    },
    /// A key changed since the call read it: the call must be made again.
    #[error("key `{key}` of `{namespace}` was changed by another call")]
    Conflict {
        /// The plugin whose keys they are.
        namespace: String,
        /// The key.
        key: String,
    },
    /// The store did not take it, whatever it says.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Why the store took no write, whatever was to be written. Nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// Another process has opened the store: this one must stop.
    #[error("the store was opened by another process (its epoch is {0:?})")]
    Fenced(Epoch),
    /// There is no room or the device refused; the write can be repeated later.
    #[error("the store cannot be written to: {0}")]
    Unavailable(String),
    /// The store cannot be trusted any more: the process must end.
    #[error("the store failed: {0}")]
    Fatal(String),
}

/// Why something could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The store did not answer.
    #[error("the store cannot be read: {0}")]
    Unavailable(String),
    /// A record's checksum or form is wrong.
    #[error("record {seq:?} of run {run} is damaged: {detail}")]
    Damaged {
        /// The run.
        run: String,
        /// The record.
        seq: Seq,
        /// What is wrong.
        detail: String,
    },
}
