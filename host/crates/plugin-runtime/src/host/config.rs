//! `jackfield:host/config`: the settings that the operator wrote for a plugin.

use super::bindings::config::Host;
use crate::call::CallState;

impl Host for &mut CallState {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.context.plugin.granted.config.get(&key).cloned())
    }

    fn keys(&mut self) -> wasmtime::Result<Vec<String>> {
        Ok(self.context.plugin.granted.config.keys().cloned().collect())
    }
}
