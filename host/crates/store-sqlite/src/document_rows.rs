//! Documents as rows: the document itself and one index row per attribute.

use engine::port::Document;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use crate::number::to_sql;

/// A document in its persisted form.
#[derive(Debug)]
pub(crate) struct DocumentRow {
    collection: &'static str,
    id: String,
    rank: u64,
    attributes: Vec<(&'static str, String)>,
    attributes_json: String,
    body: String,
}

impl DocumentRow {
    /// Serialises a document.
    pub(crate) fn new(document: &Document) -> Result<Self, serde_json::Error> {
        let Document { collection, id, rank, body, attributes } = document;
        let (attributes_json, body) = (serde_json::to_string(attributes)?, serde_json::to_string(body)?);
        Ok(Self { collection, id: id.clone(), rank: *rank, attributes: attributes.clone(), attributes_json, body })
    }

    /// About how many bytes it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.body.len() + 2 * self.attributes_json.len()
    }
}

/// What `read` found: a document whose names are still owned text.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) id: String,
    pub(crate) rank: u64,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) body: Value,
}

/// Reads the columns `id, rank, attributes, body`.
pub(crate) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Found> {
    let json =
        |column: usize, error: serde_json::Error| rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(error));
    Ok(Found {
        id: row.get(0)?,
        rank: crate::number::from_sql(row.get(1)?),
        attributes: serde_json::from_str(row.get_ref(2)?.as_str()?).map_err(|error| json(2, error))?,
        body: serde_json::from_str(row.get_ref(3)?.as_str()?).map_err(|error| json(3, error))?,
    })
}

/// Writes a document over the one that may be there.
pub(crate) fn write(connection: &Connection, document: &DocumentRow) -> rusqlite::Result<()> {
    replace(connection, document, old(connection, document)?)
}

/// Writes a document that a run projects, unless a newer run has projected it since.
pub(crate) fn project(connection: &Connection, document: &DocumentRow) -> rusqlite::Result<()> {
    let old = old(connection, document)?;
    let newer = old.as_ref().is_some_and(|(rank, _)| *rank > to_sql(document.rank));
    if newer { Ok(()) } else { replace(connection, document, old) }
}

/// The rank and the attributes of the version that is there.
fn old(connection: &Connection, document: &DocumentRow) -> rusqlite::Result<Option<(i64, String)>> {
    connection
        .prepare_cached("SELECT rank, attributes FROM documents WHERE collection = ?1 AND id = ?2")?
        .query_row(params![document.collection, document.id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

/// Index rows are only touched when attributes or rank change.
fn replace(connection: &Connection, document: &DocumentRow, old: Option<(i64, String)>) -> rusqlite::Result<()> {
    let DocumentRow { collection, id, rank, attributes, attributes_json, body } = document;
    let rank = to_sql(*rank);
    if old.as_ref().is_some_and(|(old_rank, old_attributes)| *old_rank == rank && old_attributes == attributes_json) {
        let changed = "UPDATE documents SET body = ?3 WHERE collection = ?1 AND id = ?2";
        return connection.prepare_cached(changed)?.execute(params![collection, id, body]).map(drop);
    }
    if let Some((old_rank, old_attributes)) = old {
        remove_index(connection, (collection, id), old_rank, &old_attributes)?;
    }
    connection
        .prepare_cached(
            "INSERT INTO documents (collection, id, rank, attributes, body) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (collection, id) DO UPDATE SET rank = excluded.rank, attributes = excluded.attributes, body = excluded.body",
        )?
        .execute(params![collection, id, rank, attributes_json, body])?;
    let mut insert = connection
        .prepare_cached("INSERT INTO document_attributes (collection, name, value, rank, id) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING")?;
    for (name, value) in attributes {
        insert.execute(params![collection, name, value, rank, id])?;
    }
    Ok(())
}

/// Removes a document with its index rows, if it is there.
pub(crate) fn remove(connection: &Connection, collection: &str, id: &str) -> rusqlite::Result<()> {
    let removed: Option<(i64, String)> = connection
        .prepare_cached("DELETE FROM documents WHERE collection = ?1 AND id = ?2 RETURNING rank, attributes")?
        .query_row([collection, id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    removed.map_or(Ok(()), |(rank, attributes)| remove_index(connection, (collection, id), rank, &attributes))
}

/// Removes the index rows that a version of a document left.
fn remove_index(connection: &Connection, (collection, id): (&str, &str), rank: i64, attributes: &str) -> rusqlite::Result<()> {
    let attributes: Vec<(String, String)> = serde_json::from_str(attributes)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error)))?;
    let mut delete =
        connection.prepare_cached("DELETE FROM document_attributes WHERE collection = ?1 AND name = ?2 AND value = ?3 AND rank = ?4 AND id = ?5")?;
    for (name, value) in attributes {
        delete.execute(params![collection, name, value, rank, id])?;
    }
    Ok(())
}
