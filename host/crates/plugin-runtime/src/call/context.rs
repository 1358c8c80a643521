//! What one call is made of and with. All that takes part in it shares one of these.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use engine::port::{Call, KeyValue};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use wasmtime::UpdateDeadline;

use super::{account::Account, failure::LimitReached};
use crate::{
    host::secrets::{CallSecrets, Caller},
    plugin::Loaded,
    runtime::Shared,
};

/// A deadline further away than this is not kept by the timer: 30 days.
const MAX_TIMEOUT: Duration = Duration::from_secs(30 * 86_400);

/// From this CPU time on, a call takes turns with others of its kind, and one thread is left to short ones. A hundred times an ordinary call.
const LONG: Duration = Duration::from_millis(5);

/// Lets others run, and waits for a turn among the calls that take long.
async fn next_turn(turn: Arc<Mutex<Option<OwnedSemaphorePermit>>>, turns: Arc<Semaphore>) {
    drop(turn.lock().unwrap_or_else(PoisonError::into_inner).take());
    tokio::task::yield_now().await;
    // The semaphore is never closed.
    let next = turns.acquire_owned().await.ok();
    *turn.lock().unwrap_or_else(PoisonError::into_inner) = next;
}

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
    /// Its turn among the calls that take long, while it runs.
    turn: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl CallContext {
    pub(crate) fn new(shared: Arc<Shared>, plugin: Arc<Loaded>, keys: Arc<dyn KeyValue>, call: Call) -> Arc<Self> {
        let deadline = Instant::now() + call.timeout.min(MAX_TIMEOUT);
        Arc::new(Self { shared, plugin, keys, call, account: Arc::default(), deadline, secrets: OnceLock::new(), turn: Arc::default() })
    }

    /// The handles of the call.
    pub(crate) fn secrets(&self) -> &Arc<CallSecrets> {
        self.secrets.get_or_init(|| {
            let Call { tenant, run, .. } = &self.call;
            let caller = Caller { plugin: self.plugin.name.as_ref().to_owned(), tenant: tenant.to_string(), run: run.to_string() };
            Arc::new(CallSecrets::new(Arc::clone(&self.plugin.granted.secrets), caller))
        })
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
        if self.account.cpu() < LONG {
            return Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())));
        }
        let (turn, turns) = (Arc::clone(&self.turn), Arc::clone(&self.shared.long_calls));
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(next_turn(turn, turns))))
    }
}
