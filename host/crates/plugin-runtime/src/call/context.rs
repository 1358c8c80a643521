//! What one call is made of and with. All that takes part in it shares one of these.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use engine::port::{Call, KeyValue};
use tokio::time::Instant;
use wasmtime::UpdateDeadline;

use super::{account::Account, failure::LimitReached};
use crate::{host::secrets::CallSecrets, plugin::Loaded, runtime::Shared};

/// A deadline further away than this is not kept by the timer: 30 days.
const MAX_TIMEOUT: Duration = Duration::from_secs(30 * 86_400);

/// What one call is made of and with.
pub(crate) struct CallContext {
    pub(crate) shared: Arc<Shared>,
    pub(crate) plugin: Arc<Loaded>,
    pub(crate) keys: Arc<dyn KeyValue>,
    pub(crate) call: Call,
    pub(crate) account: Arc<Account>,
    /// When its time is over: the wall clock runs from here on.
    pub(crate) deadline: Instant,
    /// Made when they are first needed: most plugins have none.
    secrets: OnceLock<Arc<CallSecrets>>,
}

impl CallContext {
    pub(crate) fn new(shared: Arc<Shared>, plugin: Arc<Loaded>, keys: Arc<dyn KeyValue>, call: Call) -> Arc<Self> {
        let deadline = Instant::now() + call.timeout.min(MAX_TIMEOUT);
        Arc::new(Self { shared, plugin, keys, call, account: Arc::default(), deadline, secrets: OnceLock::new() })
    }

    /// The handles of the call.
    pub(crate) fn secrets(&self) -> &Arc<CallSecrets> {
        let make = || CallSecrets::new(Arc::clone(&self.plugin.granted.secrets), &self.plugin.name, self.call.tenant.as_str());
        self.secrets.get_or_init(|| Arc::new(make()))
    }

    /// The same, unless there is nothing that must be kept from the plugin.
    pub(crate) fn kept_secrets(&self) -> Option<&Arc<CallSecrets>> {
        (!self.plugin.granted.secrets.are_none()).then(|| self.secrets())
    }

    /// What happens to a guest that ran for another tick.
    pub(super) fn interrupt(&self) -> wasmtime::Result<UpdateDeadline> {
        let budget = self.plugin.holds.call.cpu();
        if self.account.cpu() > budget {
            return Err(LimitReached::Cpu { budget }.into());
        }
        if Instant::now() >= self.deadline {
            return Err(LimitReached::Time.into());
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    }
}
