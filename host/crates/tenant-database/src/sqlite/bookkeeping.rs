//! The tables that the host keeps in a tenant's file, and how connections are set.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig, limits::Limit};

use crate::migrations::Migration;

/// Marks the files of this crate: `jfTD`.
pub(super) const APPLICATION_ID: i64 = 0x6a66_5444;
/// How the names of the host's tables begin; guests may not touch them.
pub(super) const OWN: &str = "jackfield_";
/// How long SQLite waits for a lock.
const BUSY: Duration = Duration::from_secs(5);
/// The longest value and the longest statement, in bytes.
const LONGEST: i32 = 2 * 1024 * 1024;

pub(super) const TABLES: &str = "
    CREATE TABLE jackfield_owner (id INTEGER PRIMARY KEY CHECK (id = 1), tenant TEXT NOT NULL, effect TEXT NOT NULL) STRICT;
    CREATE TABLE jackfield_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT;
    CREATE TABLE jackfield_transactions (effect TEXT NOT NULL, name TEXT NOT NULL, changed TEXT NOT NULL, PRIMARY KEY (effect, name)) STRICT, WITHOUT ROWID;
";

/// Opens a file that is there.
pub(super) fn open(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    Ok(connection)
}

/// Opens a file for writing, with all that durability needs.
pub(super) fn open_to_write(path: &Path, max_bytes: u64) -> rusqlite::Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let page: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
    let pages = (i64::try_from(max_bytes).unwrap_or(i64::MAX) / page).clamp(1, i64::from(u32::MAX) - 1);
    connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))?;
    Ok(connection)
}

/// Bounds what a guest's statements may take.
pub(super) fn bound(connection: &Connection) -> rusqlite::Result<()> {
    for limit in [Limit::SQLITE_LIMIT_LENGTH, Limit::SQLITE_LIMIT_SQL_LENGTH] {
        connection.set_limit(limit, LONGEST)?;
    }
    connection.set_limit(Limit::SQLITE_LIMIT_WORKER_THREADS, 0)?;
    connection.pragma_update(None, "temp_store", "memory")
}

/// What was made of migrations: numbers and checksums, in order.
pub(super) fn made(connection: &Connection) -> rusqlite::Result<Vec<(u64, String)>> {
    let mut statement = connection.prepare("SELECT version, checksum FROM jackfield_migrations ORDER BY version")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?.unsigned_abs(), row.get(1)?)))?;
    rows.collect()
}

/// Makes a migration in the transaction that is open.
pub(super) fn make(connection: &Connection, migration: &Migration) -> rusqlite::Result<()> {
    connection.execute_batch(&migration.sql)?;
    let version = i64::try_from(migration.version).unwrap_or(i64::MAX);
    let values = rusqlite::params![version, migration.name, migration.checksum];
    connection.execute("INSERT INTO jackfield_migrations (version, name, checksum) VALUES (?1, ?2, ?3)", values).map(drop)
}
