//! What changes from an older file of a plugin to the one that is checked.

use std::path::Path;

use package::{Ask, Changed, Manifest, Upgrade};

/// Whether a host that has the older version would refuse it: it is older, or asks for more than can have been granted. With a configuration, what is granted
/// is looked at there.
pub(super) fn is_refused(upgrade: &Upgrade, manifest: &Manifest, configured: bool) -> bool {
    upgrade.is_downgrade() || (!configured && upgrade.asks_more.iter().any(|ask| is_needed(ask, manifest)))
}

/// Whether a plugin is refused without it. A setting may stay unset unless it is required.
pub(super) fn is_needed(ask: &Ask, manifest: &Manifest) -> bool {
    let setting = |name: &str| manifest.capabilities.config.iter().find(|setting| setting.name == name);
    ask.capability.strip_prefix("config.").and_then(setting).is_none_or(|setting| setting.required)
}

/// The changes as people read them.
pub(super) fn text(upgrade: &Upgrade, manifest: &Manifest, older: &Path) -> Vec<String> {
    let Upgrade { from, to, asks_more, asks_less, changes } = upgrade;
    let mut lines = vec![format!("\nSince {from} ({}):", older.display())];
    if upgrade.is_downgrade() {
        lines.push(format!("  {to} is older than {from}: a host that has had {from} refuses it"));
    }
    lines.extend(changes.iter().map(changed));
    lines.extend(asks_less.iter().map(|capability| format!("  does not ask any more for {capability}: that grant can go")));
    lines.extend(asks_more.iter().map(|ask| match is_needed(ask, manifest) {
        true => format!("  asks for more: {}", ask),
        false => format!("  may be given more: {}", ask),
    }));
    if lines.len() == 1 {
        lines.push("  nothing that a manifest says has changed".to_owned());
    }
    if !asks_more.is_empty() {
        lines.push(to_grant(&manifest.name, asks_more));
    }
    lines
}

/// The lines of configuration that grant these.
pub(super) fn to_grant<'a>(name: &str, asks: impl IntoIterator<Item = &'a Ask>) -> String {
    let lines: Vec<&str> = asks.into_iter().map(|ask| ask.line.as_str()).collect();
    format!("\nTo grant it, add to the configuration:\n\n[plugins.{name}.grant]\n{}", lines.join("\n"))
}

fn changed(Changed { subject, change, breaking }: &Changed) -> String {
    let change = change.replace('\n', "\n  ");
    if *breaking { format!("  {subject} {change} (breaking)") } else { format!("  {subject} {change}") }
}
