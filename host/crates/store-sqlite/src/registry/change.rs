//! One change of the registry inside the batch's transaction. Preconditions come first, so that a refused change contributes nothing.

use engine::port::{
    WriteError,
    registry::{ChangeError, InstalledPlugin, Quarantine, RegistryChange, Removal, Rollout},
};
use pipeline::{Digest, Revision};
use rusqlite::{Connection, params};
use serde::Serialize;

use crate::{
    batch::write_blob,
    number::{from_sql, to_sql},
};

/// A change made ready on the caller's thread.
#[derive(Debug)]
pub(crate) struct PreparedChange {
    expected: u64,
    at: u64,
    by: String,
    deed: String,
    blobs: Vec<(String, Vec<u8>)>,
    current: Option<Revision>,
    install: Vec<(InstalledPlugin, String)>,
    quarantine: Vec<(Digest, Option<String>)>,
    rollouts: Vec<(String, Option<String>)>,
    newest: Vec<(String, String)>,
    applied: Option<String>,
    remove: Removal,
}

impl PreparedChange {
    /// Serialises and hashes.
    pub(crate) fn new(change: RegistryChange) -> Result<Self, WriteError> {
        let RegistryChange { expected, at, deed, blobs, current, install, quarantine, rollouts, newest, applied, remove } = change;
        let text_of = |entry: &Option<Quarantine>| entry.as_ref().map(json).transpose();
        let rollout_text = |entry: &Option<Rollout>| entry.as_ref().map(json).transpose();
        Ok(Self {
            expected,
            at: at.0,
            deed: json(&deed)?,
            by: deed.by,
            blobs: blobs.into_iter().map(|bytes| (blake3::hash(&bytes).to_hex().to_string(), bytes)).collect(),
            current,
            install: install.into_iter().map(|plugin| Ok((plugin.clone(), json(&plugin)?))).collect::<Result<_, WriteError>>()?,
            quarantine: quarantine.into_iter().map(|(digest, entry)| Ok((digest, text_of(&entry)?))).collect::<Result<_, WriteError>>()?,
            rollouts: rollouts.into_iter().map(|(plugin, entry)| Ok((plugin, rollout_text(&entry)?))).collect::<Result<_, WriteError>>()?,
            newest,
            applied,
            remove,
        })
    }

    /// About how many bytes it adds to the log.
    pub(crate) fn bytes(&self) -> usize {
        let install: usize = self.install.iter().map(|(_, text)| text.len()).sum();
        self.deed.len() + install + self.blobs.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    }
}

/// A value that has no JSON form is a defect of the caller that no repetition mends.
fn json(value: &impl Serialize) -> Result<String, WriteError> {
    serde_json::to_string(value).map_err(|error| WriteError::Fatal(format!("a change of the registry cannot be written as JSON: {error}")))
}

/// Makes a change or refuses it.
pub(crate) fn change(connection: &Connection, change: &PreparedChange) -> rusqlite::Result<Result<(), ChangeError>> {
    if let Err(refused) = check(connection, change)? {
        return Ok(Err(refused));
    }
    let number = to_sql(change.expected + 1);
    for (hash, bytes) in &change.blobs {
        write_blob(connection, hash, bytes)?;
    }
    for (plugin, details) in &change.install {
        install(connection, plugin, details)?;
    }
    for (name, version) in &change.newest {
        let sql = "INSERT INTO newest_versions (name, version) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET version = excluded.version";
        connection.prepare_cached(sql)?.execute([name, version])?;
    }
    for (digest, details) in &change.quarantine {
        put(connection, "quarantine", "digest", digest.as_str(), details.as_deref())?;
    }
    for (plugin, details) in &change.rollouts {
        put(connection, "rollouts", "plugin", plugin, details.as_deref())?;
    }
    if let Some(revision) = &change.current {
        let sql = "INSERT INTO revisions (revision, at, by, trial, canaries)
                   SELECT ?1, ?2, ?3, count(*) > 0, json_group_object(plugin, details ->> '$.canary') FROM rollouts";
        connection.prepare_cached(sql)?.execute(params![revision.as_str(), to_sql(change.at), change.by])?;
    }
    remove(connection, &change.remove)?;
    let sql = "UPDATE registry SET number = ?1, applied = coalesce(?2, applied) WHERE id = 1";
    connection.prepare_cached(sql)?.execute(params![number, change.applied])?;
    let sql = "INSERT INTO audit (number, at, deed) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute(params![number, to_sql(change.at), change.deed])?;
    Ok(Ok(()))
}

/// What must hold: nobody came before, and what is to go is not in use. The current table is the one after the change.
fn check(connection: &Connection, change: &PreparedChange) -> rusqlite::Result<Result<(), ChangeError>> {
    let actual: i64 = connection.prepare_cached("SELECT number FROM registry WHERE id = 1")?.query_row([], |row| row.get(0))?;
    let actual = from_sql(actual);
    if actual != change.expected {
        return Ok(Err(ChangeError::Stale { expected: change.expected, actual }));
    }
    for revision in &change.remove.revisions {
        let sql = "SELECT 1 FROM revisions WHERE revision = ?1 AND number = (SELECT max(number) FROM revisions)";
        if change.current.as_ref() == Some(revision) || connection.prepare_cached(sql)?.exists([revision.as_str()])? {
            return Ok(Err(ChangeError::Needed { what: format!("revision {revision}"), by: "it is the current table".to_owned() }));
        }
        let held = "SELECT coalesce(sum(count), 0) FROM holds WHERE revision = ?1";
        if let Some(error) = held_by(connection, held, revision.as_str(), "revision")? {
            return Ok(Err(error));
        }
    }
    for digest in &change.remove.plugins {
        let held = "SELECT coalesce(sum(count), 0) FROM holds WHERE digest = ?1";
        if let Some(error) = held_by(connection, held, digest.as_str(), "plugin")? {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

/// What runs need, counted in the transaction that would remove it: a run may have come to need it since somebody looked.
fn held_by(connection: &Connection, count: &str, name: &str, kind: &str) -> rusqlite::Result<Option<ChangeError>> {
    let count: i64 = connection.prepare_cached(count)?.query_row([name], |row| row.get(0))?;
    Ok((count > 0).then(|| ChangeError::Needed { what: format!("{kind} {name}"), by: format!("runs need it, {count} times") }))
}

fn install(connection: &Connection, plugin: &InstalledPlugin, details: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO plugins (digest, name, installed_at, component, details) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let row = params![plugin.digest.as_str(), plugin.name, to_sql(plugin.at.0), plugin.component, details];
    connection.prepare_cached(sql)?.execute(row).map(drop)
}

/// Writes or deletes a row that is one JSON text under one key.
fn put(connection: &Connection, table: &str, key: &str, name: &str, details: Option<&str>) -> rusqlite::Result<()> {
    let written = match details {
        Some(details) => connection
            .prepare_cached(&format!(
                "INSERT INTO {table} ({key}, details) VALUES (?1, ?2) ON CONFLICT ({key}) DO UPDATE SET details = excluded.details"
            ))?
            .execute([name, details]),
        None => connection.prepare_cached(&format!("DELETE FROM {table} WHERE {key} = ?1"))?.execute([name]),
    };
    written.map(drop)
}

/// A blob goes with the last row that names it.
fn remove(connection: &Connection, removal: &Removal) -> rusqlite::Result<()> {
    for digest in &removal.plugins {
        let sql = "DELETE FROM plugins WHERE digest = ?1 RETURNING component";
        let components: Vec<String> = connection.prepare_cached(sql)?.query_map([digest.as_str()], |row| row.get(0))?.collect::<Result<_, _>>()?;
        for component in components {
            let sql = "DELETE FROM blobs WHERE hash = ?1 AND NOT EXISTS (SELECT 1 FROM plugins WHERE component = ?1)";
            connection.prepare_cached(sql)?.execute([component])?;
        }
    }
    for revision in &removal.revisions {
        connection.prepare_cached("DELETE FROM revisions WHERE revision = ?1")?.execute([revision.as_str()])?;
        connection.prepare_cached("DELETE FROM blobs WHERE hash = ?1")?.execute([revision.as_str()])?;
    }
    Ok(())
}
