//! Which runs have something to do: the indexes that recovery and the timer loop read.

use std::fmt;

use async_trait::async_trait;
use pipeline::{RunId, Timestamp};

use super::journal::{ReadError, RunRow, RunState};

/// Reads the rows of runs by what they wait for. The rows are written with the journal, in the same transaction.
#[async_trait]
pub trait Timers: fmt::Debug + Send + Sync {
    /// Waiting or held runs whose earliest timer is not later than `now`, earliest first; at most `limit`.
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<RunId>, ReadError>;

    /// The earliest timer of waiting and held runs; active ones look after their own.
    async fn next(&self) -> Result<Option<Timestamp>, ReadError>;

    /// Rows in a state, ordered by run id, after a run; at most `limit`.
    async fn in_state(&self, state: RunState, after: Option<&RunId>, limit: usize) -> Result<Vec<RunRow>, ReadError>;

    /// How many runs of each pipeline are in each state other than ended.
    async fn census(&self) -> Result<Vec<(pipeline::PipelineName, RunState, u64)>, ReadError>;
}
