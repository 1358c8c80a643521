//! The key-value store of a native test.

use std::{cell::RefCell, collections::BTreeMap};

use crate::kv::{Error, Versioned};

#[derive(Default)]
struct Store {
    entries: BTreeMap<String, Versioned>,
    writes: u64,
    failing: Option<Error>,
}

thread_local! {
    static STORE: RefCell<Store> = RefCell::default();
}

/// The store of the plugin under test.
#[derive(Debug)]
pub struct KeyValue;

impl KeyValue {
    /// All keys and values, in byte order.
    pub fn entries() -> Vec<(String, String)> {
        STORE.with_borrow(|it| it.entries.iter().map(|(key, it)| (key.clone(), it.value.clone())).collect())
    }

    /// Writes behind the plugin's back.
    pub fn put(key: &str, value: &str) {
        STORE.with_borrow_mut(|it| it.write(key, value));
    }

    /// From now on every operation fails like this; `None` ends it.
    pub fn fail(error: Option<Error>) {
        STORE.with_borrow_mut(|it| it.failing = error);
    }
}

impl Store {
    fn write(&mut self, key: &str, value: &str) -> u64 {
        self.writes += 1;
        self.entries.insert(key.into(), Versioned { value: value.into(), version: self.writes });
        self.writes
    }
}

fn with<T>(note: String, work: impl FnOnce(&mut Store) -> Result<T, Error>) -> Result<T, Error> {
    super::note(note);
    STORE.with_borrow_mut(|it| match &it.failing {
        Some(error) => Err(error.clone()),
        None => work(it),
    })
}

pub(crate) fn get(key: &str) -> Result<Option<Versioned>, Error> {
    with(format!("keyvalue get {key}"), |it| Ok(it.entries.get(key).cloned()))
}

pub(crate) fn set(key: &str, value: &str) -> Result<u64, Error> {
    with(format!("keyvalue set {key}"), |it| Ok(it.write(key, value)))
}

pub(crate) fn delete(key: &str) -> Result<bool, Error> {
    with(format!("keyvalue delete {key}"), |it| Ok(it.entries.remove(key).is_some()))
}

pub(crate) fn list(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, Error> {
    with(format!("keyvalue list {prefix}"), |it| {
        let keys = it.entries.keys().filter(|key| key.starts_with(prefix) && after.is_none_or(|it| key.as_str() > it));
        Ok(keys.take(limit.min(1000) as usize).cloned().collect())
    })
}

pub(crate) fn swap(key: &str, expected: Option<u64>, value: &str) -> Result<u64, Error> {
    with(format!("keyvalue swap {key}"), |it| {
        let present = it.entries.get(key).map(|it| it.version);
        if present == expected { Ok(it.write(key, value)) } else { Err(Error::Conflict(present)) }
    })
}

pub(super) fn reset() {
    STORE.take();
}
