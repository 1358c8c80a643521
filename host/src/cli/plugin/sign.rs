//! `jackfield plugin sign`: adds a publisher's signature to a plugin.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use package::PrivateKey;

use super::package;
use crate::cli::output;

/// A plugin to sign.
#[derive(Debug, Args)]
pub(in crate::cli) struct Sign {
    /// The plugin: a `.wasm` file with a manifest. Signatures that it has stay; one by the same key is replaced.
    file: PathBuf,
    /// The private key: a file NAME.key of `jackfield plugin keygen`.
    #[arg(long, value_name = "NAME.key")]
    key: PathBuf,
    /// Where to write the signed plugin; may be the same file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Sign {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let key = read_key(&self.key)?;
        let (bytes, read) = package(&self.file)?;
        let signed = package::sign(&bytes, &key).with_context(|| self.file.display().to_string())?;
        std::fs::write(&self.output, &signed).with_context(|| format!("{} cannot be written", self.output.display()))?;
        let (file, digest) = (self.output.display(), package::digest_of(&signed));
        let (name, version) = (read.manifest.name, read.manifest.version);
        output::say(&format!("signed {name} {version} with {}; wrote {file}, sha256 {digest}", key.public()))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn read_key(file: &Path) -> anyhow::Result<PrivateKey> {
    use std::os::unix::fs::PermissionsExt as _;
    let open = std::fs::metadata(file).with_context(|| format!("{} cannot be read", file.display()))?.permissions().mode();
    if open & 0o077 != 0 {
        output::complain(&format!("jackfield: {} can be read by others (mode {:03o}): chmod 600 it", file.display(), open & 0o777));
    }
    let text = String::from_utf8_lossy(&super::read(file)?).into_owned();
    PrivateKey::parse(&text).with_context(|| file.display().to_string())
}
