//! Settings of a native test.

use std::{cell::RefCell, collections::BTreeMap};

thread_local! {
    static SETTINGS: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
}

/// The settings of the plugin under test.
#[derive(Debug)]
pub struct Config;

impl Config {
    /// Sets a setting.
    pub fn set(key: &str, value: &str) {
        SETTINGS.with_borrow_mut(|it| it.insert(key.into(), value.into()));
    }
}

pub(crate) fn get(key: &str) -> Option<String> {
    super::note(format!("config get {key}"));
    SETTINGS.with_borrow(|it| it.get(key).cloned())
}

pub(crate) fn keys() -> Vec<String> {
    super::note("config keys".into());
    SETTINGS.with_borrow(|it| it.keys().cloned().collect())
}

pub(super) fn reset() {
    SETTINGS.with_borrow_mut(BTreeMap::clear);
}
