//! The registry: plugins are installed, put into service, watched, taken back and removed here. Everything that changes what answers a step is one durable
//! change with one audit entry; a crash leaves the old state or the new one.

mod activate;
mod canary;
mod collect;
mod configured;
mod drop_folder;
mod edit;
mod error;
mod grants;
mod install;
mod look;
mod meter;
mod native;
mod quarantine;
mod rebind;
mod repin;
mod shelf;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, PoisonError, Weak},
    time::Duration,
};

use engine::{
    BindingTable, BoundPlugin, Driver, SelectorNames, StepPreview,
    port::{
        Blobs, Clock, ReadError, SystemClock,
        registry::{Deed, InstalledPlugin, Registry as _, RegistryChange, RegistryState},
    },
};
use package::TrustList;
use pipeline::{ContractTrack, Digest, PipelineName, Revision, RunId, TenantName, Timestamp};
use plugin_runtime::{Plugin, Runtime};
use serde_json::{Value, json};
use store_sqlite::Store;
use tokio::{
    sync::{Mutex, oneshot},
    task::JoinSet,
};
use tracing::warn;

pub(crate) use self::{
    activate::Activation,
    configured::{Parts, current},
    drop_folder::watch_drop_folder,
    error::RegistryError,
    grants::check_grants,
    native::{CWMP, EMBEDDED_INVENTORY, EMBEDDED_PROFILE, Natives},
    repin::Wanted as Repin,
    shelf::Shelf,
};
use crate::config::{Config, Given};

/// The registry of a serving host.
#[derive(Debug)]
pub(crate) struct Registry {
    store: Arc<Store>,
    runtime: Runtime,
    trust: Arc<TrustList>,
    shelf: Shelf,
    driver: Arc<Driver>,
    /// The implementations inside the host.
    natives: Natives,
    /// What references in grants are relative to.
    directory: PathBuf,
    /// What grants may refer to that come in over the interface.
    given: Given,
    /// The grants of the configuration, by the name of the plugin.
    configured: BTreeMap<String, Value>,
    /// Held by whoever makes a change, from the look at the state to the end.
    changing: Mutex<()>,
    /// The tables that runs are being moved to.
    targets: std::sync::Mutex<Vec<Weak<Revision>>>,
    /// Changes under way. They go on when nobody waits for the answer any more.
    under_way: std::sync::Mutex<JoinSet<()>>,
}

impl Registry {
    /// The registry over the parts of a host.
    pub(crate) async fn new(parts: &Parts<'_>, driver: Arc<Driver>) -> Result<Self, RegistryError> {
        let registry = Self {
            store: parts.store.clone(),
            runtime: parts.runtime.clone(),
            trust: parts.trust.clone(),
            shelf: parts.shelf.clone(),
            driver,
            natives: parts.natives.clone(),
            directory: parts.directory.to_owned(),
            given: Given::of(parts.config, parts.directory).map_err(RegistryError::Invalid)?,
            configured: grants_of(parts.config),
            changing: Mutex::default(),
            targets: std::sync::Mutex::default(),
            under_way: std::sync::Mutex::default(),
        };
        registry.watch(&registry.state().await?);
        Ok(registry)
    }

    /// Waits for the changes under way, as long as it may take.
    pub(crate) async fn come_to_rest(&self, budget: Duration) {
        let mut under_way = std::mem::take(&mut *self.under_way.lock().unwrap_or_else(PoisonError::into_inner));
        let rested = tokio::time::timeout(budget, async { while under_way.join_next().await.is_some() {} }).await;
        if rested.is_err() {
            warn!("{} requests for the registry were still being carried out; each change that was made is whole", under_way.len());
        }
    }

    /// Does something to the end, also when whoever asked for it goes away: a change is in force as soon as it is durable.
    pub(crate) async fn carry_out<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            while under_way.try_join_next().is_some() {}
            under_way.spawn(async move { drop(answer.send(work.await)) });
        }
        answered.await.ok()
    }

    /// What is in force, for whoever makes a change. Where one was made and its answer lost, everybody is told of it here; only under the lock of changes,
    /// because the state might be an old one otherwise.
    async fn state(&self) -> Result<RegistryState, RegistryError> {
        let state = self.store.state().await?;
        if let Some(current) = &state.current
            && self.driver.current().0 != current.revision
        {
            let table = self.table(&current.revision).await?;
            self.driver.rebind(Arc::new(table), current.revision.clone());
        }
        self.shelf.agree(&state.quarantine);
        self.watch(&state);
        Ok(state)
    }

    /// What each step of a run would get under the current table.
    pub(crate) fn preview(
        &self,
        tenant: &TenantName,
        pipeline: &PipelineName,
        input: Value,
        run: Option<&str>,
    ) -> Result<Vec<StepPreview>, RegistryError> {
        let run = run.map(RunId::new).transpose().map_err(|error| RegistryError::Invalid(error.to_string()))?;
        self.driver.preview(tenant, pipeline, input, run.as_ref()).map_err(RegistryError::Invalid)
    }

    /// The largest plugin that is taken, in bytes.
    pub(crate) fn max_bytes(&self) -> usize {
        self.runtime.options().max_component_bytes
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn begin(&self, state: &RegistryState, deed: Deed) -> RegistryChange {
        RegistryChange::of(state.number, self.now(), deed)
    }

    /// Writes an entry into the audit trail of something that changes no plugin.
    pub(crate) async fn note(&self, by: &str, action: &str, subject: &str) -> Result<(), RegistryError> {
        let _turn = self.changing.lock().await;
        let state = self.state().await?;
        self.commit(self.begin(&state, deed(by, action, subject, "")), None).await.map(drop)
    }

    async fn table(&self, revision: &Revision) -> Result<BindingTable, RegistryError> {
        let unknown = || ReadError::Unavailable(format!("binding-table revision {revision} is not in the store"));
        Ok(BindingTable::read(&*self.store, revision).await?.ok_or_else(unknown)?)
    }

    /// Makes a change durable, and then what it says true here: its table is current, its quarantine holds. Only then is anything read, so that a store that
    /// cannot be read keeps nothing from being in force.
    async fn commit(&self, mut change: RegistryChange, table: Option<BindingTable>) -> Result<RegistryState, RegistryError> {
        let mut rebound = None;
        if let Some(table) = table {
            // A table that was made before this host had an implementation has no rule for it.
            let table = self.natives.complete(table);
            check_table(&table, &self.driver.selectors())
                .map_err(|problems| RegistryError::Refused(format!("these bindings cannot be used:\n{problems}")))?;
            let (revision, bytes) = stored(&table)?;
            if revision != self.driver.current().0 {
                for (digest, error) in self.shelf.prepare(&revision, &table).await {
                    warn!("plugin {digest} is bound and cannot be called: {error:#}");
                }
                change.blobs.push(bytes);
                change.current = Some(revision.clone());
                rebound = Some((Arc::new(table), revision));
            }
        }
        let (quarantine, made) = (change.quarantine.clone(), format!("{} {}", change.deed.action, change.deed.subject));
        self.store.change(change).await?;
        let is_rebound = rebound.is_some();
        if let Some((table, revision)) = rebound {
            self.driver.rebind(table, revision);
        }
        for (digest, entry) in &quarantine {
            self.shelf.quarantine(digest, entry.as_ref().map(|entry| &*entry.reason));
        }
        if is_rebound {
            self.tidy().await;
        }
        self.state().await.map_err(|error| RegistryError::Unread { made, error: error.to_string() })
    }

    /// A version in the place of all others of its name, under the grant that it has in the table.
    async fn put_everywhere(&self, table: &BindingTable, digest: &Digest) -> Result<BindingTable, RegistryError> {
        let bound = table.plugins.get(digest).cloned().ok_or_else(|| RegistryError::Refused(format!("plugin {digest} is not bound")))?;
        let plugin = self.shelf.obtain(digest, &bound).await.map_err(|error| RegistryError::refused(&error))?;
        with_version(&plugin, bound, |version| edit::put(table, version)).map_err(RegistryError::Refused)
    }

    /// The installed plugin that a person means: NAME@VERSION, a digest, or its first digits.
    fn find<'a>(&self, state: &'a RegistryState, spec: &str) -> Result<&'a InstalledPlugin, RegistryError> {
        let found: Vec<&InstalledPlugin> = match spec.split_once('@') {
            Some((name, version)) => state.plugins.iter().filter(|plugin| plugin.name == name && plugin.version == version).collect(),
            None if spec.len() >= 8 && spec.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                state.plugins.iter().filter(|plugin| plugin.digest.as_str().starts_with(&spec.to_ascii_lowercase())).collect()
            }
            None => return Err(RegistryError::Invalid(format!("`{spec}` names no version: expected NAME@VERSION or a digest"))),
        };
        match found.as_slice() {
            [one] => Ok(one),
            [] => {
                let name = spec.split('@').next().unwrap_or(spec);
                let versions: Vec<String> = state.plugins.iter().filter(|plugin| plugin.name == name).map(named).collect();
                let known = if versions.is_empty() { String::new() } else { format!("; of that name there are {}", versions.join(", ")) };
                Err(RegistryError::NotFound(format!("no plugin `{spec}` is installed{known}")))
            }
            several => {
                let digests: Vec<String> = several.iter().map(|plugin| plugin.digest.to_string()).collect();
                Err(RegistryError::Refused(format!("`{spec}` is several plugins; name one by its digest: {}", digests.join(", "))))
            }
        }
    }

    /// The bytes of an installed plugin.
    async fn bytes(&self, plugin: &InstalledPlugin) -> Result<Vec<u8>, RegistryError> {
        let gone = || ReadError::Unavailable(format!("the bytes of plugin {} are not in the store", plugin.digest));
        Ok(Blobs::get(&*self.store, &plugin.component).await?.ok_or_else(gone)?)
    }

    /// A table as people and the audit trail see it.
    fn described(&self, state: &RegistryState, table: &BindingTable) -> Value {
        let mut described = rebind::describe(table);
        if let (Some(current), Ok((revision, _))) = (&state.current, stored(table))
            && current.revision == revision
        {
            described["number"] = json!(current.number);
        }
        described
    }
}

/// Grants of a configuration by the name of the plugin.
fn grants_of(config: &Config) -> BTreeMap<String, Value> {
    config.plugins.iter().map(|(name, plugin)| (name.clone(), plugin.grant.clone())).collect()
}

/// Whether a table can be used; if not, all that is wrong, a line each.
fn check_table(table: &BindingTable, selectors: &SelectorNames) -> Result<(), String> {
    table.check(selectors).map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// The revision of a table and its bytes.
fn stored(table: &BindingTable) -> Result<(Revision, Vec<u8>), RegistryError> {
    let no_form = |error: &dyn std::fmt::Display| RegistryError::Refused(format!("the binding table has no stored form: {error}"));
    let bytes = table.bytes().map_err(|error| no_form(&error))?;
    let revision = Revision::new(blake3::hash(&bytes).to_hex().as_str()).map_err(|error| no_form(&error))?;
    Ok((revision, bytes))
}

/// A plugin as an edit of a table takes it.
fn with_version<R>(plugin: &Plugin, bound: BoundPlugin, then: impl FnOnce(&edit::Version<'_>) -> R) -> R {
    let contracts = plugin.contracts().iter().map(|contract| contract.track.clone()).collect();
    let pin = |track: &ContractTrack| plugin.pin(track);
    then(&edit::Version { name: plugin.name(), digest: plugin.digest(), bound, pin: &pin, contracts })
}

/// `NAME@VERSION (first digits of the digest)`.
fn named(plugin: &InstalledPlugin) -> String {
    format!("{}@{} ({})", plugin.name, plugin.version, short(&plugin.digest))
}

/// Enough of a digest for people.
fn short(digest: &Digest) -> &str {
    &digest.as_str()[..12]
}

fn deed(by: &str, action: &str, subject: &str, note: &str) -> Deed {
    Deed { by: by.to_owned(), action: action.to_owned(), subject: subject.to_owned(), before: Value::Null, after: Value::Null, note: note.to_owned() }
}
