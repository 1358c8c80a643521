//! Installation: verified, checked, compiled, tried and stored. It never touches traffic.

use engine::port::registry::{InstalledPlugin, Registry as _, RegistryChange, RegistryState};
use package::{Admission, Package, Upgrade, Version};
use pipeline::Timestamp;
use plugin_runtime::{LoadError, Verdict};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Registry, RegistryError, deed, edit,
    grants::{lines, missing, read_grant, trimmed},
    named,
};
use crate::trust;

/// What became of a file.
#[derive(Debug, Serialize)]
pub(crate) struct Installation {
    /// The plugin, as it is in the registry.
    pub(crate) plugin: InstalledPlugin,
    /// Whether it was not there before.
    pub(crate) fresh: bool,
    /// What speaks for it; nothing if it was there before.
    pub(crate) verdict: Option<Verdict>,
    /// What changes from the version that is bound now.
    pub(crate) upgrade: Option<Upgrade>,
    /// What its activation needs beside the grant that there is: lines of configuration.
    pub(crate) needs: Option<String>,
}

impl Registry {
    /// Installs a file. One that is installed already is left as it is.
    pub(crate) async fn install(&self, bytes: Vec<u8>, by: &str, from: &str, allow_downgrade: bool) -> Result<Installation, RegistryError> {
        // Compiling takes as long as it may, and no change waits for it: what was looked at is looked at again before the file is taken.
        let state = self.store.state().await?;
        let package = Package::read(&bytes, self.runtime.options().max_component_bytes).map_err(|error| RegistryError::Refused(error.to_string()))?;
        let newest = newest(&state, &package.manifest.name).filter(|_| !allow_downgrade);
        let known = state.plugin(&package.digest).cloned();
        let grant = trimmed(&package.manifest, &self.grant_of(&package.manifest.name).unwrap_or(Value::Null));
        let asks = missing(&package.manifest, &grant);
        let needs = (!asks.is_empty()).then(|| lines(&package.manifest.name, &asks));
        let upgrade = self.upgrade(&state, &package).await?;
        if let Some(plugin) = known {
            return Ok(Installation { plugin, fresh: false, verdict: None, upgrade, needs });
        }
        let admission = trust::admit_brought(&self.trust, &package, newest.as_ref()).map_err(|error| RegistryError::refused(&error))?;
        let verdict = self.runtime.verdict(bytes.clone(), None).await.map_err(|error| RegistryError::Refused(error.to_string()))?;
        if !verdict.good {
            return Err(RegistryError::Refused(verdict.to_string()));
        }
        if asks.is_empty() {
            self.try_out(bytes.clone(), &grant).await?;
        }
        let contracts = verdict.contracts.iter().filter_map(|contract| contract.exported.clone()).collect();
        let plugin = record(&package, &bytes, contracts, &admission, self.now(), by);
        let _turn = self.changing.lock().await;
        let state = self.state().await?;
        if let Some(plugin) = state.plugin(&package.digest).cloned() {
            return Ok(Installation { plugin, fresh: false, verdict: None, upgrade, needs });
        }
        let newest = self::newest(&state, &package.manifest.name).filter(|_| !allow_downgrade);
        trust::admit(&self.trust, &package, newest.as_ref()).map_err(|error| RegistryError::refused(&error))?;
        let mut deed = deed(by, "install", &named(&plugin), from);
        deed.after = json!({"plugin": plugin});
        let raised = raised(&state, &plugin);
        let change = RegistryChange { blobs: vec![bytes], install: vec![plugin.clone()], newest: raised, ..self.begin(&state, deed) };
        self.commit(change, None).await?;
        Ok(Installation { plugin, fresh: true, verdict: Some(verdict), upgrade, needs })
    }

    /// Compiles it under the grant that it would have, and begins it once.
    async fn try_out(&self, bytes: Vec<u8>, grant: &Value) -> Result<(), RegistryError> {
        let grant = read_grant(grant, &self.directory).await.map_err(|error| RegistryError::refused(&error))?;
        let refused = |error: LoadError| RegistryError::Refused(error.to_string());
        let plugin = self.runtime.load(bytes, &grant).await.map_err(refused)?;
        self.runtime.try_instantiate(&plugin).await.map_err(refused)
    }

    /// The grant that a plugin of that name has now, or else the configuration gives it.
    pub(super) fn grant_of(&self, name: &str) -> Option<Value> {
        let (_, table) = self.driver.current();
        let bound = edit::digests_of(&table, name).into_iter().find_map(|digest| table.plugins.get(&digest).map(|bound| bound.grant.clone()));
        bound.or_else(|| self.configured.get(name).cloned())
    }

    /// What is different from the version that is bound now.
    async fn upgrade(&self, state: &RegistryState, package: &Package) -> Result<Option<Upgrade>, RegistryError> {
        let (_, table) = self.driver.current();
        let bound = edit::digests_of(&table, &package.manifest.name).into_iter().filter(|digest| *digest != package.digest);
        let Some(old) = bound.filter_map(|digest| state.plugin(&digest)).next() else { return Ok(None) };
        let bytes = self.bytes(old).await?;
        // One that was installed under a higher limit is still what it is compared with.
        let old = Package::read(&bytes, bytes.len()).map_err(|error| RegistryError::Refused(error.to_string()))?;
        Ok(Some(Upgrade::between(&old.manifest, &package.manifest)))
    }
}

/// The newest version of a name that was ever installed.
pub(super) fn newest(state: &RegistryState, name: &str) -> Option<Version> {
    state.newest.get(name).and_then(|version| Version::parse(version).ok())
}

/// The entry that says so, when a plugin is newer than all before it.
pub(super) fn raised(state: &RegistryState, plugin: &InstalledPlugin) -> Vec<(String, String)> {
    let newer = match (newest(state, &plugin.name), Version::parse(&plugin.version)) {
        (Some(newest), Ok(version)) => version > newest,
        (None, _) | (_, Err(_)) => true,
    };
    if newer { vec![(plugin.name.clone(), plugin.version.clone())] } else { Vec::new() }
}

/// The row of a plugin.
pub(super) fn record(package: &Package, bytes: &[u8], contracts: Vec<String>, admission: &Admission, at: Timestamp, by: &str) -> InstalledPlugin {
    let manifest = &package.manifest;
    InstalledPlugin {
        digest: package.digest.clone(),
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        vendor: manifest.vendor.clone(),
        publisher: admission.publisher.clone(),
        component: blake3::hash(bytes).to_hex().to_string(),
        size: bytes.len() as u64,
        contracts,
        at,
        by: by.to_owned(),
    }
}
