//! The verdict as people read it.

use std::fmt;

use super::{ContractVerdict, ImportVerdict, VerbVerdict, Verdict};

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let judged = if self.good { "good" } else { "refused" };
        write!(f, "{}: {judged}\n{}", self.manifest.title(), self.body())
    }
}

impl Verdict {
    /// What speaks for and against it, line by line, without whose verdict it is.
    pub fn body(&self) -> String {
        let Self { good: _, against, manifest, digest, size, contracts, imports, asks, problems } = self;
        let host = if against.is_some() { "the contract" } else { "this host" };
        let mut lines = vec![format!("  {size} bytes, sha256 {digest}")];
        lines.extend(contracts.iter().flat_map(|one| contract(one, host)));
        lines.extend(import_lines(imports));
        lines.extend(asks.iter().map(|ask| format!("  asks for {}", ask)));
        if !manifest.failure_codes.is_empty() {
            lines.push(format!("  fails with {}", manifest.failure_codes.join(", ")));
        }
        lines.extend(problems.iter().map(|problem| format!("  {problem}")));
        lines.join("\n")
    }
}

/// Those that are refused, each with the reason, and the others in one line; of WASI, the packages will do.
fn import_lines(all: &[ImportVerdict]) -> Vec<String> {
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
