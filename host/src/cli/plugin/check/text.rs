//! The verdict as people read it.

use std::path::Path;

use package::Ask;
use plugin_runtime::{ContractVerdict, ImportVerdict, VerbVerdict, Verdict};

use crate::cli::plugin::title;

/// The verdict; `host` says whose versions of the contracts it was compared with.
pub(super) fn verdict(verdict: &Verdict, refused: bool, host: &str) -> Vec<String> {
    let judged = if refused { "refused" } else { "good" };
    let mut lines = vec![format!("{}: {judged}", title(&verdict.manifest)), format!("  {} bytes, sha256 {}", verdict.size, verdict.digest)];
    lines.extend(verdict.contracts.iter().flat_map(|one| contract(one, host)));
    lines.extend(imports(&verdict.imports));
    lines.extend(verdict.asks.iter().map(|ask| format!("  asks for {}", reasoned(ask))));
    if !verdict.manifest.failure_codes.is_empty() {
        lines.push(format!("  fails with {}", verdict.manifest.failure_codes.join(", ")));
    }
    lines.extend(verdict.problems.iter().map(|problem| format!("  {problem}")));
    lines
}

/// What an ask is, with the vendor's reason.
pub(super) fn reasoned(ask: &Ask) -> String {
    match &ask.why {
        Some(why) => format!("{}: {why}", ask.capability),
        None => ask.capability.clone(),
    }
}

/// Those that are refused, each with the reason, and the others in one line; of WASI, the packages will do.
fn imports(all: &[ImportVerdict]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut linked: Vec<&str> = Vec::new();
    for ImportVerdict { import, problem } in all {
        match problem {
            Some(why) => lines.push(format!("  imports {import}, which {why}")),
            None if import.starts_with("wasi:") => linked.push(import.split('/').next().unwrap_or(import)),
            None => linked.push(import),
        }
    }
    linked.sort_unstable();
    linked.dedup();
    if !linked.is_empty() {
        lines.push(format!("  imports {}", linked.join(", ")));
    }
    lines
}

fn contract(one: &ContractVerdict, host: &str) -> Vec<String> {
    let name = one.exported.as_ref().unwrap_or(&one.contract);
    if let Some(problem) = &one.problem {
        return vec![format!("  {problem}")];
    }
    let version = one.host.as_deref().unwrap_or_default();
    let fits = if one.differences.is_empty() { "goes" } else { "does not go" };
    let mut lines = vec![format!("  `{name}` {fits} together with version {version} of {host}:")];
    lines.extend(one.verbs.iter().map(|verb| format!("    {:<8} {}", verb.verb, standing(verb, one.idempotent))));
    lines.extend(one.differences.iter().flat_map(|difference| difference.to_string().lines().map(|line| format!("    {line}")).collect::<Vec<_>>()));
    lines
}

fn standing(VerbVerdict { verb, exported, works }: &VerbVerdict, idempotent: bool) -> String {
    let (exported, works) = match (exported, works) {
        (true, true) => ("exported", "works"),
        (true, false) => ("exported", "does not work by the manifest"),
        (false, true) => ("missing", "but works by the manifest"),
        (false, false) => ("missing", "and does not work by the manifest"),
    };
    let again = match (verb.as_str(), idempotent) {
        ("apply", true) => ", may be repeated",
        ("apply", false) => ", may not be repeated",
        _ => "",
    };
    format!("{exported}, {works}{again}")
}

/// What to add to a configuration that has nothing of it yet.
pub(super) fn to_use(verdict: &Verdict, file: &Path) -> Vec<String> {
    let name = &verdict.manifest.name;
    let mut lines = vec![format!("\nTo use it, add to the configuration:\n\n[plugins.{name}]\npath = \"{}\"", file.display())];
    if !verdict.asks.is_empty() {
        lines.push(format!("\n[plugins.{name}.grant]"));
        lines.extend(verdict.asks.iter().map(|ask| ask.line.clone()));
    }
    lines
}
