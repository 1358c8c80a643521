//! What to add to a configuration.

use std::path::Path;

use plugin_runtime::Verdict;

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
