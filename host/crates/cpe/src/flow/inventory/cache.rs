//! Rows of the store that were read lately, those that are not there included.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use engine::port::{Documents, ReadError};
use serde::de::DeserializeOwned;

/// Rows in two generations: when the younger is full, the older is forgotten.
#[derive(Debug)]
pub(super) struct Cache<T> {
    generations: Mutex<Generations<T>>,
    half: usize,
}

#[derive(Debug)]
struct Generations<T> {
    young: HashMap<String, Option<Arc<T>>>,
    old: HashMap<String, Option<Arc<T>>>,
    /// How many rows were written: what was read before a write is not kept after it.
    writes: u64,
}

impl<T: DeserializeOwned> Cache<T> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { generations: Mutex::new(Generations { young: HashMap::new(), old: HashMap::new(), writes: 0 }), half: (capacity / 2).max(1) }
    }

    /// A row from memory, or from the store.
    pub(super) async fn get(&self, documents: &dyn Documents, collection: &str, id: &str) -> Result<Option<Arc<T>>, ReadError> {
        let writes = {
            let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(row) = generations.young.get(id) {
                return Ok(row.clone());
            }
            if let Some((id, row)) = generations.old.remove_entry(id) {
                generations.keep(id, row.clone(), self.half);
                return Ok(row);
            }
            generations.writes
        };
        // A row of another version of the program is as good as none.
        let found = documents.get(collection, id).await?.and_then(|document| serde_json::from_value(document.body).ok()).map(Arc::new);
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        if generations.writes == writes {
            generations.keep(id.to_owned(), found.clone(), self.half);
        }
        Ok(found)
    }

    /// A row that was written or removed.
    pub(super) fn put(&self, id: String, row: Option<Arc<T>>) {
        let mut generations = self.generations.lock().unwrap_or_else(PoisonError::into_inner);
        generations.writes += 1;
        generations.old.remove(&id);
        generations.keep(id, row, self.half);
    }
}

impl<T> Generations<T> {
    fn keep(&mut self, id: String, row: Option<Arc<T>>, half: usize) {
        if self.young.len() >= half {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(id, row);
    }
}
