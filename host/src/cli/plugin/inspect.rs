//! `jackfield plugin inspect`: what a file says about itself. Nothing of it is compiled, and nothing is judged.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use package::{Ask, DeclaredContract, Manifest, Package, Setting, Telemetry, VerbName};
use serde_json::{Value, json};

use super::package;
use crate::cli::output;

/// A plugin to look at.
#[derive(Debug, Args)]
pub(in crate::cli) struct Inspect {
    /// The plugin: a `.wasm` file.
    file: PathBuf,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (_, package) = package(&self.file)?;
        if self.json {
            output::say_json(&document(&package))?;
        } else {
            output::say(&text(&package))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn document(package: &Package) -> Value {
    let signers: Vec<Value> = package.signers().map(|(key, fits)| json!({"key": key, "fits": fits})).collect();
    json!({
        "manifest": package.manifest,
        "digest": package.digest,
        "content_digest": package.content_digest,
        "size": package.size,
        "signers": signers,
        "asks": package.manifest.asks(),
    })
}

fn text(package: &Package) -> String {
    let manifest = &package.manifest;
    let mut lines = vec![
        manifest.title(),
        format!("  {} bytes, sha256 {}", package.size, package.digest),
        format!("  what is signed has sha256 {}", package.content_digest),
    ];
    lines.extend(package.signers().map(|(key, fits)| match fits {
        true => format!("  signed by {key}"),
        false => format!("  carries a signature by {key}, which does not fit"),
    }));
    if package.signatures.is_empty() {
        lines.push("  not signed".to_owned());
    }
    lines.extend(manifest.contracts.iter().map(contract));
    lines.extend(manifest.asks().iter().map(|ask| asked(manifest, ask)));
    if !manifest.failure_codes.is_empty() {
        lines.push(format!("  fails with {}", manifest.failure_codes.join(", ")));
    }
    lines.extend(manifest.telemetry.as_ref().map_or_else(Vec::new, emits));
    lines.join("\n")
}

fn contract(declared: &DeclaredContract) -> String {
    let verbs: Vec<&str> = declared.verbs.iter().copied().map(VerbName::function).collect();
    let again = if declared.idempotent { "apply may be repeated" } else { "apply may not be repeated" };
    format!("  answers {}: {}; {again}", declared.contract, verbs.join(", "))
}

fn asked(manifest: &Manifest, ask: &Ask) -> String {
    let mut line = format!("  asks for {}", ask.capability);
    if let Some(why) = &ask.why {
        line.push_str(&format!(": {why}"));
    }
    let setting = ask.capability.strip_prefix("config.").and_then(|name| manifest.capabilities.config.iter().find(|setting| setting.name == name));
    if let Some(Setting { schema, required, .. }) = setting {
        line.push_str(if *required { " (must be set)" } else { "" });
        if let Some(schema) = schema {
            line.push_str(&format!("\n    its values fit {schema}"));
        }
    }
    line
}

fn emits(telemetry: &Telemetry) -> Vec<String> {
    let Telemetry { attributes, events, spans, metrics } = telemetry;
    let metrics = metrics.iter().map(|metric| metric.name.clone()).collect();
    let kinds = [("attributes", attributes), ("events", events), ("spans", spans), ("metrics", &metrics)];
    kinds.into_iter().filter(|(_, names)| !names.is_empty()).map(|(kind, names)| format!("  may emit {kind} {}", names.join(", "))).collect()
}
