//! The versions of the database: one file of SQL each, applied in order, never changed once released.

use rusqlite::Connection;

/// Marks the file as ours: "JKFD" in ASCII, in SQLite's `application_id`.
pub(crate) const APPLICATION_ID: i32 = 0x4a4b_4644;

/// The migrations; the first leads to version 1.
const MIGRATIONS: [&str; 4] = [
    include_str!("migrations/0001_initial.sql"),
    include_str!("migrations/0002_holds.sql"),
    include_str!("migrations/0003_registry.sql"),
    include_str!("migrations/0004_canaries.sql"),
];

/// The version that this binary writes, kept in SQLite's `user_version`.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// The two marks in a database's header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Whose database it is.
    pub(crate) application_id: i32,
    /// Which migrations it has seen.
    pub(crate) version: i64,
    /// Whether it has no table at all, as after a crash between the creation of the file and the first migration.
    pub(crate) blank: bool,
}

impl Marks {
    /// Reads the marks; fails when the file is not a readable database.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            application_id: connection.pragma_query_value(None, "application_id", |row| row.get(0))?,
            version: connection.pragma_query_value(None, "user_version", |row| row.get(0))?,
            blank: connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?,
        })
    }
}

/// Brings the database to this binary's version. The caller has begun a transaction and commits it.
pub(crate) fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    let from = Marks::read(connection)?.version;
    let done = usize::try_from(from).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(done) {
        connection.execute_batch(migration)?;
    }
    if from != VERSION {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(())
}
