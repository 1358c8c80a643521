//! Why the store could not be opened or written to, and the line between "try again" and "stop".

use std::{io, path::PathBuf};

use engine::port::{AppendError, ReadError, WriteError, registry::ChangeError};
use rusqlite::ErrorCode;

/// Why a store was not opened. The file is as it was before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The linked SQLite can lose commits when a checkpoint meets a restart of the write-ahead log.
    #[error("the linked SQLite has version number {found}, but {needed} or later is needed: older ones can lose commits")]
    OldSqlite {
        /// The version number of the linked library.
        found: i32,
        /// The first version number without the defect.
        needed: i32,
    },
    /// The operating system refused something.
    #[error("`{}` cannot be {action}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What was tried, as a participle.
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the store open.
    #[error("`{}` is open in another process{}", path.display(), process.map(|id| format!(" (process id {id})")).unwrap_or_default())]
    InUse {
        /// The database file.
        path: PathBuf,
        /// The other process, if it left its id.
        process: Option<u32>,
    },
    /// The file would be on another machine, where neither its lock nor its log is reliable.
    #[error("`{}` is on a network file system ({kind}): the store needs a local disk", path.display())]
    NetworkFileSystem {
        /// The database file.
        path: PathBuf,
        /// The type of the file system.
        kind: String,
    },
    /// The file is something else.
    #[error("`{}` is not an SQLite database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a database of another program.
    #[error("`{}` is a database of another program: its application id is {found:#010x}, expected {expected:#010x}", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// The application id in the file.
        found: i32,
        /// Ours.
        expected: i32,
    },
    /// A newer program has written the file.
    #[error("`{}` has database version {found}, this binary knows versions up to {known}: use the newer binary, nothing was changed", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of the file.
        found: i64,
        /// The newest version that this binary knows.
        known: i64,
    },
    /// The file is damaged.
    #[error("`{}` is damaged: {detail}; restore a backup", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// SQLite refused something else.
    #[error("`{}` cannot be opened: {detail}", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        detail: String,
    },
    /// The system has no random numbers for the store's secret.
    #[error("no random numbers for the secret of `{}`: {detail}", path.display())]
    Random {
        /// The file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
}

impl OpenError {
    /// An error of SQLite, told apart by what the operator has to do.
    pub(crate) fn from_sqlite(path: &std::path::Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Corrupt { path, detail: error.to_string() },
            Some(_) | None => Self::Sqlite { path, detail: error.to_string() },
        }
    }
}

/// Why one write of a batch was not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The precondition of an append.
    Append(AppendError),
    /// The precondition of a change of the registry.
    Change(ChangeError),
    /// The store took none of the batch.
    Write(WriteError),
}

/// Nothing is refused as something else than it is; that would be a defect of the store.
fn defect(refused: &dyn std::fmt::Display) -> WriteError {
    WriteError::Fatal(refused.to_string())
}

impl From<Refused> for AppendError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Append(error) => error,
            Refused::Change(error) => defect(&error).into(),
            Refused::Write(error) => error.into(),
        }
    }
}

impl From<Refused> for ChangeError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Append(error) => defect(&error).into(),
            Refused::Change(error) => error,
            Refused::Write(error) => error.into(),
        }
    }
}

impl From<Refused> for WriteError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Append(error) => defect(&error),
            Refused::Change(error) => defect(&error),
            Refused::Write(error) => error,
        }
    }
}

/// Where in a transaction SQLite refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Before the commit: nothing can have become durable.
    Statement,
    /// During the commit.
    Commit,
}

/// Tells "nothing was written, try again" from "the store cannot be trusted any more".
///
/// A failed `fsync` is the second, always: Linux reports a lost write once, marks the pages clean, and the next `fsync`
/// succeeds without them, so neither repeating it nor carrying on is safe (known as "fsyncgate"; PostgreSQL ends its process
/// for the same reason). Any other I/O error during the commit is treated alike, because part of the commit may be in the log. A write that was
/// refused is not, be it because the device is full (`SQLITE_FULL`) or because a quota or the size of a file is used up (`SQLITE_IOERR_WRITE`): SQLite
/// then has not written the whole commit record, which is the last thing it writes, and overwrites what came before it. Neither code ever stands for a
/// failed `fsync`, which has its own.
pub(crate) fn classify(error: &rusqlite::Error, stage: Stage) -> WriteError {
    let Some(cause) = error.sqlite_error() else { return WriteError::Fatal(error.to_string()) };
    let (code, extended) = (cause.code, cause.extended_code);
    let synced = matches!(extended, rusqlite::ffi::SQLITE_IOERR_FSYNC | rusqlite::ffi::SQLITE_IOERR_DIR_FSYNC);
    let moved = extended == rusqlite::ffi::SQLITE_READONLY_DBMOVED;
    let passing = matches!(
        code,
        ErrorCode::DiskFull
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OutOfMemory
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::TooBig
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::PermissionDenied
    );
    let refused = extended == rusqlite::ffi::SQLITE_IOERR_WRITE;
    let unfinished = code == ErrorCode::SystemIoFailure && stage == Stage::Statement;
    if (passing || refused || unfinished) && !synced && !moved {
        WriteError::Unavailable(error.to_string())
    } else {
        WriteError::Fatal(error.to_string())
    }
}

/// An error of SQLite while reading.
pub(crate) fn unreadable(error: rusqlite::Error) -> ReadError {
    ReadError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn only_what_cannot_have_become_durable_may_be_repeated() {
        let fatal = |code, stage| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            matches!(classify(&error, stage), WriteError::Fatal(_))
        };
        for (code, at_statement, at_commit) in [
            (ffi::SQLITE_FULL, false, false),
            (ffi::SQLITE_BUSY, false, false),
            (ffi::SQLITE_NOMEM, false, false),
            (ffi::SQLITE_IOERR_WRITE, false, false),
            (ffi::SQLITE_IOERR_SHMSIZE, false, true),
            (ffi::SQLITE_IOERR_READ, false, true),
            (ffi::SQLITE_IOERR_FSYNC, true, true),
            (ffi::SQLITE_IOERR_DIR_FSYNC, true, true),
            (ffi::SQLITE_READONLY, false, false),
            (ffi::SQLITE_READONLY_DBMOVED, true, true),
            (ffi::SQLITE_CORRUPT, true, true),
            (ffi::SQLITE_NOTADB, true, true),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, true, true),
            (ffi::SQLITE_ERROR, true, true),
        ] {
            assert_eq!((fatal(code, Stage::Statement), fatal(code, Stage::Commit)), (at_statement, at_commit), "code {code}");
        }
    }

    #[test]
    fn an_error_names_the_file_and_what_was_expected() {
        let path = PathBuf::from("/var/lib/jackfield/store.db");
        let text = |error: OpenError| error.to_string();
        assert_eq!(
            text(OpenError::InUse { path: path.clone(), process: Some(7) }),
            "`/var/lib/jackfield/store.db` is open in another process (process id 7)"
        );
        assert_eq!(text(OpenError::InUse { path: path.clone(), process: None }), "`/var/lib/jackfield/store.db` is open in another process");
        assert_eq!(
            text(OpenError::Newer { path, found: 9, known: 1 }),
            "`/var/lib/jackfield/store.db` has database version 9, this binary knows versions up to 1: use the newer binary, nothing was changed"
        );
    }
}
