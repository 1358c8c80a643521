//! `jackfield plugin check`: everything that the host would find out about a component at its start, but for the grants.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Args;
use plugin_runtime::{Options, PluginContract, Report};

use super::{read, runtime};
use crate::cli::output;

/// A component to check.
#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// The component: a `.wasm` file.
    file: PathBuf,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let bytes = read(&self.file)?;
        let report = runtime(Options::default())?.check(bytes).await.with_context(|| self.file.display().to_string())?;
        if self.json {
            output::say_json(&report)?;
        } else {
            output::say(&self.text(&report))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn text(&self, report: &Report) -> String {
        let manifest = &report.manifest;
        let by = if manifest.vendor.is_empty() { String::new() } else { format!(" by {}", manifest.vendor) };
        let mut lines =
            vec![format!("{} {}{by}: good", manifest.name, manifest.version), format!("  {} bytes, sha256 {}", report.size, report.digest)];
        lines.extend(report.contracts.iter().map(|contract| format!("  answers {}", described(contract))));
        lines.extend(report.imports.iter().map(|import| format!("  imports {import}")));
        if !manifest.failure_codes.is_empty() {
            lines.push(format!("  fails with {}", manifest.failure_codes.join(", ")));
        }
        lines.push(format!("\nTo use it, add to the configuration:\n\n[plugins.{}]\npath = \"{}\"", manifest.name, self.file.display()));
        if !report.grants.is_empty() {
            lines.push(format!("\n[plugins.{}.grant]", manifest.name));
            lines.extend(report.grants.iter().map(|ask| ask.line.clone()));
        }
        lines.join("\n")
    }
}

fn described(contract: &PluginContract) -> String {
    let verbs = [(contract.verbs.resume, "resume"), (contract.verbs.observe, "observe"), (contract.verbs.undo, "undo")];
    let verbs = verbs.into_iter().filter_map(|(has, name)| has.then_some(name));
    let verbs: Vec<&str> = std::iter::once("apply").chain(verbs).collect();
    let again = if contract.idempotent { "apply may be repeated" } else { "apply may not be repeated" };
    format!("{}: {}; {again}", contract.exact, verbs.join(", "))
}
