//! The revisions that this process knows, and the one that is current.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use pipeline::Revision;

use super::table::{BindingTable, PinPolicy};
use crate::port::{Blobs, ReadError};

/// How many tables are kept beyond those that runs in memory hold.
const MAX_CACHED: usize = 64;

/// The revisions that this process knows.
#[derive(Debug)]
pub(crate) struct Bindings {
    blobs: Arc<dyn Blobs>,
    current: Mutex<(Revision, Arc<BindingTable>)>,
    cache: Mutex<HashMap<Revision, Arc<BindingTable>>>,
}

impl Bindings {
    /// Makes a table the current one; without a revision it is stored first.
    pub(crate) async fn open(blobs: Arc<dyn Blobs>, table: BindingTable, revision: Option<Revision>) -> Result<Self, ReadError> {
        let revision = match revision {
            Some(revision) => revision,
            None => table.store(&*blobs).await?,
        };
        let table = Arc::new(table);
        let cache = HashMap::from([(revision.clone(), table.clone())]);
        Ok(Self { blobs, current: Mutex::new((revision, table)), cache: Mutex::new(cache) })
    }

    /// What new runs are pinned to.
    pub(crate) fn current(&self) -> (Revision, Arc<BindingTable>) {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes a table that is in the store the current one.
    pub(crate) fn rebind(&self, revision: Revision, table: Arc<BindingTable>) {
        self.keep(&revision, &table);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = (revision, table);
    }

    /// The table of a revision, from memory or from the store.
    pub(crate) async fn table(&self, revision: &Revision) -> Result<Option<Arc<BindingTable>>, ReadError> {
        if let Some(table) = self.cached().get(revision) {
            return Ok(Some(table.clone()));
        }
        let Some(table) = BindingTable::read(&*self.blobs, revision).await?.map(Arc::new) else { return Ok(None) };
        self.keep(revision, &table);
        Ok(Some(table))
    }

    fn keep(&self, revision: &Revision, table: &Arc<BindingTable>) {
        let mut cache = self.cached();
        if cache.len() >= MAX_CACHED {
            cache.retain(|_, table| Arc::strong_count(table) > 1);
        }
        cache.insert(revision.clone(), table.clone());
    }

    fn cached(&self) -> MutexGuard<'_, HashMap<Revision, Arc<BindingTable>>> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The tables of one run: its own, and those that a person has chosen for some of its contracts.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    pub(crate) own: Arc<BindingTable>,
    others: HashMap<Revision, Arc<BindingTable>>,
}

impl Tables {
    pub(crate) fn new(own: Arc<BindingTable>) -> Self {
        Self { own, others: HashMap::new() }
    }

    /// Adds a table that a person has chosen.
    pub(crate) fn add(&mut self, revision: Revision, table: Arc<BindingTable>) {
        self.others.insert(revision, table);
    }

    /// A table that a person has chosen.
    pub(crate) fn other(&self, revision: &Revision) -> Option<&Arc<BindingTable>> {
        self.others.get(revision)
    }
}

impl Bindings {
    /// What the steps of a run are bound by, where that is not fixed when it starts.
    pub(crate) fn by_step(&self, tables: &Tables) -> Option<(Revision, Arc<BindingTable>)> {
        match tables.own.policy {
            PinPolicy::PinRun => None,
            PinPolicy::PinStep => Some(self.current()),
        }
    }
}
