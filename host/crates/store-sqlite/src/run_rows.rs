//! Rows of runs as they are read.

use engine::port::{ReadError, RunRow, RunState};
use pipeline::{InvalidId, PipelineName, RunId, Seq, TenantName, Timestamp};
use rusqlite::Row;

use crate::number::from_sql;

/// The columns that [`RawRow::read`] expects, in its order.
macro_rules! run_columns {
    () => {
        "run_id, tenant, pipeline, idem_key, head, state, wake_at, detail, created_at, updated_at"
    };
}
pub(crate) use run_columns;

/// A row before its texts are checked.
#[derive(Debug)]
pub(crate) struct RawRow {
    run: String,
    tenant: String,
    pipeline: String,
    idempotency_key: Option<String>,
    head: i64,
    state: String,
    wake_at: Option<i64>,
    detail: String,
    created_at: i64,
    updated_at: i64,
}

impl RawRow {
    /// Reads the columns of `run_columns!`.
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            run: row.get(0)?,
            tenant: row.get(1)?,
            pipeline: row.get(2)?,
            idempotency_key: row.get(3)?,
            head: row.get(4)?,
            state: row.get(5)?,
            wake_at: row.get(6)?,
            detail: row.get(7)?,
            created_at: row.get(8)?,
            updated_at: row.get(9)?,
        })
    }

    /// Checks the texts.
    pub(crate) fn parse(self) -> Result<RunRow, ReadError> {
        let Self { run, tenant, pipeline, idempotency_key, head, state, wake_at, detail, created_at, updated_at } = self;
        let head = Seq(from_sql(head));
        let damaged = |detail: String| ReadError::Damaged { run: run.clone(), seq: head, detail: format!("the row of its run: {detail}") };
        let invalid = |error: InvalidId| damaged(error.to_string());
        Ok(RunRow {
            run: RunId::new(&run).map_err(invalid)?,
            tenant: TenantName::new(tenant).map_err(invalid)?,
            pipeline: PipelineName::new(pipeline).map_err(invalid)?,
            idempotency_key,
            head,
            state: parse_state(&state).map_err(damaged)?,
            wake_at: wake_at.map(|at| Timestamp(from_sql(at))),
            detail,
            created_at: Timestamp(from_sql(created_at)),
            updated_at: Timestamp(from_sql(updated_at)),
        })
    }
}

/// A state in its persisted form.
pub(crate) fn parse_state(text: &str) -> Result<RunState, String> {
    RunState::parse(text).ok_or_else(|| format!("state `{text}` is unknown"))
}

/// A run's id in its persisted form.
pub(crate) fn parse_run(text: String) -> Result<RunId, ReadError> {
    RunId::new(&text).map_err(|error| ReadError::Damaged { detail: error.to_string(), run: text, seq: Seq(0) })
}
