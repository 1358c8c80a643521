//! One batch: many writes, one transaction, one fsync.

use engine::port::{Position, WriteError};
use pipeline::{Epoch, Timestamp};
use rusqlite::{Connection, params};

use crate::{
    append::append,
    document_rows::{self, DocumentRow},
    error::{Refused, Stage, classify},
    holds::HoldSums,
    number::{from_sql, to_sql},
    prepare::PreparedAppend,
    registry::change::{PreparedChange, change},
    tallies::{self, TallyBatch},
};

/// A write of any kind.
#[derive(Debug)]
pub(crate) enum Write {
    /// Records of a run with what belongs to them.
    Append(Box<PreparedAppend>),
    /// Bytes under their hash.
    Blob { hash: String, bytes: Vec<u8> },
    /// Where an observer begins after a restart.
    Cursor { name: String, position: Position },
    /// Counters with the cursor that says up to where they have counted.
    Tallies(TallyBatch),
    /// Documents of which no run is the source.
    Documents(Vec<DocumentRow>),
    /// The end of such a document.
    Removal { collection: String, id: String },
    /// What an operator decided about plugins.
    Change(Box<PreparedChange>),
}

impl Write {
    /// About how many bytes it adds to the log.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Append(append) => append.bytes(),
            Self::Blob { bytes, .. } => bytes.len(),
            Self::Cursor { name, .. } => name.len(),
            Self::Tallies(batch) => batch.bytes(),
            Self::Documents(documents) => documents.iter().map(DocumentRow::bytes).sum(),
            Self::Removal { collection, id } => collection.len() + id.len(),
            Self::Change(change) => change.bytes(),
        }
    }
}

/// What came of one write of a batch: the position of its last record (of the last record of all, for what has none), or why it was refused.
pub(crate) type Outcome = Result<Position, Refused>;

/// What surrounds a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    /// This process's epoch.
    pub(crate) epoch: Epoch,
    /// The last position given out before the batch.
    pub(crate) position: Position,
    /// The sign of life to note, if one is due.
    pub(crate) alive_at: Option<Timestamp>,
}

/// A batch that is durable.
#[derive(Debug)]
pub(crate) struct Committed {
    /// What came of each write, in order.
    pub(crate) outcomes: Vec<Outcome>,
    /// The last position given out after the batch.
    pub(crate) position: Position,
    /// The epoch of the process that has taken the store over, if one has.
    pub(crate) fenced: Option<Epoch>,
}

/// Writes a batch and makes it durable, or writes nothing of it.
pub(crate) fn commit<'a>(connection: &Connection, frame: Frame, writes: impl Iterator<Item = &'a Write>) -> Result<Committed, WriteError> {
    let execute = |sql: &str| connection.prepare_cached(sql)?.execute([]);
    let attempt = || {
        execute("BEGIN IMMEDIATE").map_err(|error| (error, Stage::Statement))?;
        let committed = fill(connection, frame, writes).map_err(|error| (error, Stage::Statement))?;
        execute("COMMIT").map_err(|error| (error, Stage::Commit))?;
        Ok(committed)
    };
    attempt().map_err(|(error, stage)| {
        let failure = classify(&error, stage);
        match roll_back(connection) {
            Ok(()) => failure,
            // What cannot be taken back might be committed with the next batch.
            Err(second) => WriteError::Fatal(format!("{error}; and the transaction could not be rolled back: {second}")),
        }
    })
}

fn roll_back(connection: &Connection) -> rusqlite::Result<()> {
    // Some errors have ended the transaction already.
    if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") }
}

/// Everything between BEGIN and COMMIT. The epoch is read once: the transaction holds the write lock, so it cannot change before the commit.
fn fill<'a>(connection: &Connection, frame: Frame, writes: impl Iterator<Item = &'a Write>) -> rusqlite::Result<Committed> {
    let epoch: i64 = connection.prepare_cached("SELECT epoch FROM meta WHERE id = 1")?.query_row([], |row| row.get(0))?;
    let epoch = Epoch(from_sql(epoch));
    let mut position = frame.position;
    if epoch != frame.epoch {
        let outcomes = writes.map(|_| Err(Refused::Write(WriteError::Fenced(epoch)))).collect();
        return Ok(Committed { outcomes, position, fenced: Some(epoch) });
    }
    let mut holds = HoldSums::default();
    let mut outcomes = Vec::new();
    for write in writes {
        // Whether something can be removed depends on what runs need.
        if matches!(write, Write::Change(_)) {
            std::mem::take(&mut holds).write(connection)?;
        }
        let outcome = apply(connection, write, &mut position)?;
        if let (Write::Append(append), Ok(_)) = (write, &outcome) {
            holds.add(append);
        }
        outcomes.push(outcome);
    }
    holds.write(connection)?;
    if let Some(at) = frame.alive_at {
        connection.prepare_cached("UPDATE meta SET alive_at = ?1 WHERE id = 1")?.execute([to_sql(at.0)])?;
    }
    Ok(Committed { outcomes, position, fenced: None })
}

fn apply(connection: &Connection, write: &Write, position: &mut Position) -> rusqlite::Result<Outcome> {
    match write {
        Write::Append(prepared) => return Ok(append(connection, prepared, position)?.map_err(Refused::Append)),
        Write::Change(prepared) => return Ok(change(connection, prepared)?.map(|()| *position).map_err(Refused::Change)),
        Write::Blob { hash, bytes } => write_blob(connection, hash, bytes)?,
        Write::Cursor { name, position } => tallies::write_cursor(connection, name, *position)?,
        Write::Tallies(batch) => tallies::write(connection, batch)?,
        Write::Documents(documents) => documents.iter().try_for_each(|document| document_rows::write(connection, document))?,
        Write::Removal { collection, id } => document_rows::remove(connection, collection, id)?,
    }
    Ok(Ok(*position))
}

/// Stores bytes under their hash, unless they are there.
pub(crate) fn write_blob(connection: &Connection, hash: &str, bytes: &[u8]) -> rusqlite::Result<()> {
    let sql = "INSERT INTO blobs (hash, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    connection.prepare_cached(sql)?.execute(params![hash, bytes]).map(drop)
}
