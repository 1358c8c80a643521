//! From installed plugins to the binding table: each contract is answered by the plugin that is named for it, or by the only one that can.

use std::collections::BTreeMap;

use anyhow::bail;
use engine::{Binding, BindingTable, BoundPlugin};
use pipeline::ContractTrack;

use super::plugins::Installed;
use crate::config::Config;

/// The table of a configuration.
pub(crate) fn bind(installed: &[Installed], config: &Config) -> anyhow::Result<BindingTable> {
    let mut candidates: BTreeMap<ContractTrack, Vec<&Installed>> = BTreeMap::new();
    for plugin in installed {
        for contract in plugin.plugin.contracts() {
            candidates.entry(contract.track.clone()).or_default().push(plugin);
        }
    }
    let mut table = BindingTable::default();
    for (track, plugins) in candidates {
        let chosen = choose(&track, &plugins, config)?;
        let Some(pin) = chosen.plugin.pin(&track) else { bail!("plugin `{}` does not answer {track}", chosen.plugin.name()) };
        table.rules.push(Binding::to(track, pin.into()));
        let bound = BoundPlugin { component: chosen.component.clone(), grant: chosen.grant.clone() };
        table.plugins.insert(chosen.plugin.digest().clone(), bound);
    }
    for contract in config.bindings.keys() {
        if !table.rules.iter().any(|rule| rule.contract.to_string() == *contract) {
            bail!("bindings.\"{contract}\" names a contract that plugin `{}` does not answer", config.bindings[contract]);
        }
    }
    Ok(table)
}

fn choose<'a>(track: &ContractTrack, plugins: &[&'a Installed], config: &Config) -> anyhow::Result<&'a Installed> {
    let names = || plugins.iter().map(|plugin| plugin.plugin.name()).collect::<Vec<_>>().join(", ");
    match (config.bindings.get(&track.to_string()), plugins) {
        (Some(name), _) => match plugins.iter().find(|plugin| plugin.plugin.name() == name) {
            Some(plugin) => Ok(plugin),
            None => bail!("bindings.\"{track}\" names plugin `{name}`, which does not answer it; these do: {}", names()),
        },
        (None, [only]) => Ok(only),
        (None, _) => bail!("several plugins answer {track}: {}; name one in [bindings]", names()),
    }
}
