//! The binding table: which provider answers which contract. A revision is immutable and known by its content hash; a run is pinned to one.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use pipeline::{ContractTrack, Digest, Failure, FailureClass, Pin, Revision, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::port::{BlobHash, Blobs, ReadError};

/// One revision of the table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindingTable {
    /// The rules; the first that fits answers.
    pub rules: Vec<Binding>,
    /// The plugins that the rules name, by digest: part of the revision, so that a run keeps the code and the grants it began with.
    #[serde(default)]
    pub plugins: BTreeMap<Digest, BoundPlugin>,
}

/// A plugin of a binding table: where its bytes are and what it may reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundPlugin {
    /// The blob with the component.
    pub component: BlobHash,
    /// What the operator grants it, in the runtime's own form; secrets are references.
    pub grant: Value,
}

/// One rule: a contract and what answers it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binding {
    /// The contract.
    pub contract: ContractTrack,
    /// What answers, with everything that a scheduled step needs to know about it.
    pub pin: Arc<Pin>,
}

impl BindingTable {
    /// The table of a revision, as it was stored.
    pub async fn read(blobs: &dyn Blobs, revision: &Revision) -> Result<Option<Self>, ReadError> {
        let Some(bytes) = blobs.get(revision.as_str()).await? else { return Ok(None) };
        let unreadable = |error| ReadError::Unavailable(format!("binding-table revision {revision} cannot be read: {error}"));
        serde_json::from_slice(&bytes).map(Some).map_err(unreadable)
    }

    /// The binding of a contract. A pure function of the table and the request, so that any process binds alike.
    pub fn resolve(&self, contract: &ContractTrack, _request: &Value, _run: &RunId) -> Result<&Arc<Pin>, Failure> {
        let rule = self.rules.iter().find(|rule| rule.contract == *contract);
        rule.map(|rule| &rule.pin).ok_or_else(|| {
            Failure::new(FailureClass::Held, "plugin.contract", format!("nothing is bound to contract {contract} in the run's binding table"))
        })
    }
}

/// The revisions that this process knows.
#[derive(Debug)]
pub(crate) struct Bindings {
    blobs: Arc<dyn Blobs>,
    current: Mutex<Revision>,
    cache: Mutex<HashMap<Revision, Arc<BindingTable>>>,
}

impl Bindings {
    /// Stores a table and makes it the current one.
    pub(crate) async fn open(blobs: Arc<dyn Blobs>, table: BindingTable) -> Result<Self, ReadError> {
        let revision = store(&*blobs, &table).await?;
        let cache = HashMap::from([(revision.clone(), Arc::new(table))]);
        Ok(Self { blobs, current: Mutex::new(revision), cache: Mutex::new(cache) })
    }

    /// The revision that new runs are pinned to.
    pub(crate) fn current(&self) -> Revision {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The table of a revision, from memory or from the store.
    pub(crate) async fn table(&self, revision: &Revision) -> Result<Option<Arc<BindingTable>>, ReadError> {
        if let Some(table) = self.cache.lock().unwrap_or_else(PoisonError::into_inner).get(revision) {
            return Ok(Some(table.clone()));
        }
        let Some(table) = BindingTable::read(&*self.blobs, revision).await?.map(Arc::new) else { return Ok(None) };
        self.cache.lock().unwrap_or_else(PoisonError::into_inner).insert(revision.clone(), table.clone());
        Ok(Some(table))
    }
}

async fn store(blobs: &dyn Blobs, table: &BindingTable) -> Result<Revision, ReadError> {
    let bytes = serde_json::to_vec(table).map_err(|error| ReadError::Unavailable(format!("the binding table has no JSON form: {error}")))?;
    let hash = blobs.put(bytes).await?;
    Revision::new(&hash).map_err(|error| ReadError::Unavailable(error.to_string()))
}
