//! The registry port: reads on one snapshot, changes through the writer.

pub(crate) mod change;

use async_trait::async_trait;
use engine::port::{
    ReadError,
    registry::{AuditEntry, ChangeError, InstalledPlugin, Registry, RegistryChange, RegistryState, RevisionRow},
};
use pipeline::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::de::DeserializeOwned;

use self::change::PreparedChange;
use crate::{
    Store,
    batch::Write,
    number::{count_to_sql, from_sql, to_sql},
};

const REVISIONS: &str = "SELECT number, revision, at, by, trial, canaries FROM revisions ORDER BY number DESC LIMIT ?1";

#[async_trait]
impl Registry for Store {
    async fn state(&self) -> Result<RegistryState, ReadError> {
        self.read(RawState::read).await?.parse()
    }

    async fn change(&self, change: RegistryChange) -> Result<(), ChangeError> {
        let prepared = PreparedChange::new(change)?;
        self.submit(Write::Change(Box::new(prepared))).await.map(drop).map_err(ChangeError::from)
    }

    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, ReadError> {
        let rows: Vec<(i64, i64, String)> = self
            .read(move |connection| {
                let sql = "SELECT number, at, deed FROM audit WHERE number > ?1 ORDER BY number LIMIT ?2";
                let mut statement = connection.prepare_cached(sql)?;
                statement.query_map([to_sql(after), count_to_sql(limit)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect()
            })
            .await?;
        let entry = |(number, at, deed): (i64, i64, String)| {
            Ok(AuditEntry { number: from_sql(number), at: Timestamp(from_sql(at)), deed: parse("audit", &deed)? })
        };
        rows.into_iter().map(entry).collect()
    }

    async fn revisions(&self, limit: usize) -> Result<Vec<RevisionRow>, ReadError> {
        let rows: Vec<RawRevision> =
            self.read(move |connection| connection.prepare_cached(REVISIONS)?.query_map([count_to_sql(limit)], RawRevision::read)?.collect()).await?;
        rows.into_iter().map(RawRevision::parse).collect()
    }
}

/// A revision as the file has it.
struct RawRevision {
    number: i64,
    revision: String,
    at: i64,
    by: String,
    trial: bool,
    canaries: Option<String>,
}

impl RawRevision {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { number: row.get(0)?, revision: row.get(1)?, at: row.get(2)?, by: row.get(3)?, trial: row.get(4)?, canaries: row.get(5)? })
    }

    fn parse(self) -> Result<RevisionRow, ReadError> {
        let Self { number, revision, at, by, trial, canaries } = self;
        let revision = revision.parse().map_err(|error| damaged("revisions", &error))?;
        let canaries = canaries.map(|canaries| parse("revisions", &canaries)).transpose()?.unwrap_or_default();
        Ok(RevisionRow { number: from_sql(number), revision, at: Timestamp(from_sql(at)), by, trial, canaries })
    }
}

/// The state as the file has it.
struct RawState {
    number: i64,
    applied: Option<String>,
    current: Option<RawRevision>,
    plugins: Vec<String>,
    newest: Vec<(String, String)>,
    quarantine: Vec<(String, String)>,
    rollouts: Vec<(String, String)>,
}

impl RawState {
    /// All of it is of one moment.
    fn read(connection: &mut Connection) -> rusqlite::Result<Self> {
        let moment = connection.transaction()?;
        let pairs = |sql: &str| -> rusqlite::Result<Vec<(String, String)>> {
            moment.prepare_cached(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let (number, applied) =
            moment.prepare_cached("SELECT number, applied FROM registry WHERE id = 1")?.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let current = moment.prepare_cached(REVISIONS)?.query_row([1], RawRevision::read).optional()?;
        let sql = "SELECT details FROM plugins ORDER BY name, installed_at, digest";
        let plugins = moment.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(Self {
            number,
            applied,
            current,
            plugins,
            newest: pairs("SELECT name, version FROM newest_versions")?,
            quarantine: pairs("SELECT digest, details FROM quarantine")?,
            rollouts: pairs("SELECT plugin, details FROM rollouts")?,
        })
    }

    fn parse(self) -> Result<RegistryState, ReadError> {
        let Self { number, applied, current, plugins, newest, quarantine, rollouts } = self;
        let digest = |text: String| text.parse().map_err(|error| damaged("quarantine", &error));
        Ok(RegistryState {
            number: from_sql(number),
            current: current.map(RawRevision::parse).transpose()?,
            plugins: plugins.iter().map(|details| parse::<InstalledPlugin>("plugins", details)).collect::<Result<_, _>>()?,
            newest: newest.into_iter().collect(),
            quarantine: quarantine.into_iter().map(|(key, details)| Ok((digest(key)?, parse("quarantine", &details)?))).collect::<Result<_, _>>()?,
            rollouts: rollouts.into_iter().map(|(name, details)| Ok((name, parse("rollouts", &details)?))).collect::<Result<_, _>>()?,
            applied,
        })
    }
}

fn parse<T: DeserializeOwned>(table: &str, text: &str) -> Result<T, ReadError> {
    serde_json::from_str(text).map_err(|error| damaged(table, &error))
}

/// What is in the way when a row is not what was written.
pub(crate) fn damaged(table: &str, error: &dyn std::fmt::Display) -> ReadError {
    ReadError::Unavailable(format!("a row of table `{table}` is damaged: {error}"))
}
