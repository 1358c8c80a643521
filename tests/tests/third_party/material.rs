//! Where the third-party material is.

use std::path::PathBuf;

/// The directory of the third-party material.
#[expect(clippy::disallowed_methods, reason = "where the material is, is the business of whoever runs this suite, not configuration of the product")]
pub(crate) fn fixtures() -> PathBuf {
    let directory = std::env::var_os("JACKFIELD_FIXTURES").map(PathBuf::from).filter(|directory| directory.is_dir());
    directory.expect("JACKFIELD_FIXTURES names the directory of third-party material")
}
