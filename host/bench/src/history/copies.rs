//! Copies of orders, written past the store in one transaction.

use std::{fs::File, path::Path};

use anyhow::{Context, Result, ensure};
use pipeline::{RunId, testing};
use rusqlite::{Connection, Statement, Transaction, params};

use super::Templates;

/// Between two words about how far it has got.
const PROGRESS: u64 = 250_000;

/// Replaces the templates by so many copies of each.
pub(super) fn write(database: &Path, templates: &Templates, finished: u64, waiting: u64) -> Result<()> {
    let mut connection = Connection::open(database)?;
    // Nothing is lost that could not be made again.
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144;")?;
    let orders = [(Template::read(&connection, &templates.finished)?, finished), (Template::read(&connection, &templates.waiting)?, waiting)];
    check_room(database, &orders)?;
    let transaction = connection.transaction()?;
    for table in ["runs", "journal", "documents", "document_attributes"] {
        transaction.execute(&format!("DELETE FROM {table}"), [])?;
    }
    let mut writer = Writer::new(&transaction)?;
    for (template, copies) in orders {
        writer.write(template, copies)?;
    }
    drop(writer);
    // Telemetry has seen all of it.
    let seen = "UPDATE cursors SET position = (SELECT max(position) FROM journal) WHERE name NOT LIKE 'telemetry.epoch.%'";
    ensure!(transaction.execute(seen, [])? > 0, "telemetry has no cursor in {}", database.display());
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    File::open(database)?.sync_all().with_context(|| format!("{} cannot be made durable", database.display()))
}

/// Fails before the disk is full.
fn check_room(database: &Path, orders: &[(Template, u64)]) -> Result<()> {
    let folder = rustix::fs::statvfs(database)?;
    let free = folder.f_bavail.saturating_mul(folder.f_frsize);
    let needed: u64 = orders.iter().map(|(template, copies)| template.bytes().saturating_mul(*copies)).sum();
    ensure!(free > needed + needed / 4, "the history takes about {} MB, and {} MB are free", needed >> 20, free >> 20);
    Ok(())
}

/// A text with the places where the id of its run stands.
#[derive(Debug)]
struct Text {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Text {
    fn new(bytes: Vec<u8>, run: &RunId) -> Self {
        let id = run.as_str().as_bytes();
        let places = (0..bytes.len()).filter(|place| bytes[*place..].starts_with(id)).collect();
        Self { bytes, places }
    }

    /// Puts another id in its place; all ids are equally long.
    fn rename(&mut self, id: &str) {
        for place in &self.places {
            self.bytes[*place..*place + id.len()].copy_from_slice(id.as_bytes());
        }
    }

    fn text(&self) -> Result<&str> {
        Ok(std::str::from_utf8(&self.bytes)?)
    }
}

/// A record as the journal holds it.
#[derive(Debug)]
struct Line {
    seq: i64,
    epoch: i64,
    at: i64,
    kind: String,
    payload: Text,
}

/// Everything the store holds of an order.
#[derive(Debug)]
struct Template {
    row: (String, String, i64, String, Option<i64>, String, i64, i64),
    lines: Vec<Line>,
    document: (String, i64, Text, Text),
}

impl Template {
    fn read(connection: &Connection, run: &RunId) -> Result<Self> {
        let row = "SELECT tenant, pipeline, head, state, wake_at, detail, created_at, updated_at FROM runs WHERE run_id = ?1";
        let row = connection.query_row(row, [run.as_str()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?))
        })?;
        let mut lines = connection.prepare("SELECT seq, epoch, at, kind, payload FROM journal WHERE run_id = ?1 ORDER BY seq")?;
        let lines = lines.query_map([run.as_str()], |row| {
            Ok(Line { seq: row.get(0)?, epoch: row.get(1)?, at: row.get(2)?, kind: row.get(3)?, payload: Text::new(row.get(4)?, run) })
        })?;
        let lines = lines.collect::<rusqlite::Result<Vec<_>>>()?;
        let text = |text: String| Text::new(text.into_bytes(), run);
        let document = "SELECT collection, rank, attributes, body FROM documents WHERE id = ?1";
        let document = connection.query_row(document, [run.as_str()], |row| Ok((row.get(0)?, row.get(1)?, text(row.get(2)?), text(row.get(3)?))))?;
        Ok(Self { row, lines, document })
    }

    /// Makes it the order of that id.
    fn rename(&mut self, id: &str) {
        let (_, _, attributes, body) = &mut self.document;
        let payloads = self.lines.iter_mut().map(|line| &mut line.payload);
        payloads.chain([attributes, body]).for_each(|text| text.rename(id));
    }

    /// About how much a copy takes on disk, with indexes.
    fn bytes(&self) -> u64 {
        let payloads: usize = self.lines.iter().map(|line| line.payload.bytes.len() + 180).sum();
        let (_, _, attributes, body) = &self.document;
        (payloads + 3 * attributes.bytes.len() + body.bytes.len() + 800) as u64
    }
}

/// The statements that write a copy.
struct Writer<'a> {
    run: Statement<'a>,
    line: Statement<'a>,
    document: Statement<'a>,
    attribute: Statement<'a>,
    written: u64,
    position: i64,
}

impl<'a> Writer<'a> {
    fn new(transaction: &'a Transaction<'_>) -> Result<Self> {
        Ok(Self {
            run: transaction.prepare(
                "INSERT INTO runs (run_id, tenant, pipeline, head, state, wake_at, detail, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?,
            line: transaction
                .prepare("INSERT INTO journal (position, run_id, seq, epoch, at, kind, payload, crc32) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?,
            document: transaction.prepare("INSERT INTO documents (collection, id, rank, attributes, body) VALUES (?1, ?2, ?3, ?4, ?5)")?,
            attribute: transaction.prepare("INSERT INTO document_attributes (collection, name, value, rank, id) VALUES (?1, ?2, ?3, ?4, ?5)")?,
            written: 0,
            position: 0,
        })
    }

    fn write(&mut self, mut template: Template, copies: u64) -> Result<()> {
        for _ in 0..copies {
            self.written += 1;
            self.copy(&mut template, testing::run_id(self.written).as_str())?;
            if self.written.is_multiple_of(PROGRESS) {
                eprintln!("{} orders written", self.written);
            }
        }
        Ok(())
    }

    fn copy(&mut self, template: &mut Template, id: &str) -> Result<()> {
        template.rename(id);
        let (tenant, pipeline, head, state, wake_at, detail, created_at, updated_at) = &template.row;
        self.run.execute(params![id, tenant, pipeline, head, state, wake_at, detail, created_at, updated_at])?;
        for Line { seq, epoch, at, kind, payload } in &template.lines {
            self.position += 1;
            let checksum = checksum(id, [*seq, *epoch, *at], &payload.bytes);
            self.line.execute(params![self.position, id, seq, epoch, at, kind, payload.bytes, checksum])?;
        }
        let (collection, rank, attributes, body) = &template.document;
        self.document.execute(params![collection, id, rank, attributes.text()?, body.text()?])?;
        let pairs: Vec<(String, String)> = serde_json::from_slice(&attributes.bytes)?;
        for (name, value) in pairs {
            self.attribute.execute(params![collection, name, value, rank, id])?;
        }
        Ok(())
    }
}

/// The store's: CRC-32 (IEEE 802.3) over the run's id, the record's numbers in little-endian order and its payload.
fn checksum(run: &str, numbers: [i64; 3], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(run.as_bytes());
    numbers.iter().for_each(|number| hasher.update(&number.to_le_bytes()));
    hasher.update(payload);
    hasher.finalize()
}
