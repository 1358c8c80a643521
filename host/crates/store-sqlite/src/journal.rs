//! The journal port.

use async_trait::async_trait;
use engine::port::{Append, AppendError, Appended, Committed, Journal, Position, ReadError, RunRow};
use pipeline::{Epoch, Record, RunId, Seq, Timestamp};
use rusqlite::{OptionalExtension, Row, params};

use crate::{
    Store,
    batch::Write,
    number::{count_to_sql, from_sql, to_sql},
    prepare::{PreparedAppend, checksum, event},
    run_rows::{RawRow, parse_run, run_columns},
};

#[async_trait]
impl Journal for Store {
    async fn append(&self, append: &Append) -> Result<Appended, AppendError> {
        let prepared = PreparedAppend::new(append, self.epoch())?;
        let bytes = prepared.bytes();
        let position = self.submit(Write::Append(Box::new(prepared))).await?;
        Ok(Appended { position, bytes })
    }

    async fn load(&self, run: &RunId) -> Result<Vec<Record>, ReadError> {
        let wanted = run.to_string();
        let lines: Vec<RawLine> = self
            .read(move |connection| {
                let sql = "SELECT position, run_id, seq, epoch, at, payload, crc32 FROM journal WHERE run_id = ?1 ORDER BY seq";
                connection.prepare_cached(sql)?.query_map([wanted], RawLine::read)?.collect()
            })
            .await?;
        let records = lines.into_iter().map(|line| line.parse().map(|committed| committed.record)).collect::<Result<Vec<_>, _>>()?;
        check_gaps(run, &records)?;
        Ok(records)
    }

    async fn row(&self, run: &RunId) -> Result<Option<RunRow>, ReadError> {
        let run = run.to_string();
        let row = self
            .read(move |connection| {
                let sql = concat!("SELECT ", run_columns!(), " FROM runs WHERE run_id = ?1");
                connection.prepare_cached(sql)?.query_row([run], RawRow::read).optional()
            })
            .await?;
        row.map(RawRow::parse).transpose()
    }

    /// When a record in the middle is damaged, those before it are returned; the error comes when it is the first.
    async fn committed(&self, after: Position, limit: usize) -> Result<Vec<Committed>, ReadError> {
        let lines: Vec<RawLine> = self
            .read(move |connection| {
                let sql = "SELECT position, run_id, seq, epoch, at, payload, crc32 FROM journal WHERE position > ?1 ORDER BY position LIMIT ?2";
                connection.prepare_cached(sql)?.query_map(params![to_sql(after.0), count_to_sql(limit)], RawLine::read)?.collect()
            })
            .await?;
        let mut committed = Vec::with_capacity(lines.len());
        for line in lines {
            match line.parse() {
                Ok(record) => committed.push(record),
                Err(error) if committed.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(committed)
    }
}

/// A row of the journal before it is checked.
#[derive(Debug)]
struct RawLine {
    position: i64,
    run: String,
    seq: i64,
    epoch: i64,
    at: i64,
    payload: Vec<u8>,
    checksum: i64,
}

impl RawLine {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            position: row.get(0)?,
            run: row.get(1)?,
            seq: row.get(2)?,
            epoch: row.get(3)?,
            at: row.get(4)?,
            payload: row.get(5)?,
            checksum: row.get(6)?,
        })
    }

    fn parse(self) -> Result<Committed, ReadError> {
        let (seq, epoch, at) = (Seq(from_sql(self.seq)), Epoch(from_sql(self.epoch)), Timestamp(from_sql(self.at)));
        let damaged = |detail: String| ReadError::Damaged { run: self.run.clone(), seq, detail };
        let actual = checksum(&self.run, seq, epoch, at, &self.payload);
        if i64::from(actual) != self.checksum {
            return Err(damaged(format!("its checksum is {actual:08x}, expected {:08x}", self.checksum)));
        }
        let event = event(&self.payload).map_err(|error| damaged(format!("its event cannot be read: {error}")))?;
        Ok(Committed { position: Position(from_sql(self.position)), run: parse_run(self.run)?, record: Record { seq, epoch, at, event } })
    }
}

/// A missing record is damage too.
fn check_gaps(run: &RunId, records: &[Record]) -> Result<(), ReadError> {
    match records.iter().zip(1..).find(|(record, expected)| record.seq.0 != *expected) {
        None => Ok(()),
        Some((record, expected)) => {
            Err(ReadError::Damaged { run: run.to_string(), seq: Seq(expected), detail: format!("it is missing, the next is {}", record.seq.0) })
        }
    }
}
