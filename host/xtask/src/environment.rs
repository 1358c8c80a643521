//! The few environment variables that xtask reads.

use std::path::PathBuf;

/// The directory of third-party material that some suites compare against, if there is one.
#[expect(clippy::disallowed_methods, reason = "xtask has no config tree; this file is the one home of its environment variables")]
pub(crate) fn fixtures() -> Option<PathBuf> {
    std::env::var_os("JACKFIELD_FIXTURES").map(PathBuf::from).filter(|directory| directory.is_dir())
}

/// The names of the variables in which cargo tells a program about its package.
#[expect(clippy::disallowed_methods, reason = "xtask has no config tree; this file is the one home of its environment variables")]
pub(crate) fn told_by_cargo() -> impl Iterator<Item = String> {
    let told = |name: &String| ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix));
    std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(told)
}
