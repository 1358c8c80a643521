//! A plugin that is loaded, and the table in which calls find it by its digest.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, RwLock},
};

use pipeline::{ContractTrack, Digest, Pin, Provider, Verbs};
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
    pub(crate) manifest: Manifest,
    pub(crate) digest: Digest,
    contracts: Vec<PluginContract>,
    functions: HashMap<String, HashMap<String, Function>>,
    pub(crate) pre: InstancePre<CallState>,
    pub(crate) granted: Granted,
    pub(crate) bulkhead: Bulkhead,
}

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
        functions: HashMap<String, HashMap<String, Function>>,
        pre: InstancePre<CallState>,
        granted: Granted,
        options: &Options,
    ) -> Self {
        let bulkhead = Bulkhead::new(options.max_calls_per_plugin, options.max_queue_per_plugin);
        Self { manifest, digest, contracts, functions, pre, granted, bulkhead }
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
        let provider =
            Provider::Plugin { name: self.name().to_owned(), version: self.version().to_owned(), digest: self.digest().clone() };
        Some(Pin { provider, contract: contract.exact.clone(), verbs: contract.verbs, idempotent: contract.idempotent })
    }

    /// Calls that run now and calls that wait.
    pub fn load(&self) -> (u32, u32) {
        self.loaded.bulkhead.load()
    }
}

/// The plugins that can be called, by digest. A cheap handle.
#[derive(Debug, Clone, Default)]
pub struct Plugins {
    by_digest: Arc<RwLock<HashMap<Digest, Plugin>>>,
}

impl Plugins {
    /// Makes a plugin callable.
    pub fn add(&self, plugin: Plugin) {
        self.by_digest.write().expect("no holder of the lock panics").insert(plugin.digest().clone(), plugin);
    }

    /// The plugin of a digest.
    pub fn get(&self, digest: &Digest) -> Option<Plugin> {
        self.by_digest.read().expect("no holder of the lock panics").get(digest).cloned()
    }

    /// Ends a plugin's being callable; calls that run are not disturbed.
    pub fn remove(&self, digest: &Digest) -> Option<Plugin> {
        self.by_digest.write().expect("no holder of the lock panics").remove(digest)
    }

    /// All of them, by name and version.
    pub fn all(&self) -> Vec<Plugin> {
        let mut all: Vec<_> = self.by_digest.read().expect("no holder of the lock panics").values().cloned().collect();
        all.sort_by(|a, b| (a.name(), a.version(), a.digest()).cmp(&(b.name(), b.version(), b.digest())));
        all
    }
}
