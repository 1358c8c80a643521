//! The plugins that can be called now. What a run is pinned to is brought in when its first call comes: from the store, not from the configuration, so that
//! a run finds its plugin after everything else has moved on.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use anyhow::{Context, bail};
use engine::{
    BindingTable, BoundPlugin,
    port::{Blobs, Call, CallReport, CallTelemetry, ReadError, Runner, registry::Quarantine},
};
use package::TrustList;
use pipeline::{Digest, Failure, FailureClass, Provider, Revision};
use plugin_runtime::{LoadError, Plugin, PluginHealth, Plugins, Runtime, WasmRunner};
use store_sqlite::Store;
use tokio::sync::Mutex as AsyncMutex;
use tracing::warn;

use super::{grants::read_grant, meter::Meter};
use crate::trust;

/// The shelf. A cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    runtime: Runtime,
    store: Arc<Store>,
    trust: Arc<TrustList>,
    /// What references in grants are relative to.
    directory: PathBuf,
    plugins: Plugins,
    runner: WasmRunner,
    /// The digests that are never put on the shelf, with the reason that a run is given.
    quarantine: Mutex<HashMap<Digest, String>>,
    /// Each digest once, under whatever grant it was compiled for first. Whoever brings one in holds its lock, so that it is compiled once, however many
    /// calls wait for it.
    compiled: Mutex<HashMap<Digest, Arc<AsyncMutex<Option<Plugin>>>>>,
    meter: Meter,
}

impl Shelf {
    pub(crate) fn new(runtime: Runtime, store: Arc<Store>, calls: Arc<dyn CallTelemetry>, trust: Arc<TrustList>, directory: PathBuf) -> Self {
        let plugins = Plugins::default();
        let runner = WasmRunner::new(runtime.clone(), plugins.clone(), store.clone(), calls);
        let (quarantine, compiled) = (Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { runtime, store, trust, directory, plugins, runner, quarantine, compiled, meter: Meter::default() }) }
    }

    /// What calls are measured by.
    pub(super) fn meter(&self) -> &Meter {
        &self.inner.meter
    }

    /// A plugin under a grant, compiled unless that was done before. It cannot be called yet.
    pub(super) async fn obtain(&self, digest: &Digest, bound: &BoundPlugin) -> anyhow::Result<Plugin> {
        let Inner { runtime, store, trust, directory, .. } = &*self.inner;
        let grant = read_grant(&bound.grant, directory).await?;
        let place = lock(&self.inner.compiled).entry(digest.clone()).or_default().clone();
        let mut compiled = place.lock().await;
        if let Some(plugin) = &*compiled {
            return Ok(runtime.regrant(plugin, &grant)?);
        }
        let Some(bytes) = Blobs::get(&**store, &bound.component).await? else { bail!("plugin {digest} is not in the store") };
        trust::admit_pinned(trust, &bytes).inspect_err(|refusal| {
            // Its calls are held, those of its neighbours are not.
            warn!("plugin {digest} is pinned by runs and may not be loaded any more: {refusal:#}");
        })?;
        let plugin = runtime.load(bytes, &grant).await?;
        *compiled = Some(plugin.clone());
        Ok(plugin)
    }

    /// Puts a plugin on the shelf that was compiled elsewhere.
    pub(super) fn adopt(&self, revision: &Revision, plugin: Plugin) {
        let place = Arc::new(AsyncMutex::new(Some(plugin.clone())));
        lock(&self.inner.compiled).insert(plugin.digest().clone(), place);
        self.put(revision, plugin);
    }

    /// Lets runs of a revision call a plugin, unless it is quarantined.
    pub(super) fn put(&self, revision: &Revision, plugin: Plugin) {
        let digest = plugin.digest().clone();
        self.inner.plugins.add_for(revision.clone(), plugin);
        // A quarantine that came in between has looked at the shelf before the plugin was on it.
        if lock(&self.inner.quarantine).contains_key(&digest) {
            self.inner.plugins.remove(&digest);
        }
    }

    /// Brings in every plugin of a table that is not quarantined; those that cannot be, with the reason.
    pub(super) async fn prepare(&self, revision: &Revision, table: &BindingTable) -> Vec<(Digest, anyhow::Error)> {
        let mut problems = Vec::new();
        for (digest, bound) in &table.plugins {
            if self.quarantined(digest).is_some() || self.inner.plugins.has_for(revision, digest) {
                continue;
            }
            match self.obtain(digest, bound).await {
                Ok(plugin) => self.put(revision, plugin),
                Err(error) => problems.push((digest.clone(), error)),
            }
        }
        problems
    }

    /// Ends calls of a digest, or lets them be made again. Calls that run are not disturbed.
    pub(super) fn quarantine(&self, digest: &Digest, reason: Option<&str>) {
        let mut quarantine = lock(&self.inner.quarantine);
        match reason {
            Some(reason) => {
                quarantine.insert(digest.clone(), reason.to_owned());
                self.inner.plugins.remove(digest);
                lock(&self.inner.compiled).remove(digest);
            }
            None => drop(quarantine.remove(digest)),
        }
    }

    /// Quarantines what is quarantined and nothing else.
    pub(super) fn agree(&self, quarantine: &BTreeMap<Digest, Quarantine>) {
        let known: Vec<Digest> = lock(&self.inner.quarantine).keys().cloned().collect();
        known.iter().filter(|digest| !quarantine.contains_key(*digest)).for_each(|digest| self.quarantine(digest, None));
        let fresh = quarantine.iter().filter(|(digest, _)| !known.contains(digest));
        fresh.for_each(|(digest, entry)| self.quarantine(digest, Some(&entry.reason)));
    }

    /// How a plugin is doing, under the grant of a revision if it has one there; nothing if it cannot be called now.
    pub(super) fn health(&self, revision: &Revision, digest: &Digest) -> Option<PluginHealth> {
        if let Some(plugin) = self.inner.plugins.get_for(revision, digest) {
            return Some(plugin.health());
        }
        let place = lock(&self.inner.compiled).get(digest).cloned()?;
        // One that is being brought in just now has not been called yet.
        let plugin = place.try_lock().ok()?;
        plugin.as_ref().map(Plugin::health)
    }

    /// Keeps what runs of these revisions may call; the rest is brought in again if it should be called for.
    pub(super) fn keep(&self, revisions: &HashSet<Revision>) {
        let mut digests = HashSet::new();
        self.inner.plugins.retain(|revision, digest| {
            let wanted = revisions.contains(revision);
            if wanted {
                digests.insert(digest.clone());
            }
            wanted
        });
        // One that is being brought in just now has no place on the shelf yet.
        lock(&self.inner.compiled).retain(|digest, place| digests.contains(digest) || place.try_lock().is_err());
    }

    /// Why a digest is not called, if it is quarantined.
    pub(super) fn quarantined(&self, digest: &Digest) -> Option<String> {
        lock(&self.inner.quarantine).get(digest).cloned()
    }

    /// Brings in what a call wants and is not there. Each plugin of a revision by itself, so that a bad one costs only its own steps.
    async fn bring_in(&self, revision: &Revision, digest: &Digest) -> Result<(), Failure> {
        let held = |kind: &str, message: String| Failure::new(FailureClass::Held, kind, message);
        let failed = |error: anyhow::Error| {
            // What passes is tried again; anything else needs a person.
            let passes = error.downcast_ref::<ReadError>().is_some_and(|error| matches!(error, ReadError::Unavailable(_)))
                || error.downcast_ref::<LoadError>() == Some(&LoadError::Stopped);
            let class = if passes { FailureClass::Unavailable } else { FailureClass::Held };
            Failure::new(class, "plugin.instantiate", format!("{error:#}"))
        };
        if let Some(reason) = self.quarantined(digest) {
            return Err(held("plugin.quarantined", format!("plugin {digest} is quarantined: {reason}")));
        }
        let wanted = async {
            let table = BindingTable::read(&*self.inner.store, revision).await?;
            let table = table.with_context(|| format!("binding-table revision {revision} is not in the store"))?;
            let bound = table.plugins.get(digest).with_context(|| format!("plugin {digest} is not in binding-table revision {revision}"))?;
            self.obtain(digest, bound).await.with_context(|| format!("plugin {digest}"))
        };
        let plugin = wanted.await.map_err(failed)?;
        self.put(revision, plugin);
        Ok(())
    }

    async fn measured(&self, call: Call) -> CallReport {
        let Some(counts) = self.inner.meter.of(&call) else { return self.answer(call).await };
        let begun = Instant::now();
        let report = self.answer(call).await;
        counts.add(begun.elapsed(), &report);
        report
    }

    async fn answer(&self, call: Call) -> CallReport {
        if let Provider::Plugin { digest, .. } = &call.pin.provider
            && !self.inner.plugins.has_for(&call.revision, digest)
            && let Err(failure) = self.bring_in(&call.revision, digest).await
        {
            return CallReport::failed(failure, false);
        }
        self.inner.runner.call(call).await
    }
}

/// Written without the macro: a call of what is on the shelf while nothing is measured, which is nearly every one, costs no future of its own.
impl Runner for Shelf {
    fn call<'life0, 'async_trait>(&'life0 self, call: Call) -> Pin<Box<dyn Future<Output = CallReport> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        match &call.pin.provider {
            Provider::Plugin { digest, .. } if !self.inner.meter.is_active() && self.inner.plugins.has_for(&call.revision, digest) => {
                self.inner.runner.call(call)
            }
            Provider::Plugin { .. } | Provider::Native { .. } => Box::pin(self.measured(call)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
