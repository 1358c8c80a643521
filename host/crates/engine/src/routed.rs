//! Routing: hands a call to what the item is bound to.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use pipeline::{Failure, FailureClass, Provider};

use crate::port::{Call, CallReport, Runner};

/// Plugins go to one runner, each native provider to its own.
#[derive(Debug, Default)]
pub struct Routed {
    /// Who calls plugins.
    pub plugins: Option<Arc<dyn Runner>>,
    /// The providers inside the host, by name.
    pub native: HashMap<String, Arc<dyn Runner>>,
}

#[async_trait]
impl Runner for Routed {
    async fn call(&self, call: Call) -> CallReport {
        let runner = match &call.pin.provider {
            Provider::Plugin { .. } => self.plugins.as_ref(),
            Provider::Native { name } => self.native.get(name),
        };
        match runner {
            Some(runner) => runner.call(call).await,
            None => {
                let message = format!("nothing in this host calls provider `{}`", call.pin.provider.name());
                CallReport::failed(Failure::new(FailureClass::Held, "plugin.instantiate", message), false)
            }
        }
    }
}
