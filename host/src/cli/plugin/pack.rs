//! `jackfield plugin pack`: puts a manifest into a component, for guests that were made without our SDK.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Args;
use package::{Manifest, Package, pack};

use super::read;
use crate::cli::output;

/// A component to give a manifest to.
#[derive(Debug, Args)]
pub(in crate::cli) struct Pack {
    /// The component: a `.wasm` file.
    file: PathBuf,
    /// The manifest: a JSON file; wit/README.md describes it.
    #[arg(long, value_name = "FILE.json")]
    manifest: PathBuf,
    /// Where to write the component with its manifest; may be the same file.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

impl Pack {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let text = read(&self.manifest)?;
        let manifest = Manifest::parse(&text).and_then(|manifest| manifest.check_schemas().map(|()| manifest));
        let manifest = manifest.with_context(|| self.manifest.display().to_string())?;
        let component = read(&self.file)?;
        let packed = pack(&component, &text).with_context(|| self.file.display().to_string())?;
        // What has no manifest yet has no signature either.
        let signatures = Package::read(&component, usize::MAX).map_or(0, |package| package.signatures.len());
        std::fs::write(&self.output, packed).with_context(|| format!("{} cannot be written", self.output.display()))?;
        let (name, version, file) = (manifest.name, manifest.version, self.output.display());
        output::say(&format!("wrote {name} {version} to {file}; `jackfield plugin check {file}` says whether the component keeps what it promises"))?;
        if signatures > 0 {
            output::say(&format!("its {signatures} signatures are gone, because they were over other bytes: sign it with `jackfield plugin sign`"))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
