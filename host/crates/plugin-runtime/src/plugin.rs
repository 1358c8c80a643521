//! A plugin that is loaded, and the table in which calls find it by its digest.

mod table;

use std::{collections::BTreeMap, fmt, net::SocketAddr, sync::Arc, time::Instant};

use package::Manifest;
use pipeline::{ContractTrack, Digest, Pin, Provider, Verbs};
use serde::Serialize;
use serde_json::Value;
use wasmtime::component::InstancePre;

pub use self::table::Plugins;
use crate::{
    bulkhead::Bulkhead,
    call::{CallState, Function},
    guard::{Guard, Guards, PluginHealth},
    host::{http::Rules, secrets::Secrets},
    limits::Holds,
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

/// A value that crosses between host and plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    /// What `apply` is asked for.
    Request,
    /// What `undo` is given.
    Receipt,
    /// What `apply` returns when it is done.
    Output,
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
    /// One for all that was loaded of the same digest.
    pub(crate) guard: Arc<Guard>,
    pub(crate) bulkhead: Arc<Bulkhead>,
    pub(crate) holds: Arc<Holds>,
}

/// The functions of all contracts, by exact contract and then by name. There are a handful of each: looking at them is faster than hashing.
pub(crate) type Functions = Vec<(String, Vec<(String, Function)>)>;

/// What the manifest asks for and the operator granted.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) http: Arc<Rules>,
    pub(crate) config: Arc<BTreeMap<String, String>>,
    pub(crate) tcp: Arc<[SocketAddr]>,
    pub(crate) secrets: Arc<Secrets>,
}

impl Loaded {
    #[expect(clippy::too_many_arguments, reason = "the parts of a plugin, each of which comes from elsewhere, put together in one place")]
    pub(crate) fn new(
        manifest: Manifest,
        digest: Digest,
        contracts: Vec<PluginContract>,
        functions: Functions,
        pre: InstancePre<CallState>,
        granted: Granted,
        holds: Holds,
        guards: &Guards,
    ) -> Self {
        let guard = guards.of(&manifest.name, &digest);
        let bulkhead = guard.room(holds.max_calls, holds.max_queue);
        Self {
            name: manifest.name.as_str().into(),
            manifest: Arc::new(manifest),
            digest,
            contracts: contracts.into(),
            functions: Arc::new(functions),
            pre,
            granted,
            guard,
            bulkhead,
            holds: Arc::new(holds),
        }
    }

    /// The same component under other grants; nothing is compiled again.
    pub(crate) fn regranted(&self, granted: Granted, holds: Holds) -> Self {
        Self { bulkhead: self.guard.room(holds.max_calls, holds.max_queue), holds: Arc::new(holds), ..self.granted_as(granted) }
    }

    fn granted_as(&self, granted: Granted) -> Self {
        Self {
            name: Arc::clone(&self.name),
            manifest: Arc::clone(&self.manifest),
            digest: self.digest.clone(),
            contracts: Arc::clone(&self.contracts),
            functions: Arc::clone(&self.functions),
            pre: self.pre.clone(),
            granted,
            guard: Arc::clone(&self.guard),
            bulkhead: Arc::clone(&self.bulkhead),
            holds: Arc::clone(&self.holds),
        }
    }

    /// The same component with nothing granted.
    pub(crate) fn without_grants(&self) -> Self {
        let nothing = Granted {
            http: Arc::new(Rules::new(self.manifest.name.clone(), BTreeMap::new())),
            config: Arc::default(),
            tcp: Arc::default(),
            secrets: Arc::default(),
        };
        self.granted_as(nothing)
    }

    /// A function of an exact contract version.
    pub(crate) fn function(&self, contract: &str, function: &str) -> Option<&Function> {
        let (_, functions) = self.functions.iter().find(|(exact, _)| exact == contract)?;
        functions.iter().find(|(name, _)| name == function).map(|(_, function)| function)
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

    /// Whether a value of another version's can be given to this one or taken for its own without losing anything: every field must be declared.
    ///
    /// # Errors
    ///
    /// What does not fit, and where in the value.
    pub fn fits(&self, contract: &str, what: Crossing, value: &Value) -> Result<(), String> {
        let exact = self.contracts().iter().find(|known| known.exact == contract || known.track.to_string() == contract);
        let exact = exact.ok_or_else(|| format!("`{}` does not answer `{contract}`", self.name()))?;
        let name = match what {
            Crossing::Request | Crossing::Output => "apply",
            Crossing::Receipt => "undo",
        };
        let function = self.loaded.function(&exact.exact, name).ok_or_else(|| format!("`{}` has no `{}.{name}`", self.name(), exact.exact))?;
        function.fits(what, value).map_err(|error| error.to_string())
    }

    /// How it is doing now, over everything that was loaded of its digest but for the calls that run and wait, which are those of its own limits.
    pub fn health(&self) -> PluginHealth {
        self.loaded.guard.health(self.load(), Instant::now())
    }

    /// Calls that run now and calls that wait.
    pub fn load(&self) -> (u32, u32) {
        self.loaded.bulkhead.load()
    }
}
