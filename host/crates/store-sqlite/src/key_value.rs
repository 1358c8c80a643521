//! The key-value port: reads of committed keys. The writes travel with appends.

use async_trait::async_trait;
use engine::port::{KeyValue, ReadError, Versioned};
use rusqlite::{OptionalExtension, params};

use crate::{Store, number::from_sql};

#[async_trait]
impl KeyValue for Store {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Versioned>, ReadError> {
        let (namespace, key) = (namespace.to_owned(), key.to_owned());
        self.read(move |connection| {
            connection
                .prepare_cached("SELECT value, version FROM kv WHERE namespace = ?1 AND key = ?2 AND value IS NOT NULL")?
                .query_row([namespace, key], |row| Ok(Versioned { value: row.get(0)?, version: from_sql(row.get(1)?) }))
                .optional()
        })
        .await
    }

    async fn list(&self, namespace: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, ReadError> {
        let (namespace, prefix, after) = (namespace.to_owned(), prefix.to_owned(), after.map(str::to_owned));
        self.read(move |connection| {
            // Rows are stepped one by one and the walk ends with the prefix, so neither a bound above nor a LIMIT is needed.
            let sql = "SELECT key FROM kv WHERE namespace = ?1 AND key >= ?2 AND (?3 IS NULL OR key > ?3) AND value IS NOT NULL ORDER BY key";
            let from = after.as_deref().map_or(prefix.as_str(), |after| prefix.as_str().max(after));
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query(params![namespace, from, after])?;
            let mut keys = Vec::new();
            while keys.len() < limit
                && let Some(row) = rows.next()?
            {
                let key: String = row.get(0)?;
                if !key.starts_with(&prefix) {
                    break;
                }
                keys.push(key);
            }
            Ok(keys)
        })
        .await
    }
}
