//! Keys in memory that take what a call wrote, as the journal would with the record of its outcome.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use engine::port::{KeyValue, KeyValueWrite, ReadError, Versioned};

type Space = BTreeMap<(String, String), Versioned>;

/// The keys of all plugins.
#[derive(Debug, Default)]
pub struct Keys {
    keys: Mutex<Space>,
}

impl Keys {
    /// Takes the writes of a call.
    ///
    /// # Panics
    ///
    /// When a key has changed since the call read it.
    pub fn commit(&self, writes: &[KeyValueWrite]) {
        let mut keys = self.lock();
        for KeyValueWrite { namespace, key, expected_version, value } in writes {
            let place = (namespace.clone(), key.clone());
            let version = keys.get(&place).map_or(0, |present| present.version);
            assert_eq!(version, *expected_version, "{key} was changed meanwhile");
            match value {
                Some(value) => drop(keys.insert(place, Versioned { value: value.clone(), version: version + 1 })),
                None => drop(keys.remove(&place)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Space> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyValue for Keys {
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Versioned>, ReadError> {
        Ok(self.lock().get(&(namespace.to_owned(), key.to_owned())).cloned())
    }

    async fn list(&self, namespace: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, ReadError> {
        let keys = self.lock();
        let own = keys.keys().filter(|(space, _)| space == namespace).map(|(_, key)| key);
        let found = own.filter(|key| key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after));
        Ok(found.take(limit).cloned().collect())
    }
}
