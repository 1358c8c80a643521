//! The timers port: queries that touch live runs only, each on an index of its own.

use async_trait::async_trait;
use engine::port::{ReadError, RunRow, RunState, Timers};
use pipeline::{PipelineName, RunId, Seq, Timestamp};
use rusqlite::params;

use crate::{
    Store,
    number::{count_to_sql, from_sql, to_sql},
    run_rows::{RawRow, parse_run, parse_state, run_columns},
};

// SQLite uses a partial index when the query repeats the index's own conditions, term by term.
const DUE: &str = "SELECT run_id FROM runs WHERE wake_at IS NOT NULL AND state <> 'active' AND state <> 'ended' AND wake_at <= ?1 ORDER BY wake_at, run_id LIMIT ?2";
const NEXT: &str = "SELECT wake_at FROM runs WHERE wake_at IS NOT NULL AND state <> 'active' AND state <> 'ended' ORDER BY wake_at LIMIT 1";
const IN_LIVE_STATE: &str =
    concat!("SELECT ", run_columns!(), " FROM runs WHERE state <> 'ended' AND state = ?1 AND run_id > ?2 ORDER BY run_id LIMIT ?3");
// Nearly all runs have ended, so that the table in its own order is the best index for these.
const IN_ENDED_STATE: &str = concat!("SELECT ", run_columns!(), " FROM runs WHERE state = ?1 AND run_id > ?2 ORDER BY run_id LIMIT ?3");
const CENSUS: &str = "SELECT pipeline, state, count(*) FROM runs WHERE state <> 'ended' GROUP BY state, pipeline";

#[async_trait]
impl Timers for Store {
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<RunId>, ReadError> {
        let runs: Vec<String> = self
            .read(move |connection| {
                connection.prepare_cached(DUE)?.query_map(params![to_sql(now.0), count_to_sql(limit)], |row| row.get(0))?.collect()
            })
            .await?;
        runs.into_iter().map(parse_run).collect()
    }

    /// Of the runs that `due` would return in time: an active run looks after its timers itself.
    async fn next(&self) -> Result<Option<Timestamp>, ReadError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(NEXT)?;
            let mut rows = statement.query([])?;
            rows.next()?.map(|row| row.get(0).map(|at| Timestamp(from_sql(at)))).transpose()
        })
        .await
    }

    async fn in_state(&self, state: RunState, after: Option<&RunId>, limit: usize) -> Result<Vec<RunRow>, ReadError> {
        let after = after.map_or_else(String::new, RunId::to_string);
        let sql = match state {
            RunState::Active | RunState::Waiting | RunState::Held => IN_LIVE_STATE,
            RunState::Ended => IN_ENDED_STATE,
        };
        let rows: Vec<RawRow> = self
            .read(move |connection| {
                connection.prepare_cached(sql)?.query_map(params![state.as_str(), after, count_to_sql(limit)], RawRow::read)?.collect()
            })
            .await?;
        rows.into_iter().map(RawRow::parse).collect()
    }

    async fn census(&self) -> Result<Vec<(PipelineName, RunState, u64)>, ReadError> {
        let rows: Vec<(String, String, i64)> = self
            .read(|connection| connection.prepare_cached(CENSUS)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect())
            .await?;
        let damaged = |detail: String| ReadError::Damaged { run: "(census)".to_owned(), seq: Seq(0), detail };
        rows.into_iter()
            .map(|(pipeline, state, count)| {
                let pipeline = PipelineName::new(pipeline).map_err(|error| damaged(error.to_string()))?;
                Ok((pipeline, parse_state(&state).map_err(damaged)?, from_sql(count)))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// Time is not asserted in tests; the plan is what decides it.
    #[test]
    fn no_question_about_live_runs_reads_ended_ones() {
        let connection = Connection::open_in_memory().unwrap();
        crate::migrate::migrate(&connection).unwrap();
        for (sql, index) in [
            (DUE, "runs USING INDEX runs_by_wake_at (wake_at>? AND wake_at<?)"),
            (NEXT, "runs USING INDEX runs_by_wake_at (wake_at>?)"),
            (IN_LIVE_STATE, "runs USING INDEX runs_by_state (state=? AND run_id>?)"),
            (IN_ENDED_STATE, "runs USING PRIMARY KEY (run_id>?)"),
            (CENSUS, "runs USING COVERING INDEX runs_by_pipeline"),
        ] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let parameters = vec![rusqlite::types::Null; statement.parameter_count()];
            let plan: Vec<String> =
                statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get(3)).unwrap().map(Result::unwrap).collect();
            assert!(plan.len() == 1 && plan[0].ends_with(index), "{sql}\nhas the plan {plan:?}");
        }
    }
}
