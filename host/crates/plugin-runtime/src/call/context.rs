//! What one call is made of and with. All that takes part in it shares one of these.

use std::{sync::Arc, time::Duration};

use engine::port::{Call, KeyValue};
use tokio::time::Instant;
use wasmtime::UpdateDeadline;

use super::{account::Account, failure::LimitReached};
use crate::{plugin::Loaded, runtime::Shared};

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
}

impl CallContext {
    pub(crate) fn new(shared: Arc<Shared>, plugin: Arc<Loaded>, keys: Arc<dyn KeyValue>, call: Call) -> Arc<Self> {
        let deadline = Instant::now() + call.timeout.min(MAX_TIMEOUT);
        Arc::new(Self { shared, plugin, keys, call, account: Arc::default(), deadline })
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
