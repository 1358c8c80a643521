//! Plugins in the host: installed from files at the start, kept in the store by content, called by the revision that a run is pinned to.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail};
use async_trait::async_trait;
use engine::{
    BindingTable,
    port::{BlobHash, Blobs, Call, CallReport, CallTelemetry, Runner},
};
use package::{Package, TrustList};
use pipeline::{Failure, FailureClass, Revision};
use plugin_runtime::{Grant, HttpRule, Plugin, Plugins, Runtime, WasmRunner};
use serde::Deserialize;
use serde_json::Value;
use store_sqlite::Store;
use tokio::sync::RwLock;
use tracing::warn;

use crate::{
    config::{Config, resolve, with_nearest},
    trust::{admit, admit_again, admit_pinned},
};

/// A plugin of the configuration, checked, compiled and stored.
#[derive(Debug)]
pub(crate) struct Installed {
    pub(crate) plugin: Plugin,
    pub(crate) component: BlobHash,
    /// The grant with its references: secrets are never stored.
    pub(crate) grant: Value,
}

/// Looks at all grants before anything is opened: a secret that is missing and a key that is not known stop the start.
pub(crate) fn check_grants(config: &Config, directory: &Path) -> anyhow::Result<()> {
    for (name, plugin) in &config.plugins {
        read_grant(&plugin.grant, directory).with_context(|| format!("plugins.{name}"))?;
    }
    Ok(())
}

/// A grant with its secrets. An error names the place.
fn read_grant(grant: &Value, directory: &Path) -> anyhow::Result<Grant> {
    let resolved = resolve(grant, directory)?;
    if resolved.is_null() {
        return Ok(Grant::default());
    }
    let named = |place: String| move |error: serde_json::Error| anyhow::anyhow!("{place}: {}", with_nearest(&error.to_string()));
    for (endpoint, rule) in resolved["http"].as_object().into_iter().flatten() {
        HttpRule::deserialize(rule).map_err(named(format!("grant.http.{endpoint}")))?;
    }
    Grant::deserialize(&resolved).map_err(named("grant".to_owned()))
}

/// Installs every plugin of the configuration; the first that cannot be installed stops the start.
pub(crate) async fn install(
    runtime: &Runtime,
    blobs: &dyn Blobs,
    trust: &TrustList,
    config: &Config,
    directory: &Path,
) -> anyhow::Result<Vec<Installed>> {
    let mut installed = Vec::with_capacity(config.plugins.len());
    for (name, plugin) in &config.plugins {
        let bytes = std::fs::read(&plugin.path).with_context(|| format!("plugins.{name}.path: {} cannot be read", plugin.path.display()))?;
        let package = Package::read(&bytes, config.runtime.max_component_bytes).with_context(|| format!("plugins.{name}"))?;
        if package.manifest.name != *name {
            bail!("plugins.{name}: {} says that its name is `{}`", plugin.path.display(), package.manifest.name);
        }
        // What the store has was installed before; a restart is no new installation.
        let known = blobs.get(blake3::hash(&bytes).to_hex().as_str()).await?.is_some();
        let admitted = if known { admit_again(trust, &package) } else { admit(trust, &package, None) };
        admitted.with_context(|| format!("plugins.{name}"))?;
        let loaded = load(runtime, bytes.clone(), &plugin.grant, directory).await.with_context(|| format!("plugins.{name}"))?;
        let component = blobs.put(bytes).await?;
        installed.push(Installed { plugin: loaded, component, grant: plugin.grant.clone() });
    }
    Ok(installed)
}

async fn load(runtime: &Runtime, bytes: Vec<u8>, grant: &Value, directory: &Path) -> anyhow::Result<Plugin> {
    Ok(runtime.load(bytes, &read_grant(grant, directory)?).await?)
}

/// The plugins of every revision that is called for. A revision is brought in when its first call comes: from the store, not from the
/// configuration, so that a run finds its plugin after the configuration has moved on.
#[derive(Debug)]
pub(crate) struct Shelf {
    runtime: Runtime,
    store: Arc<Store>,
    calls: Arc<dyn CallTelemetry>,
    trust: Arc<TrustList>,
    directory: PathBuf,
    runners: RwLock<HashMap<Revision, Arc<WasmRunner>>>,
}

impl Shelf {
    pub(crate) fn new(runtime: Runtime, store: Arc<Store>, calls: Arc<dyn CallTelemetry>, trust: Arc<TrustList>, directory: PathBuf) -> Self {
        Self { runtime, store, calls, trust, directory, runners: RwLock::default() }
    }

    async fn runner(&self, revision: &Revision) -> anyhow::Result<Arc<WasmRunner>> {
        if let Some(runner) = self.runners.read().await.get(revision) {
            return Ok(runner.clone());
        }
        // Held while the revision is brought in, so that it is compiled once.
        let mut runners = self.runners.write().await;
        if let Some(runner) = runners.get(revision) {
            return Ok(runner.clone());
        }
        let Some(table) = BindingTable::read(&*self.store, revision).await? else { bail!("binding-table revision {revision} is not in the store") };
        let plugins = Plugins::default();
        for (digest, bound) in &table.plugins {
            let Some(bytes) = Blobs::get(&*self.store, &bound.component).await? else { bail!("plugin {digest} is not in the store") };
            if let Err(refusal) = admit_pinned(&self.trust, &bytes) {
                // It is missing in the table then: its calls are held, those of its neighbours are not.
                warn!("plugin {digest} is pinned by runs and may not be loaded any more: {refusal:#}");
                continue;
            }
            plugins.add(load(&self.runtime, bytes, &bound.grant, &self.directory).await.with_context(|| format!("plugin {digest}"))?);
        }
        let runner = Arc::new(WasmRunner::new(self.runtime.clone(), plugins, self.store.clone(), self.calls.clone()));
        runners.insert(revision.clone(), runner.clone());
        Ok(runner)
    }
}

#[async_trait]
impl Runner for Shelf {
    async fn call(&self, call: Call) -> CallReport {
        match self.runner(&call.revision).await {
            Ok(runner) => runner.call(call).await,
            Err(error) => CallReport::failed(Failure::new(FailureClass::Held, "plugin.instantiate", format!("{error:#}")), false),
        }
    }
}
