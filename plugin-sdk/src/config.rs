//! Settings that the operator wrote for this plugin. Only keys that the manifest names are visible.

use crate::Failure;

/// The text of a setting, or none if the operator did not set it.
pub fn get(key: &str) -> Option<String> {
    host::get(key)
}

/// The names of the settings that are set, in byte order.
pub fn keys() -> Vec<String> {
    host::keys()
}

/// A setting that is JSON text.
///
/// # Errors
/// Rejected with `code` if it is missing or not JSON of that form: no retry can help until the operator changes it.
pub fn json<T: serde::de::DeserializeOwned>(key: &str, code: &str) -> Result<T, Failure> {
    let text = get(key).ok_or_else(|| Failure::rejected(code, format!("the setting {key} is missing")))?;
    serde_json::from_str(&text).map_err(|error| Failure::rejected(code, format!("the setting {key} is not as expected: {error}")))
}

#[cfg(target_family = "wasm")]
use crate::bindings::imports::jackfield::host::config as host;

#[cfg(not(target_family = "wasm"))]
use crate::testing::config as host;
