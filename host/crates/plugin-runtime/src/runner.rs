//! The `Runner` of steps that are bound to plugins.

use std::sync::Arc;

use async_trait::async_trait;
use engine::port::{Call, CallReport, CallTelemetry, KeyValue, Runner};
use pipeline::{FailureClass, Provider};

use crate::{
    call,
    plugin::Plugins,
    runtime::{Runtime, on_wasm_thread},
};

/// Makes calls of plugins that are loaded.
#[derive(Debug, Clone)]
pub struct WasmRunner {
    runtime: Runtime,
    plugins: Plugins,
    keys: Arc<dyn KeyValue>,
    telemetry: Arc<dyn CallTelemetry>,
}

impl WasmRunner {
    /// A runner over a table of plugins, the store of their keys and where their spans go.
    pub fn new(runtime: Runtime, plugins: Plugins, keys: Arc<dyn KeyValue>, telemetry: Arc<dyn CallTelemetry>) -> Self {
        Self { runtime, plugins, keys, telemetry }
    }

    /// The table of plugins.
    pub fn plugins(&self) -> &Plugins {
        &self.plugins
    }

    fn refused(message: String) -> CallReport {
        CallReport::failed(call::failure(FailureClass::Held, "plugin.instantiate", message), false)
    }
}

/// A call goes to the threads for plugins and back, two wake-ups that cost a few microseconds. A caller that runs on one of them already, by
/// [`Runtime::spawn`], is served where it is.
#[async_trait]
impl Runner for WasmRunner {
    async fn call(&self, call: Call) -> CallReport {
        let Provider::Plugin { digest, name, version } = &call.pin.provider else {
            return Self::refused(format!("`{}` is no plugin", call.pin.provider.name()));
        };
        let Some(plugin) = self.plugins.get_for(&call.revision, digest) else {
            return Self::refused(format!("plugin `{name}` {version} (sha256 {digest}) is not installed"));
        };
        let span = self.telemetry.begin(&call);
        let (shared, keys) = (Arc::clone(&self.runtime.shared), Arc::clone(&self.keys));
        if on_wasm_thread() {
            return Box::pin(call::run(&shared, &plugin.loaded, &keys, call, span)).await;
        }
        let joined = self.runtime.spawn(async move { call::run(&shared, &plugin.loaded, &keys, call, span).await }).await;
        joined.unwrap_or_else(|error| {
            let message = format!("the thread of the call ended: {error}");
            CallReport::failed(call::failure(FailureClass::Unknown, "host.internal", message), true)
        })
    }
}
