//! Opening: everything that is checked and changed before the first write is taken.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use engine::port::{Opening, Position};
use pipeline::{Epoch, Timestamp};
use rusqlite::{Connection, OpenFlags, config::DbConfig, params};

use crate::{
    Options,
    error::OpenError,
    files::{beside, make_parent, private, restrict, sync},
    holds,
    lock::Lock,
    migrate::{APPLICATION_ID, Marks, VERSION, migrate},
    mounts::network_file_system,
    number::{from_sql, to_sql},
};

/// The first SQLite in which a checkpoint that meets a restart of the write-ahead log cannot lose commits: 3.51.3.
const SQLITE_NEEDED: i32 = 3_051_003;

/// How long SQLite waits for a lock, in milliseconds. Only an operator's own SQL can hold one.
const BUSY_TIMEOUT_MS: u32 = 5_000;

/// What opening yields.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The absolute path of the database.
    pub(crate) path: PathBuf,
    /// The writer's connection.
    pub(crate) connection: Connection,
    /// Keeps other processes out.
    pub(crate) lock: Lock,
    /// The epoch, the secret and the previous epoch's last sign of life.
    pub(crate) opening: Opening,
    /// When this epoch noted that it is alive.
    pub(crate) alive_at: Timestamp,
    /// The last position that was given out.
    pub(crate) position: Position,
}

/// Opens or creates the database, keeps other processes out and raises the epoch.
pub(crate) fn open(path: &Path, options: &Options) -> Result<Opened, OpenError> {
    let found = rusqlite::version_number();
    if found < SQLITE_NEEDED {
        return Err(OpenError::OldSqlite { found, needed: SQLITE_NEEDED });
    }
    let path = std::path::absolute(path).map_err(io_error(path, "found"))?;
    make_parent(&path).map_err(io_error(&path, "given a directory"))?;
    if let Some(kind) = network_file_system(&path) {
        return Err(OpenError::NetworkFileSystem { path, kind });
    }
    let lock = Lock::take(&path)?;
    check(&path)?;
    create(&path).map_err(io_error(&path, "created"))?;
    let sqlite = |error: rusqlite::Error| OpenError::from_sqlite(&path, &error);
    let mut connection = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(sqlite)?;
    configure(&connection, options).map_err(sqlite)?;
    check_durability(&connection, &path)?;
    let now = options.clock.now();
    let (opening, position) = take_over(&mut connection, &path, now)?;
    Ok(Opened { path, connection, lock, opening, alive_at: now, position })
}

/// Opens a connection that only reads and never checkpoints: the writer alone does that.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS.into()))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Refuses a file that is not ours, newer than this binary or damaged, without changing a byte of it.
pub(crate) fn check(path: &Path) -> Result<(), OpenError> {
    let length = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(io_error(path, "looked at")(error)),
    };
    if length == 0 {
        return Ok(());
    }
    check_header(path, length)?;
    let sqlite = |error: rusqlite::Error| OpenError::from_sqlite(path, &error);
    let marks = Marks::read(&open_reader(path).map_err(sqlite)?).map_err(sqlite)?;
    if marks.blank && marks.application_id == 0 && marks.version == 0 {
        return Ok(());
    }
    if marks.application_id != APPLICATION_ID {
        return Err(OpenError::NotOurs { path: path.to_owned(), found: marks.application_id, expected: APPLICATION_ID });
    }
    if marks.version > VERSION {
        return Err(OpenError::Newer { path: path.to_owned(), found: marks.version, known: VERSION });
    }
    Ok(())
}

/// Looks at the first 100 bytes (SQLite file format, section 1.3): the magic text, and the number of pages against the
/// length of the file. With a write-ahead log the file may rightly be shorter, so it is left to SQLite then.
fn check_header(path: &Path, length: u64) -> Result<(), OpenError> {
    let mut header = Vec::with_capacity(100);
    fs::File::open(path).and_then(|file| file.take(100).read_to_end(&mut header)).map_err(io_error(path, "read"))?;
    if !header.starts_with(b"SQLite format 3\0") {
        return Err(OpenError::NotADatabase { path: path.to_owned() });
    }
    let number = |at: usize, bytes: usize| header.get(at..at + bytes).map(|slice| slice.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)));
    let (Some(page_size), Some(pages)) = (number(16, 2), number(28, 4)) else {
        return Err(OpenError::Corrupt { path: path.to_owned(), detail: format!("it has {length} bytes, less than a header") });
    };
    let page_size = if page_size == 1 { 65_536 } else { page_size };
    let logged = fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    if !logged && length < page_size * pages {
        return Err(OpenError::Corrupt {
            path: path.to_owned(),
            detail: format!("it has {length} bytes, but its header speaks of {pages} pages of {page_size} bytes"),
        });
    }
    Ok(())
}

/// Makes the file before SQLite does, so that it (and the log, which inherits its mode) is never readable by others.
fn create(path: &Path) -> io::Result<()> {
    match private().write(true).create_new(true).open(path) {
        Ok(_) => sync(path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => restrict(path),
        Err(error) => Err(error),
    }
}

/// Sets what must not be left to defaults.
fn configure(connection: &Connection, options: &Options) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_TIMEOUT_MS.into()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    connection.set_prepared_statement_cache_capacity(64);
    if let Some(bytes) = options.max_bytes {
        let page_size: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let pages = (to_sql(bytes) / page_size).clamp(1, i64::from(u32::MAX) - 1);
        connection.pragma_update_and_check(None, "max_page_count", pages, |row| row.get::<_, i64>(0))?;
    }
    Ok(())
}

/// Turns the write-ahead log on and makes sure that both settings on which durability rests have been taken.
fn check_durability(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let settings = || {
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        Ok((mode, synchronous))
    };
    let (mode, synchronous) = settings().map_err(|error: rusqlite::Error| OpenError::from_sqlite(path, &error))?;
    if mode == "wal" && synchronous == 2 {
        return Ok(());
    }
    let detail = format!("journal mode is {mode} and synchronous is {synchronous}, expected wal and 2 (full)");
    Err(OpenError::Sqlite { path: path.to_owned(), detail })
}

/// Migrates and raises the epoch in one transaction: from its commit on, an older process cannot write any more.
fn take_over(connection: &mut Connection, path: &Path, now: Timestamp) -> Result<(Opening, Position), OpenError> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| OpenError::Random { path: path.to_owned(), detail: error.to_string() })?;
    let raise = |connection: &mut Connection| {
        let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        migrate(&transaction)?;
        holds::sweep(&transaction)?;
        transaction.execute(
            "INSERT INTO meta (id, epoch, alive_at, secret, created_at) VALUES (1, 0, ?1, ?2, ?1) ON CONFLICT DO NOTHING",
            params![to_sql(now.0), secret],
        )?;
        let (epoch, alive_at, secret) = transaction.query_row("SELECT epoch, alive_at, secret FROM meta WHERE id = 1", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?))
        })?;
        let epoch = Epoch(from_sql(epoch) + 1);
        transaction.execute("UPDATE meta SET epoch = ?1, alive_at = ?2 WHERE id = 1", params![to_sql(epoch.0), to_sql(now.0)])?;
        // Cursors count too: a position that an observer has seen is never given to another record.
        let position: i64 = transaction.query_row(
            "SELECT max(coalesce((SELECT max(position) FROM journal), 0), coalesce((SELECT max(position) FROM cursors), 0))",
            [],
            |row| row.get(0),
        )?;
        transaction.commit()?;
        // A clock that was set back in between must not put the loss of attempts into the future.
        let last_sign_of_life = Timestamp(from_sql(alive_at)).min(now);
        Ok((Opening { epoch, last_sign_of_life, secret }, Position(from_sql(position))))
    };
    raise(connection).map_err(|error: rusqlite::Error| OpenError::from_sqlite(path, &error))
}

fn io_error(path: &Path, action: &'static str) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { path, action, source }
}
