//! What runs need: one row per binding table and per plugin under one, changed once per batch.

use std::collections::HashMap;

use async_trait::async_trait;
use engine::port::{Held, HoldChange, Holds, ReadError};
use pipeline::{Digest, InvalidId, Revision};
use rusqlite::{Connection, params};

use crate::{Store, number::from_sql, prepare::PreparedAppend, registry::damaged};

/// The changes of a batch, summed, so that many runs on the same tables cost one statement each table.
#[derive(Debug, Default)]
pub(crate) struct HoldSums<'a>(HashMap<(&'a Revision, Option<&'a Digest>), i64>);

impl<'a> HoldSums<'a> {
    /// Adds what an append that was written changes.
    pub(crate) fn add(&mut self, append: &'a PreparedAppend) {
        for HoldChange { revision, digest, change } in &append.holds {
            *self.0.entry((revision, digest.as_ref())).or_default() += change;
        }
    }

    /// Writes the sums. What nobody needs any more keeps its row, with a count of 0, until the store is opened next.
    pub(crate) fn write(self, connection: &Connection) -> rusqlite::Result<()> {
        let changed = self.0.into_iter().filter(|(_, change)| *change != 0);
        for ((revision, digest), change) in changed {
            // A count that fell below zero would be a defect; runs must go on all the same.
            connection
                .prepare_cached(
                    "INSERT INTO holds (revision, digest, count) VALUES (?1, ?2, max(0, ?3))
                     ON CONFLICT (revision, digest) DO UPDATE SET count = max(0, count + ?3)",
                )?
                .execute(params![revision.as_str(), digest.map_or("", Digest::as_str), change])?;
        }
        Ok(())
    }
}

/// Removes the rows of what nobody needs.
pub(crate) fn sweep(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM holds WHERE count = 0", []).map(drop)
}

#[async_trait]
impl Holds for Store {
    async fn held(&self) -> Result<Vec<Held>, ReadError> {
        let rows: Vec<(String, String, i64)> = self
            .read(|connection| {
                let mut statement =
                    connection.prepare_cached("SELECT revision, digest, count FROM holds WHERE count > 0 ORDER BY revision, digest")?;
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
            })
            .await?;
        let damaged = |error: InvalidId| damaged("holds", &error);
        rows.into_iter()
            .map(|(revision, digest, count)| {
                let digest = if digest.is_empty() { None } else { Some(Digest::new(digest).map_err(damaged)?) };
                Ok(Held { revision: Revision::new(revision).map_err(damaged)?, digest, count: from_sql(count) })
            })
            .collect()
    }
}
