//! `jackfield:host/keyvalue`: the changes of a call are staged and leave it with the answer, under the versions that were read.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use engine::port::{ChildSpan, KeyValue, KeyValueWrite};

use super::bindings::keyvalue::{Error, Host, Versioned};
use crate::{call::CallState, options::Limits};

/// The most keys of one answer of `list`.
const MAX_LISTED: usize = 1_000;

/// The keys that one call has touched.
pub(crate) struct Staged {
    store: Arc<dyn KeyValue>,
    namespace: Arc<str>,
    touched: BTreeMap<String, Touched>,
    operations: u32,
    max_operations: u32,
    key_bytes: usize,
    value_bytes: usize,
}

/// A key as the call found it and as it is now for the call.
#[derive(Debug)]
struct Touched {
    /// The committed version; 0 when there was none.
    version: u64,
    value: Option<String>,
    changed: bool,
}

impl Touched {
    /// The version the guest sees. All writes of one call are one write for everybody else, so they share the version that the commit will give.
    fn seen_version(&self) -> u64 {
        if self.changed { self.version + 1 } else { self.version }
    }

    fn put(&mut self, value: Option<String>) -> u64 {
        self.value = value;
        self.changed = true;
        self.seen_version()
    }
}

impl Staged {
    pub(crate) fn new(store: Arc<dyn KeyValue>, namespace: Arc<str>, limits: &Limits) -> Self {
        let Limits { keyvalue_operations, key_bytes, value_bytes, .. } = *limits;
        Self { store, namespace, touched: BTreeMap::new(), operations: 0, max_operations: keyvalue_operations, key_bytes, value_bytes }
    }

    /// Every key that was read or written: what was only read goes along unchanged, so that the commit notices if it is not true any more.
    pub(crate) fn into_writes(self) -> Vec<KeyValueWrite> {
        let Self { namespace, touched, .. } = self;
        let write = |(key, touched): (String, Touched)| KeyValueWrite {
            namespace: namespace.as_ref().to_owned(),
            key,
            expected_version: touched.version,
            value: touched.value,
        };
        touched.into_iter().map(write).collect()
    }

    fn count(&mut self) -> Result<(), Error> {
        self.operations += 1;
        if self.operations > self.max_operations {
            return Err(Error::Limit(format!("a call may make at most {} operations (keyvalue_operations)", self.max_operations)));
        }
        Ok(())
    }

    fn check_key(&self, key: &str) -> Result<(), Error> {
        if key.is_empty() || key.len() > self.key_bytes {
            return Err(Error::Limit(format!("the key has {} bytes, expected 1 to {} (key_bytes)", key.len(), self.key_bytes)));
        }
        Ok(())
    }

    fn check_value(&self, value: &str) -> Result<(), Error> {
        if value.len() > self.value_bytes {
            return Err(Error::Limit(format!("the value has {} bytes, expected at most {} (value_bytes)", value.len(), self.value_bytes)));
        }
        Ok(())
    }

    /// The key as the call sees it, read once from the store.
    async fn touch(&mut self, key: &str) -> Result<&mut Touched, Error> {
        self.count()?;
        self.check_key(key)?;
        if !self.touched.contains_key(key) {
            let read = self.store.get(&self.namespace, key).await.map_err(|error| Error::Unavailable(error.to_string()))?;
            let (version, value) = read.map_or((0, None), |found| (found.version, Some(found.value)));
            self.touched.insert(key.to_owned(), Touched { version, value, changed: false });
        }
        Ok(self.touched.get_mut(key).expect("it is there or was just inserted"))
    }

    async fn get(&mut self, key: &str) -> Result<Option<Versioned>, Error> {
        let touched = self.touch(key).await?;
        let version = touched.seen_version();
        Ok(touched.value.clone().map(|value| Versioned { value, version }))
    }

    async fn set(&mut self, key: &str, value: String) -> Result<u64, Error> {
        self.check_value(&value)?;
        Ok(self.touch(key).await?.put(Some(value)))
    }

    async fn delete(&mut self, key: &str) -> Result<bool, Error> {
        let touched = self.touch(key).await?;
        let existed = touched.value.is_some();
        if existed {
            touched.put(None);
        }
        Ok(existed)
    }

    async fn swap(&mut self, key: &str, expected: Option<u64>, value: String) -> Result<u64, Error> {
        self.check_value(&value)?;
        let touched = self.touch(key).await?;
        let present = touched.value.as_ref().map(|_| touched.seen_version());
        if present != expected {
            return Err(Error::Conflict(present));
        }
        Ok(touched.put(Some(value)))
    }

    /// Committed keys with the call's own changes laid over them. Keys that appear meanwhile are not noticed at the commit, unlike keys that were read.
    async fn list(&mut self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, Error> {
        self.count()?;
        let limit = limit.min(MAX_LISTED);
        let in_range = |key: &str| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        let deleted: BTreeSet<&str> =
            self.touched.iter().filter(|(key, touched)| touched.value.is_none() && in_range(key)).map(|(key, _)| key.as_str()).collect();
        // So many more are read that enough are left when the deleted ones are taken out.
        let wanted = limit + deleted.len();
        let committed = self.store.list(&self.namespace, prefix, after, wanted).await.map_err(|error| Error::Unavailable(error.to_string()))?;
        // Beyond the last key of a full page there may be committed keys that were not read.
        let complete_to = (committed.len() >= wanted).then(|| committed.last().cloned()).flatten();
        let own = self.touched.iter().filter(|(key, touched)| touched.value.is_some() && in_range(key)).map(|(key, _)| key.clone());
        let own = own.filter(|key| complete_to.as_ref().is_none_or(|last| key <= last));
        let merged: BTreeSet<String> = own.chain(committed.iter().filter(|key| !deleted.contains(key.as_str())).cloned()).collect();
        Ok(merged.into_iter().take(limit).collect())
    }
}

/// Ends the span of an operation as it ended.
fn told<T>(span: Option<Box<dyn ChildSpan>>, result: Result<T, Error>) -> Result<T, Error> {
    if let Some(span) = span {
        span.end(match &result {
            // That a key was changed meanwhile is an answer.
            Ok(_) | Err(Error::Conflict(_)) => None,
            Err(Error::Denied(text)) => Some(("plugin.denied".to_owned(), text.clone())),
            Err(Error::Limit(text) | Error::Unavailable(text)) => Some(("_OTHER".to_owned(), text.clone())),
        });
    }
    result
}

/// Handles are of one run, keys of all: in a key, a handle has a form of its own.
impl CallState {
    fn stored(&self, key: &str, value: String) -> String {
        match self.context.kept_secrets() {
            // What is too long is refused.
            Some(secrets) if value.len() <= self.context.plugin.holds.call.value_bytes => secrets.stored(key, value),
            Some(_) | None => value,
        }
    }

    fn loaded(&self, key: &str, value: String) -> String {
        match self.context.kept_secrets() {
            Some(secrets) => secrets.loaded(key, value),
            None => value,
        }
    }
}

impl Host for &mut CallState {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<Versioned>, Error>> {
        let span = self.telemetry.begin_host_span("keyvalue.get");
        let found = told(span, self.keyvalue().get(&key).await);
        Ok(found.map(|found| found.map(|Versioned { value, version }| Versioned { value: self.loaded(&key, value), version })))
    }

    async fn set(&mut self, key: String, value: String) -> wasmtime::Result<Result<u64, Error>> {
        let span = self.telemetry.begin_host_span("keyvalue.set");
        let value = self.stored(&key, value);
        Ok(told(span, self.keyvalue().set(&key, value).await))
    }

    async fn delete(&mut self, key: String) -> wasmtime::Result<Result<bool, Error>> {
        let span = self.telemetry.begin_host_span("keyvalue.delete");
        Ok(told(span, self.keyvalue().delete(&key).await))
    }

    async fn list(&mut self, prefix: String, after: Option<String>, limit: u32) -> wasmtime::Result<Result<Vec<String>, Error>> {
        let span = self.telemetry.begin_host_span("keyvalue.list");
        Ok(told(span, self.keyvalue().list(&prefix, after.as_deref(), limit as usize).await))
    }

    async fn swap(&mut self, key: String, expected: Option<u64>, value: String) -> wasmtime::Result<Result<u64, Error>> {
        let span = self.telemetry.begin_host_span("keyvalue.swap");
        let value = self.stored(&key, value);
        Ok(told(span, self.keyvalue().swap(&key, expected, value).await))
    }
}

#[cfg(test)]
mod tests;
