//! One append inside the batch's transaction: all preconditions are looked at before anything is written, so that a refused append
//! contributes nothing and needs no savepoint.

use engine::port::{AppendError, KeyValueWrite, Position, RunRow};
use pipeline::{RunId, Seq};
use rusqlite::{Connection, OptionalExtension, params, types::Type};

use crate::{
    document_rows,
    number::{from_sql, to_sql},
    prepare::{Line, PreparedAppend},
};

/// Writes an append or refuses it. `position` is the last one given out and moves on with each record.
pub(crate) fn append(connection: &Connection, append: &PreparedAppend, position: &mut Position) -> rusqlite::Result<Result<Position, AppendError>> {
    if let Err(refusal) = check(connection, append)? {
        return Ok(Err(refusal));
    }
    if append.expected_head == Seq(0) {
        insert_run(connection, &append.row)?;
    } else if !update_run(connection, &append.row, append.expected_head)? {
        return Ok(Err(stale(connection, append)?));
    }
    for line in &append.lines {
        position.0 += 1;
        insert_line(connection, &append.row.run, line, *position)?;
    }
    for document in &append.documents {
        document_rows::project(connection, document)?;
    }
    for write in &append.writes {
        write_key(connection, write)?;
    }
    Ok(Ok(*position))
}

/// The preconditions, except the head of a run that only gets records: that one is part of the update itself.
fn check(connection: &Connection, append: &PreparedAppend) -> rusqlite::Result<Result<(), AppendError>> {
    let creates = append.expected_head == Seq(0);
    if creates && let Some(run) = run_of_key(connection, &append.row)? {
        return Ok(Err(AppendError::Exists(run)));
    }
    if (creates || !append.writes.is_empty()) && head(connection, &append.row.run)? != append.expected_head {
        return Ok(Err(stale(connection, append)?));
    }
    for write in &append.writes {
        let KeyValueWrite { namespace, key, expected_version, value: _ } = write;
        if stored(connection, write)?.visible_version() != *expected_version {
            return Ok(Err(AppendError::Conflict { namespace: namespace.clone(), key: key.clone() }));
        }
    }
    Ok(Ok(()))
}

/// The run that was started with the same key in the same pipeline of the same tenant.
fn run_of_key(connection: &Connection, row: &RunRow) -> rusqlite::Result<Option<RunId>> {
    let Some(key) = &row.idempotency_key else { return Ok(None) };
    let text: Option<String> = connection
        .prepare_cached("SELECT run_id FROM runs WHERE tenant = ?1 AND pipeline = ?2 AND idem_key = ?3")?
        .query_row(params![row.tenant.as_str(), row.pipeline.as_str(), key], |row| row.get(0))
        .optional()?;
    text.map(RunId::new).transpose().map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// The number of a run's last record; 0 when there is no such run.
fn head(connection: &Connection, run: &RunId) -> rusqlite::Result<Seq> {
    let head: Option<i64> =
        connection.prepare_cached("SELECT head FROM runs WHERE run_id = ?1")?.query_row([run.as_str()], |row| row.get(0)).optional()?;
    Ok(Seq(from_sql(head.unwrap_or(0))))
}

fn stale(connection: &Connection, append: &PreparedAppend) -> rusqlite::Result<AppendError> {
    let run = append.row.run.clone();
    let actual = head(connection, &run)?;
    Ok(AppendError::Stale { run, expected: append.expected_head, actual })
}

fn insert_run(connection: &Connection, row: &RunRow) -> rusqlite::Result<()> {
    let RunRow { run, tenant, pipeline, idempotency_key, head, state, wake_at, detail, created_at, updated_at } = row;
    connection
        .prepare_cached(
            "INSERT INTO runs (run_id, tenant, pipeline, idem_key, head, state, wake_at, detail, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            run.as_str(),
            tenant.as_str(),
            pipeline.as_str(),
            idempotency_key,
            to_sql(head.0),
            state.as_str(),
            wake_at.map(|at| to_sql(at.0)),
            detail,
            to_sql(created_at.0),
            to_sql(updated_at.0)
        ])
        .map(drop)
}

/// Moves the row on if the run is where the append expects it. What a run was started with does not change.
///
/// Most records change neither state nor timer. The first statement is for them: it names no indexed column, so no index is touched.
fn update_run(connection: &Connection, row: &RunRow, expected_head: Seq) -> rusqlite::Result<bool> {
    let RunRow { run, head, state, wake_at, detail, updated_at, tenant: _, pipeline: _, idempotency_key: _, created_at: _ } = row;
    let values =
        params![to_sql(head.0), detail, to_sql(updated_at.0), run.as_str(), to_sql(expected_head.0), state.as_str(), wake_at.map(|at| to_sql(at.0))];
    let changed = connection
        .prepare_cached("UPDATE runs SET head = ?1, detail = ?2, updated_at = ?3 WHERE run_id = ?4 AND head = ?5 AND state = ?6 AND wake_at IS ?7")?
        .execute(values)?;
    if changed == 1 {
        return Ok(true);
    }
    let changed = connection
        .prepare_cached("UPDATE runs SET head = ?1, detail = ?2, updated_at = ?3, state = ?6, wake_at = ?7 WHERE run_id = ?4 AND head = ?5")?
        .execute(values)?;
    Ok(changed == 1)
}

fn insert_line(connection: &Connection, run: &RunId, line: &Line, position: Position) -> rusqlite::Result<()> {
    let Line { seq, epoch, at, kind, payload, checksum } = line;
    connection
        .prepare_cached("INSERT INTO journal (position, run_id, seq, epoch, at, kind, payload, crc32) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?
        .execute(params![to_sql(position.0), run.as_str(), to_sql(seq.0), to_sql(epoch.0), to_sql(at.0), kind, payload, checksum])
        .map(drop)
}

/// A key as it stands in the table; a deleted one has a version but no value.
#[derive(Debug, Default)]
struct Stored {
    value: Option<String>,
    version: u64,
}

impl Stored {
    /// The version that a reader sees: 0 for a key that is not there.
    fn visible_version(&self) -> u64 {
        if self.value.is_some() { self.version } else { 0 }
    }
}

fn stored(connection: &Connection, write: &KeyValueWrite) -> rusqlite::Result<Stored> {
    let found = connection
        .prepare_cached("SELECT value, version FROM kv WHERE namespace = ?1 AND key = ?2")?
        .query_row([&write.namespace, &write.key], |row| Ok(Stored { value: row.get(0)?, version: from_sql(row.get(1)?) }))
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// Writes the next version, unless the write was a check only.
fn write_key(connection: &Connection, write: &KeyValueWrite) -> rusqlite::Result<()> {
    let KeyValueWrite { namespace, key, expected_version: _, value } = write;
    let Stored { value: old, version } = stored(connection, write)?;
    if *value == old {
        return Ok(());
    }
    connection
        .prepare_cached(
            "INSERT INTO kv (namespace, key, value, version) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (namespace, key) DO UPDATE SET value = excluded.value, version = excluded.version",
        )?
        .execute(params![namespace, key, value, to_sql(version + 1)])
        .map(drop)
}
