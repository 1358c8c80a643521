//! A plugin that is loaded, and the table in which calls find it by its digest.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use pipeline::{ContractTrack, Digest, Pin, Provider, Revision, Verbs};
use serde::Serialize;
use wasmtime::component::InstancePre;

use crate::{
    bulkhead::Bulkhead,
    call::{CallState, Function},
    host::http::Rules,
    manifest::Manifest,
    options::Options,
};

/// A contract that a plugin answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PluginContract {
    /// The track on which definitions name it: `jackfield:order/inventory@1`.
    pub track: ContractTrack,
    /// The exact version, the highest of its track: `jackfield:order/inventory@1.1.0`.
    pub exact: String,
    /// What works beside `apply`.
    pub verbs: Verbs,
    /// Whether a repeated `apply` is safe.
    pub idempotent: bool,
}

/// A plugin that can be called. A cheap handle.
#[derive(Debug, Clone)]
pub struct Plugin {
    pub(crate) loaded: Arc<Loaded>,
}

/// What a call needs of a plugin, prepared when it was loaded.
pub(crate) struct Loaded {
    /// The name of the manifest, for what keeps it during a call.
    pub(crate) name: Arc<str>,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) digest: Digest,
    contracts: Arc<[PluginContract]>,
    functions: Arc<Functions>,
    pub(crate) pre: InstancePre<CallState>,
    pub(crate) granted: Granted,
    /// One for all grants of the same component.
    pub(crate) bulkhead: Arc<Bulkhead>,
}

/// The functions of all contracts, by exact contract and then by name.
pub(crate) type Functions = HashMap<String, HashMap<String, Function>>;

/// What the manifest asks for and the operator granted.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) http: Arc<Rules>,
    pub(crate) config: Arc<BTreeMap<String, String>>,
}

impl Loaded {
    pub(crate) fn new(
        manifest: Manifest,
        digest: Digest,
        contracts: Vec<PluginContract>,
        functions: Functions,
        pre: InstancePre<CallState>,
        granted: Granted,
        options: &Options,
    ) -> Self {
        let bulkhead = Arc::new(Bulkhead::new(options.max_calls_per_plugin, options.max_queue_per_plugin));
        Self {
            name: manifest.name.as_str().into(),
            manifest: Arc::new(manifest),
            digest,
            contracts: contracts.into(),
            functions: Arc::new(functions),
            pre,
            granted,
            bulkhead,
        }
    }

    /// The same component under other grants; nothing is compiled again.
    pub(crate) fn regranted(&self, granted: Granted) -> Self {
        Self {
            name: Arc::clone(&self.name),
            manifest: Arc::clone(&self.manifest),
            digest: self.digest.clone(),
            contracts: Arc::clone(&self.contracts),
            functions: Arc::clone(&self.functions),
            pre: self.pre.clone(),
            granted,
            bulkhead: Arc::clone(&self.bulkhead),
        }
    }

    /// A function of an exact contract version.
    pub(crate) fn function(&self, contract: &str, function: &str) -> Option<&Function> {
        self.functions.get(contract)?.get(function)
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded").field("name", &self.manifest.name).field("digest", &self.digest).finish_non_exhaustive()
    }
}

impl Plugin {
    pub(crate) fn new(loaded: Loaded) -> Self {
        Self { loaded: Arc::new(loaded) }
    }

    /// The name in its manifest.
    pub fn name(&self) -> &str {
        &self.loaded.manifest.name
    }

    /// The version in its manifest.
    pub fn version(&self) -> &str {
        &self.loaded.manifest.version
    }

    /// The sha256 of its bytes.
    pub fn digest(&self) -> &Digest {
        &self.loaded.digest
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.loaded.manifest
    }

    /// The contracts it answers.
    pub fn contracts(&self) -> &[PluginContract] {
        &self.loaded.contracts
    }

    /// The pin for a contract track that it answers.
    pub fn pin(&self, track: &ContractTrack) -> Option<Pin> {
        let contract = self.contracts().iter().find(|contract| contract.track == *track)?;
        let provider = Provider::Plugin { name: self.name().to_owned(), version: self.version().to_owned(), digest: self.digest().clone() };
        Some(Pin { provider, contract: contract.exact.clone(), verbs: contract.verbs, idempotent: contract.idempotent })
    }

    /// Calls that run now and calls that wait.
    pub fn load(&self) -> (u32, u32) {
        self.loaded.bulkhead.load()
    }
}

/// The plugins that can be called. A cheap handle.
///
/// A plugin is found by its digest. What it may reach can depend on the revision of the binding table that a run is pinned to, so a plugin may be added for one
/// revision; that one is preferred by runs of the revision.
#[derive(Debug, Clone, Default)]
pub struct Plugins {
    tables: Arc<RwLock<Tables>>,
}

#[derive(Debug, Default)]
struct Tables {
    by_digest: HashMap<Digest, Plugin>,
    by_revision: HashMap<Revision, HashMap<Digest, Plugin>>,
}

impl Plugins {
    /// Makes a plugin callable by runs of every revision that has no grants of its own for it.
    pub fn add(&self, plugin: Plugin) {
        self.write().by_digest.insert(plugin.digest().clone(), plugin);
    }

    /// Makes a plugin callable, with its grants, by runs of one revision.
    pub fn add_for(&self, revision: Revision, plugin: Plugin) {
        self.write().by_revision.entry(revision).or_default().insert(plugin.digest().clone(), plugin);
    }

    /// The plugin of a digest.
    pub fn get(&self, digest: &Digest) -> Option<Plugin> {
        self.read().by_digest.get(digest).cloned()
    }

    /// The plugin of a digest with the grants of a revision, or else with those of `add`.
    pub fn get_for(&self, revision: &Revision, digest: &Digest) -> Option<Plugin> {
        let tables = self.read();
        let own = tables.by_revision.get(revision).and_then(|plugins| plugins.get(digest));
        own.or_else(|| tables.by_digest.get(digest)).cloned()
    }

    /// Ends a plugin's being callable under any grants; calls that run are not disturbed.
    pub fn remove(&self, digest: &Digest) -> Option<Plugin> {
        let mut tables = self.write();
        let of_revisions: Vec<_> = tables.by_revision.values_mut().filter_map(|plugins| plugins.remove(digest)).collect();
        tables.by_digest.remove(digest).or_else(|| of_revisions.into_iter().next())
    }

    /// Those that were added for every revision, by name and version.
    pub fn all(&self) -> Vec<Plugin> {
        let mut all: Vec<_> = self.read().by_digest.values().cloned().collect();
        all.sort_by(|a, b| (a.name(), a.version(), a.digest()).cmp(&(b.name(), b.version(), b.digest())));
        all
    }

    fn read(&self) -> RwLockReadGuard<'_, Tables> {
        self.tables.read().expect("no holder of the lock panics")
    }

    fn write(&self) -> RwLockWriteGuard<'_, Tables> {
        self.tables.write().expect("no holder of the lock panics")
    }
}
