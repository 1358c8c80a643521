//! Providers written as functions, for tests of everything above the runtime.

use std::{collections::HashMap, fmt, sync::Arc};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use pipeline::{Attributes, Failure, FailureClass, Pin, Provider, Verbs};

use crate::{
    bindings::{Binding, BindingTable},
    port::{Answer, Call, CallReport, Runner},
};

type Function = Arc<dyn Fn(Call) -> BoxFuture<'static, Result<Answer, Failure>> + Send + Sync>;

/// Providers by the name they are pinned under.
#[derive(Clone, Default)]
pub struct Providers {
    functions: HashMap<String, Function>,
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.functions.keys()).finish()
    }
}

impl Providers {
    /// Adds a provider that answers every verb. Its calls count as sent.
    #[must_use]
    pub fn with<F, R>(mut self, name: &str, function: F) -> Self
    where
        F: Fn(Call) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Answer, Failure>> + Send + 'static,
    {
        self.functions.insert(name.to_owned(), Arc::new(move |call| Box::pin(function(call))));
        self
    }
}

#[async_trait]
impl Runner for Providers {
    async fn call(&self, call: Call) -> CallReport {
        let Some(function) = self.functions.get(call.pin.provider.name()) else {
            let message = format!("no provider `{}`", call.pin.provider.name());
            return CallReport::failed(Failure::new(FailureClass::Held, "plugin.instantiate", message), false);
        };
        CallReport { answer: function(call).await, sent: true, attributes: Attributes::new(), writes: Vec::new() }
    }
}

/// The pin of a native provider that can do everything and is not idempotent.
pub fn pin(name: &str) -> Pin {
    Pin {
        provider: Provider::Native { name: name.to_owned() },
        contract: "jackfield:test/effect@1.0.0".to_owned(),
        verbs: Verbs { observe: true, resume: true, undo: true },
        idempotent: false,
    }
}

/// A table that binds each contract to a pin.
pub fn table<'a>(rules: impl IntoIterator<Item = (&'a str, Pin)>) -> BindingTable {
    let rules = rules.into_iter().map(|(contract, pin)| Binding::to(contract.parse().expect("a valid contract"), pin.into()));
    BindingTable { rules: rules.collect(), ..BindingTable::default() }
}
