//! What the telemetry projector keeps: cursors of observers and durable counters, moved on together.

use engine::port::{Position, ReadError, WriteError};
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    Store,
    batch::Write,
    number::{from_sql, to_sql},
};

/// A durable counter.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// The instrument's name.
    pub name: String,
    /// Its labels, ordered by name.
    pub labels: Vec<(String, String)>,
    /// The sum, in the instrument's unit.
    pub value: f64,
}

/// An addition to a durable counter.
#[derive(Debug, Clone, PartialEq)]
pub struct TallyChange {
    /// The instrument's name.
    pub name: String,
    /// Its labels, in any order.
    pub labels: Vec<(String, String)>,
    /// What is added, in the instrument's unit.
    pub add: f64,
}

/// Additions with the place up to which they have counted.
#[derive(Debug)]
pub(crate) struct TallyBatch {
    cursor: String,
    position: Position,
    /// Name, labels as JSON, addition.
    changes: Vec<(String, String, f64)>,
}

impl TallyBatch {
    pub(crate) fn bytes(&self) -> usize {
        self.changes.iter().map(|(name, labels, _)| name.len() + labels.len() + 8).sum()
    }
}

impl Store {
    /// Where the observer of that name has got to; the beginning when it has saved nothing.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn cursor(&self, name: &str) -> Result<Position, ReadError> {
        let name = name.to_owned();
        self.read(move |connection| {
            let sql = "SELECT position FROM cursors WHERE name = ?1";
            let position: Option<i64> = connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?;
            Ok(Position(from_sql(position.unwrap_or(0))))
        })
        .await
    }

    /// Saves where an observer has got to. It may be set back.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was saved then.
    pub async fn save_cursor(&self, name: &str, position: Position) -> Result<(), WriteError> {
        self.write(Write::Cursor { name: name.to_owned(), position }).await
    }

    /// All durable counters, ordered by name and labels.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn tallies(&self) -> Result<Vec<Tally>, ReadError> {
        let rows: Vec<(String, String, f64)> = self
            .read(|connection| {
                let mut statement = connection.prepare_cached("SELECT name, labels, value FROM tallies ORDER BY name, labels")?;
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
            })
            .await?;
        rows.into_iter()
            .map(|(name, labels, value)| {
                let labels = serde_json::from_str(&labels)
                    .map_err(|error| ReadError::Unavailable(format!("the labels of tally `{name}` are damaged: {error}")))?;
                Ok(Tally { name, labels, value })
            })
            .collect()
    }

    /// Adds to counters and moves the cursor to `position`, both or neither. When the cursor is there already or further, nothing is
    /// added: a batch that is repeated after a lost answer counts once.
    ///
    /// # Errors
    /// [`WriteError`]; nothing was counted then.
    pub async fn commit_tallies(&self, cursor: &str, position: Position, changes: Vec<TallyChange>) -> Result<(), WriteError> {
        let changes = changes.into_iter().map(|TallyChange { name, labels, add }| (name, labels_json(labels), add)).collect();
        self.write(Write::Tallies(TallyBatch { cursor: cursor.to_owned(), position, changes })).await
    }
}

/// One text for one set of labels, whatever their order.
fn labels_json(mut labels: Vec<(String, String)>) -> String {
    labels.sort();
    let pairs = labels.into_iter().map(|(name, value)| serde_json::json!([name, value])).collect();
    serde_json::Value::Array(pairs).to_string()
}

pub(crate) fn write_cursor(connection: &Connection, name: &str, position: Position) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO cursors (name, position) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET position = excluded.position")?
        .execute(params![name, to_sql(position.0)])
        .map(drop)
}

pub(crate) fn write(connection: &Connection, batch: &TallyBatch) -> rusqlite::Result<()> {
    let TallyBatch { cursor, position, changes } = batch;
    let counted = connection
        .prepare_cached("SELECT position >= ?2 FROM cursors WHERE name = ?1")?
        .query_row(params![cursor, to_sql(position.0)], |row| row.get(0))
        .optional()?;
    if counted == Some(true) {
        return Ok(());
    }
    let mut add = connection.prepare_cached(
        "INSERT INTO tallies (name, labels, value) VALUES (?1, ?2, ?3) ON CONFLICT (name, labels) DO UPDATE SET value = value + excluded.value",
    )?;
    for (name, labels, value) in changes {
        add.execute(params![name, labels, value])?;
    }
    write_cursor(connection, cursor, *position)
}
