//! Copies of the store: a consistent one of a live store, and the way back.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use crate::{
    OpenError, Store,
    files::{beside, make_parent, private, sync},
    lock::Lock,
    open::{check, open_reader},
};

/// Why no backup was made. No file was left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is something at the target already.
    #[error("`{}` exists already: name a new file", path.display())]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// The target cannot be written.
    #[error("`{}` cannot be written: {source}", path.display())]
    Io {
        /// The target.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store could not be copied.
    #[error("`{}` cannot be copied to `{}`: {detail}", from.display(), path.display())]
    Sqlite {
        /// The store.
        from: PathBuf,
        /// The target.
        path: PathBuf,
        /// What SQLite said.
        detail: String,
    },
}

/// Why no store was restored. The target is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// There is no such backup.
    #[error("there is no backup `{}`", path.display())]
    Missing {
        /// The backup.
        path: PathBuf,
    },
    /// The backup is not one of ours, is newer or is damaged, or the target is in use.
    #[error(transparent)]
    Unfit(#[from] OpenError),
    /// There is something at the target already.
    #[error("`{}` exists already: move it away first", path.display())]
    Exists {
        /// The file in the way.
        path: PathBuf,
    },
    /// The copy could not be made.
    #[error(transparent)]
    Copy(#[from] BackupError),
}

impl Store {
    /// Writes a consistent, compact copy of the live store to a new file that only its owner may read; writes go on meanwhile. The copy
    /// contains the store's secret. The log is not reused before the copy is finished, so it grows by what is written in between.
    ///
    /// # Errors
    /// [`BackupError`]: the target exists, or cannot be written.
    pub async fn backup(&self, to: impl AsRef<Path>) -> Result<(), BackupError> {
        let (from, to) = (self.path().to_owned(), to.as_ref().to_owned());
        let failed = BackupError::Sqlite { from: from.clone(), path: to.clone(), detail: "the copy was not finished".to_owned() };
        let work = move || {
            let connection =
                open_reader(&from).map_err(|error| BackupError::Sqlite { from: from.clone(), path: to.clone(), detail: error.to_string() })?;
            copy(&connection, &from, &to)
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(failed))
    }
}

/// Makes a store of a backup: checks that the backup is ours, not newer than this binary and undamaged, and copies it to a path where there
/// is nothing yet. The process that opens it continues with the backup's runs and a higher epoch.
///
/// # Errors
/// [`RestoreError`]; nothing is at the target then.
pub fn restore(backup: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), RestoreError> {
    let backup = backup.as_ref();
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| BackupError::Io { path, source }
    };
    let to = std::path::absolute(&to).map_err(io(to.as_ref()))?;
    if !backup.is_file() {
        return Err(RestoreError::Missing { path: backup.to_owned() });
    }
    make_parent(&to).map_err(io(&to))?;
    let _lock = Lock::take(&to)?;
    // A log that was left behind would be applied to the restored file.
    let partial = beside(&to, ".restoring");
    for path in [to.clone(), beside(&to, "-wal"), beside(&to, "-journal")] {
        if path.exists() {
            return Err(RestoreError::Exists { path });
        }
    }
    let connection = check_whole(backup)?;
    // What an interrupted restore left behind is ours, because we hold the lock.
    if partial.exists() {
        fs::remove_file(&partial).map_err(io(&partial))?;
    }
    copy(&connection, backup, &partial)?;
    fs::rename(&partial, &to).and_then(|()| sync(&to)).map_err(io(&to))?;
    Ok(())
}

/// Reads the whole backup before a byte of it is copied.
fn check_whole(backup: &Path) -> Result<Connection, OpenError> {
    check(backup)?;
    let sqlite = |error: rusqlite::Error| OpenError::from_sqlite(backup, &error);
    let connection = open_reader(backup).map_err(sqlite)?;
    let marks = crate::migrate::Marks::read(&connection).map_err(sqlite)?;
    if marks.version == 0 {
        return Err(OpenError::NotADatabase { path: backup.to_owned() });
    }
    let verdict: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(sqlite)?;
    if verdict == "ok" { Ok(connection) } else { Err(OpenError::Corrupt { path: backup.to_owned(), detail: verdict }) }
}

/// Copies a database into a new file and makes it durable; removes what a failure left.
fn copy(connection: &Connection, from: &Path, to: &Path) -> Result<(), BackupError> {
    let io = |source: io::Error| {
        let path = to.to_owned();
        if source.kind() == io::ErrorKind::AlreadyExists { BackupError::Exists { path } } else { BackupError::Io { path, source } }
    };
    let detail = |detail: String| BackupError::Sqlite { from: from.to_owned(), path: to.to_owned(), detail };
    let target = to.to_str().ok_or_else(|| detail("the path is not valid UTF-8".to_owned()))?;
    // VACUUM INTO accepts an empty file, and this one is private from its first moment.
    private().write(true).create_new(true).open(to).map_err(io)?;
    let copied = connection.execute("VACUUM INTO ?1", [target]).map_err(|error| detail(error.to_string())).and_then(|_| sync(to).map_err(io));
    if copied.is_err() {
        // The copy's own error is the one to tell.
        drop(fs::remove_file(to));
    }
    copied
}
