//! The keys of a plugin that is called by hand: in memory, and in a file where somebody wants to call it again.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use anyhow::Context;
use async_trait::async_trait;
use engine::port::{KeyValue, KeyValueWrite, ReadError, Versioned};
use serde::{Deserialize, Serialize};

/// A key with its version; a deleted one keeps its version, so that it goes on counting.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    value: Option<String>,
    version: u64,
}

type Entries = BTreeMap<String, Entry>;

/// The keys.
#[derive(Debug)]
pub(super) struct Keys {
    file: Option<PathBuf>,
    entries: Mutex<Entries>,
}

impl Keys {
    /// The keys of that file; none where there is no file yet.
    pub(super) fn open(file: Option<PathBuf>) -> anyhow::Result<Self> {
        let entries = match &file {
            Some(path) if path.exists() => {
                let text = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
                serde_json::from_slice(&text).with_context(|| format!("{} holds no keys that an earlier call wrote", path.display()))?
            }
            Some(_) | None => Entries::new(),
        };
        Ok(Self { file, entries: Mutex::new(entries) })
    }

    /// Makes the changes of a call lasting. Nobody else writes meanwhile, so none conflicts.
    pub(super) fn commit(&self, writes: &[KeyValueWrite]) -> anyhow::Result<()> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        for write in writes {
            let before = entries.get(&write.key);
            if before.is_some_and(|entry| entry.value == write.value) {
                continue;
            }
            let version = before.map_or(0, |entry| entry.version) + 1;
            entries.insert(write.key.clone(), Entry { value: write.value.clone(), version });
        }
        let Some(file) = &self.file else { return Ok(()) };
        let text = serde_json::to_vec_pretty(&*entries)?;
        std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }
}

#[async_trait]
impl KeyValue for Keys {
    async fn get(&self, _namespace: &str, key: &str) -> Result<Option<Versioned>, ReadError> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(entries.get(key).and_then(|entry| Some(Versioned { value: entry.value.clone()?, version: entry.version })))
    }

    async fn list(&self, _namespace: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, ReadError> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let there =
            entries.iter().filter(|(key, entry)| entry.value.is_some() && key.starts_with(prefix) && after.is_none_or(|after| key.as_str() > after));
        Ok(there.take(limit).map(|(key, _)| key.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(key: &str, value: Option<&str>) -> KeyValueWrite {
        KeyValueWrite { namespace: "p".to_owned(), key: key.to_owned(), expected_version: 0, value: value.map(str::to_owned) }
    }

    #[tokio::test]
    async fn keys_outlive_the_process_and_go_on_counting() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys.json");
        let keys = Keys::open(Some(file.clone())).unwrap();
        keys.commit(&[write("a/1", Some("x")), write("a/2", Some("y")), write("b", Some("z"))]).unwrap();
        keys.commit(&[write("a/1", None)]).unwrap();
        let again = Keys::open(Some(file)).unwrap();
        assert_eq!(again.list("p", "a/", None, 10).await.unwrap(), ["a/2"]);
        assert_eq!(again.get("p", "a/1").await.unwrap(), None);
        again.commit(&[write("a/1", Some("x"))]).unwrap();
        assert_eq!(again.get("p", "a/1").await.unwrap().unwrap().version, 3);
    }
}
