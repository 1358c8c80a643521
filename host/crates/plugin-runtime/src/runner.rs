//! The `Runner` of steps that are bound to plugins.

use std::{
    future::{Future, ready},
    pin::Pin,
    sync::Arc,
};

use engine::port::{Call, CallReport, CallSpan, CallTelemetry, KeyValue, Runner};
use pipeline::{FailureClass, Provider};

use crate::{
    call::{self, CallContext},
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

    /// Finds the plugin and begins the span; or says why there is nothing to call.
    fn prepare(&self, call: Call) -> Result<(Arc<CallContext>, Box<dyn CallSpan>), String> {
        let Provider::Plugin { digest, name, version } = &call.pin.provider else {
            return Err(format!("`{}` is no plugin", call.pin.provider.name()));
        };
        let plugin = self.plugins.get_for(&call.revision, digest);
        let plugin = plugin.ok_or_else(|| format!("plugin `{name}` {version} (sha256 {digest}) is not installed"))?;
        let span = self.telemetry.begin(&call);
        Ok((CallContext::new(Arc::clone(&self.runtime.shared), plugin.loaded, Arc::clone(&self.keys), call), span))
    }
}

/// Makes a call that is prepared. It goes to the threads for plugins and back, two wake-ups that cost a few microseconds; a caller that runs on one of them
/// already, by [`Runtime::spawn`], is served where it is.
async fn make(context: Arc<CallContext>, span: Box<dyn CallSpan>) -> CallReport {
    if on_wasm_thread() {
        return call::run(context, span).await;
    }
    let shared = Arc::clone(&context.shared);
    let joined = shared.spawn(call::run(context, span)).await;
    joined.unwrap_or_else(|error| {
        let message = format!("the thread of the call ended: {error}");
        CallReport::failed(call::failure(FailureClass::Unknown, "host.internal", message), true)
    })
}

/// Written without the macro: its future would hold the call beside the one that makes it, and be half as large again.
impl Runner for WasmRunner {
    fn call<'life0, 'async_trait>(&'life0 self, call: Call) -> Pin<Box<dyn Future<Output = CallReport> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        match self.prepare(call) {
            Ok((context, span)) => Box::pin(make(context, span)),
            Err(message) => Box::pin(ready(CallReport::failed(call::failure(FailureClass::Held, "plugin.instantiate", message), false))),
        }
    }
}
