//! The host's key-value store, private to the plugin and the tenant. Needs `keyvalue: true` in the manifest.
//!
//! Writes are part of the call: visible to it at once, to others when its outcome is recorded, and never if it fails.

use crate::Failure;

/// The failure code of this module; every plugin with the key-value capability declares it.
pub const CODE: &str = "store";

/// A value with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The stored text.
    pub value: String,
    /// Changes with every write of this key. Only equality means something.
    pub version: u64,
}

/// Why the store did not do it. None of these left anything behind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// [`swap`] found another version than expected: the present one, or none if the key does not exist.
    #[error("another version than expected: {0:?}")]
    Conflict(Option<u64>),
    /// A limit was exceeded.
    #[error("{0}")]
    Limit(String),
    /// The operator did not grant key-value to this plugin.
    #[error("key-value is not granted: {0}")]
    Denied(String),
    /// The store cannot serve now.
    #[error("the store cannot serve: {0}")]
    Unavailable(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        if crate::http::effects_possible() {
            return Self::unknown_outcome(CODE, message);
        }
        match error {
            Error::Limit(_) | Error::Denied(_) => Self::rejected(CODE, message),
            Error::Conflict(_) | Error::Unavailable(_) => Self::unavailable(CODE, message),
        }
    }
}

/// The value of a key, or none.
///
/// # Errors
/// See [`Error`].
pub fn get(key: &str) -> Result<Option<Versioned>, Error> {
    host::get(key)
}

/// Writes a key, whatever was there, and returns its new version.
///
/// # Errors
/// See [`Error`].
pub fn set(key: &str, value: &str) -> Result<u64, Error> {
    host::set(key, value)
}

/// Removes a key. True if it existed.
///
/// # Errors
/// See [`Error`].
pub fn delete(key: &str) -> Result<bool, Error> {
    host::delete(key)
}

/// Keys that start with `prefix`, in byte order, only those after `after`, at most `limit` (and 1000) of them.
///
/// # Errors
/// See [`Error`].
pub fn list(prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<String>, Error> {
    host::list(prefix, after, limit)
}

/// Writes a key only if its version is `expected` (none: only if it does not exist), and returns its new version.
///
/// # Errors
/// [`Error::Conflict`] if it is not; otherwise see [`Error`].
pub fn swap(key: &str, expected: Option<u64>, value: &str) -> Result<u64, Error> {
    host::swap(key, expected, value)
}

#[cfg(target_family = "wasm")]
use crate::bindings::imports::jackfield::host::keyvalue as host;

#[cfg(not(target_family = "wasm"))]
use crate::testing::keyvalue as host;
