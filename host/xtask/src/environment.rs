//! The few environment variables that xtask reads.

use std::path::PathBuf;

/// The directory of third-party material that some suites compare against, if there is one.
#[expect(clippy::disallowed_methods, reason = "xtask has no config tree; this file is the one home of its environment variables")]
pub(crate) fn fixtures() -> Option<PathBuf> {
    std::env::var_os("JACKFIELD_FIXTURES").map(PathBuf::from).filter(|directory| directory.is_dir())
}
