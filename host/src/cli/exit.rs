//! Exit codes: what a script can tell apart.

use std::process::ExitCode;

use store_sqlite::{BackupError, OpenError, RestoreError};

/// A drain ran out of time.
pub(super) const NOT_RESTED: u8 = 3;

/// The table that `--help` shows.
pub(super) const HELP: &str = "\
Exit codes:
  0  done
  1  failed: the message says what, where and what was expected
  2  wrong usage: nothing was tried
  3  a drain ran out of time (serve)
  4  what was named does not exist
  5  refused: the request, the token or the decision does not fit
  6  the host cannot be reached";

/// An error that has an exit code of its own.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// The arguments do not go together.
    #[error("{0}")]
    Usage(String),
    /// What was named does not exist.
    #[error("{0}")]
    NotFound(String),
    /// It was understood and refused.
    #[error("{0}")]
    Refused(String),
    /// No host answers.
    #[error("{0}")]
    Unreachable(String),
}

/// The exit code of an error.
pub(super) fn code(error: &anyhow::Error) -> ExitCode {
    let own = error.downcast_ref::<Problem>().map(|problem| match problem {
        Problem::Usage(_) => 2,
        Problem::NotFound(_) => 4,
        Problem::Refused(_) => 5,
        Problem::Unreachable(_) => 6,
    });
    ExitCode::from(own.or_else(|| error.downcast_ref().map(of_restore)).unwrap_or(1))
}

fn of_restore(error: &RestoreError) -> u8 {
    let in_the_way =
        matches!(error, RestoreError::Exists { .. } | RestoreError::Unfit(OpenError::InUse { .. }) | RestoreError::Copy(BackupError::Exists { .. }));
    match (matches!(error, RestoreError::Missing { .. }), in_the_way) {
        (true, _) => 4,
        (false, true) => 5,
        (false, false) => 1,
    }
}
