//! The start: the plugins and bindings of the configuration become the current table when that part of the configuration is not what was applied last.
//! Otherwise the table that is current in the store stays, so that a restart takes back nothing that was done since.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use anyhow::{Context, bail};
use engine::{
    Binding, BindingTable, BoundPlugin, SelectorNames,
    port::{
        Clock, SystemClock,
        registry::{InstalledPlugin, Registry as _, RegistryChange, RegistryState},
    },
};
use package::{Package, TrustList};
use pipeline::{ContractTrack, Revision};
use plugin_runtime::Runtime;
use serde_json::{Value, json};
use store_sqlite::Store;
use tracing::{info, warn};

use super::{
    check_table, deed,
    grants::read_grant,
    install::{newest, raised, record},
    native::Natives,
    rebind::{Candidate, build, describe, summary},
    shelf::Shelf,
    stored,
};
use crate::{
    config::{BindingSettings, Config},
    trust,
};

/// The parts of a host that plugins are started with.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) config: &'a Config,
    pub(crate) directory: &'a Path,
    pub(crate) store: &'a Arc<Store>,
    pub(crate) runtime: &'a Runtime,
    pub(crate) trust: &'a Arc<TrustList>,
    pub(crate) shelf: &'a Shelf,
    /// What the steps of the pipelines can be told apart by.
    pub(crate) selectors: &'a SelectorNames,
    /// The implementations inside the host.
    pub(crate) natives: &'a Natives,
}

/// The table that is current from the start on, with its revision; it is in the store.
pub(crate) async fn current(parts: &Parts<'_>) -> anyhow::Result<(Revision, BindingTable)> {
    let state = parts.store.state().await?;
    for (digest, entry) in &state.quarantine {
        warn!("plugin {digest} is quarantined by {}: {}", entry.by, entry.reason);
        parts.shelf.quarantine(digest, Some(&entry.reason));
    }
    let files = read(parts.config)?;
    let fingerprint = fingerprint(parts.config, &files);
    match &state.current {
        Some(current) if state.applied.as_deref() == Some(&*fingerprint) => {
            info!("binding revision {} is current, by {}; [plugins] and [bindings] are as they were applied last", current.number, current.by);
            let revision = current.revision.clone();
            let table = BindingTable::read(&**parts.store, &revision).await?;
            let table = table.with_context(|| format!("binding-table revision {revision} is not in the store"))?;
            check_trust(parts, &files)?;
            let (revision, table) = with_natives(parts, &state, revision, table).await?;
            warm(parts, &revision, &table).await?;
            Ok((revision, table))
        }
        _ => apply(parts, &state, files, fingerprint).await,
    }
}

/// The files of the configured plugins.
fn read(config: &Config) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let file = |(name, plugin): (&String, &crate::config::Plugin)| {
        let bytes = std::fs::read(&plugin.path).with_context(|| format!("plugins.{name}.path: {} cannot be read", plugin.path.display()))?;
        Ok((name.clone(), bytes))
    };
    config.plugins.iter().map(file).collect()
}

/// What stands for plugins and bindings of a configuration: the content of files counts, their place does not. References stay references.
fn fingerprint(config: &Config, files: &BTreeMap<String, Vec<u8>>) -> String {
    let plugin = |(name, bytes): (&String, &Vec<u8>)| (name.clone(), json!([blake3::hash(bytes).to_hex().as_str(), config.plugins[name].grant]));
    let plugins: BTreeMap<String, Value> = files.iter().map(plugin).collect();
    blake3::hash(json!({"plugins": plugins, "bindings": config.bindings}).to_string().as_bytes()).to_hex().to_string()
}

/// A file of the configuration that was taken back since it was applied is for the operator to take out of it.
fn check_trust(parts: &Parts<'_>, files: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<()> {
    for (name, bytes) in files {
        let admitted = Package::read(bytes, usize::MAX).map_err(Into::into).and_then(|package| trust::admit_again(parts.trust, &package));
        admitted.with_context(|| format!("plugins.{name}"))?;
    }
    Ok(())
}

/// The table with a rule for every implementation inside the host: it may have been made before there was one.
async fn with_natives(parts: &Parts<'_>, state: &RegistryState, revision: Revision, table: BindingTable) -> anyhow::Result<(Revision, BindingTable)> {
    let completed = parts.natives.complete(table.clone());
    if completed == table {
        return Ok((revision, table));
    }
    let mut deed = deed("configuration", "configure", "what the host answers itself", "");
    (deed.before, deed.after) = (describe(&table), json!({"bindings": describe(&completed)}));
    let mut change = RegistryChange::of(state.number, SystemClock.now(), deed);
    let (revision, bytes) = stored(&completed)?;
    change.blobs.push(bytes);
    change.current = Some(revision.clone());
    parts.store.change(change).await?;
    Ok((revision, completed))
}

/// Brings in what the table names. A plugin that was taken back by [trust] since is left out, and its steps are held; anything else is for the operator to put
/// right before work is taken.
async fn warm(parts: &Parts<'_>, revision: &Revision, table: &BindingTable) -> anyhow::Result<()> {
    for (digest, error) in parts.shelf.prepare(revision, table).await {
        if error.downcast_ref::<package::Refusal>().is_none() {
            return Err(error.context(format!("plugin {digest} of the current bindings cannot be called")));
        }
        warn!("plugin {digest} of the current bindings cannot be called: {error:#}");
    }
    Ok(())
}

/// Makes the configuration's table current.
async fn apply(
    parts: &Parts<'_>,
    state: &RegistryState,
    files: BTreeMap<String, Vec<u8>>,
    fingerprint: String,
) -> anyhow::Result<(Revision, BindingTable)> {
    let mut change = RegistryChange::of(state.number, SystemClock.now(), deed("configuration", "configure", "[plugins] and [bindings]", ""));
    let before = match &state.current {
        Some(current) => BindingTable::read(&**parts.store, &current.revision).await?,
        None => None,
    };
    let mut candidates = BTreeMap::new();
    for (name, bytes) in files {
        let (candidate, record) = install(parts, state, before.as_ref(), &name, &bytes).await.with_context(|| format!("plugins.{name}"))?;
        if let Some(record) = record {
            change.newest.extend(raised(state, &record));
            change.install.push(record);
            change.blobs.push(bytes);
        }
        candidates.insert(name, candidate);
    }
    let table = table(parts, &candidates)?;
    if let Some((digest, entry)) = state.quarantine.iter().find(|(digest, _)| table.plugins.contains_key(*digest)) {
        let by = &entry.by;
        bail!(
            "[plugins] and [bindings] bind plugin {digest}, which is quarantined by {by}: {}; name another file or lift the quarantine before",
            entry.reason
        );
    }
    let (revision, bytes) = stored(&table)?;
    if let Some(before) = &before
        && *before != table
    {
        info!("[plugins] or [bindings] have changed: they replace the current bindings ({}) by ({})", summary(before), summary(&table));
    }
    change.deed.before = before.as_ref().map_or(Value::Null, describe);
    change.deed.after = json!({"bindings": describe(&table)});
    change.blobs.push(bytes);
    change.current = Some(revision.clone()).filter(|revision| state.current.as_ref().is_none_or(|current| current.revision != *revision));
    change.rollouts = state.rollouts.keys().map(|name| (name.clone(), None)).collect();
    change.applied = Some(fingerprint);
    change.at = SystemClock.now();
    parts.store.change(change).await?;
    for candidate in candidates.into_values() {
        parts.shelf.adopt(&revision, candidate.plugin);
    }
    Ok((revision, table))
}

/// A plugin of the configuration, and its row where it is not installed yet.
async fn install(
    parts: &Parts<'_>,
    state: &RegistryState,
    current: Option<&BindingTable>,
    name: &str,
    bytes: &[u8],
) -> anyhow::Result<(Candidate, Option<InstalledPlugin>)> {
    let plugin = &parts.config.plugins[name];
    let package = Package::read(bytes, parts.runtime.options().max_component_bytes)?;
    if package.manifest.name != name {
        bail!("{} says that its name is `{}`", plugin.path.display(), package.manifest.name);
    }
    let known = state.plugin(&package.digest);
    let in_service = current.is_some_and(|current| current.plugins.contains_key(&package.digest));
    // What was installed before and is put into service now is activated: the time of the key counts, and going back is meant.
    let newest = newest(state, &package.manifest.name).filter(|_| !plugin.allow_downgrade && known.is_none());
    let admission = match in_service {
        true => trust::admit_again(parts.trust, &package)?,
        false => trust::admit(parts.trust, &package, newest.as_ref())?,
    };
    let loaded = parts.runtime.load(bytes.to_vec(), &read_grant(&plugin.grant, parts.directory).await?).await?;
    let contracts = loaded.contracts().iter().map(|contract| contract.exact.clone()).collect();
    let row = record(&package, bytes, contracts, &admission, SystemClock.now(), "configuration");
    let bound = BoundPlugin { component: row.component.clone(), grant: plugin.grant.clone() };
    Ok((Candidate { plugin: loaded, bound }, known.is_none().then_some(row)))
}

/// The table of a configuration: what [bindings] says, and for all other contracts the only plugin that can answer.
fn table(parts: &Parts<'_>, candidates: &BTreeMap<String, Candidate>) -> anyhow::Result<BindingTable> {
    let settings = BindingSettings::read(&parts.config.bindings).map_err(|problem| anyhow::anyhow!("bindings: {problem}"))?;
    let mut answering: BTreeMap<ContractTrack, Vec<&Candidate>> = BTreeMap::new();
    for candidate in candidates.values() {
        for contract in candidate.plugin.contracts() {
            answering.entry(contract.track.clone()).or_default().push(candidate);
        }
    }
    let mut base = BindingTable::default();
    for (track, plugins) in answering.iter().filter(|(track, _)| !settings.contracts.contains_key(track)) {
        let [only] = plugins.as_slice() else {
            let names: Vec<&str> = plugins.iter().map(|candidate| candidate.plugin.name()).collect();
            bail!("several plugins answer {track}: {}; name one in [bindings]", names.join(", "));
        };
        let Some(pin) = only.plugin.pin(track) else { bail!("plugin `{}` does not answer {track}", only.plugin.name()) };
        base.rules.push(Binding::to(track.clone(), pin.into()));
        base.plugins.insert(only.plugin.digest().clone(), only.bound.clone());
    }
    let table = parts.natives.complete(build(base, &settings, candidates, parts.natives).map_err(anyhow::Error::msg)?);
    check_table(&table, parts.selectors).map_err(|problems| anyhow::anyhow!("bindings: {problems}"))?;
    Ok(table)
}
