//! What one call is made of and with. All that takes part in it shares one of these.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    task::Poll,
    time::Duration,
};

use engine::port::{Call, KeyValue};
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use wasmtime::UpdateDeadline;

use super::{account::Account, failure::LimitReached};
use crate::{
    host::secrets::{CallSecrets, Caller},
    plugin::Loaded,
    runtime::Shared,
};

/// A deadline further away than this is not kept by the timer: 30 days.
const MAX_TIMEOUT: Duration = Duration::from_secs(30 * 86_400);

/// From this CPU time on, a call takes turns with others of its kind, so that one thread is left to short ones where there are several. A hundred times an
/// ordinary call.
const LONG: Duration = Duration::from_millis(5);

/// What one call is made of and with.
pub(crate) struct CallContext {
    pub(crate) shared: Arc<Shared>,
    pub(crate) plugin: Arc<Loaded>,
    pub(crate) keys: Arc<dyn KeyValue>,
    pub(crate) call: Call,
    pub(crate) account: Arc<Account>,
    /// When it began: the wall clock runs from here on.
    pub(crate) begun: Instant,
    /// When its time is over.
    pub(crate) deadline: Instant,
    /// Made when they are first needed: most plugins have none.
    secrets: OnceLock<Arc<CallSecrets>>,
    /// Its turn among the calls that take long, while it is polled.
    turn: Mutex<Option<OwnedSemaphorePermit>>,
}

impl CallContext {
    pub(crate) fn new(shared: Arc<Shared>, plugin: Arc<Loaded>, keys: Arc<dyn KeyValue>, call: Call) -> Arc<Self> {
        let begun = Instant::now();
        let deadline = begun + call.timeout.min(MAX_TIMEOUT);
        Arc::new(Self { shared, plugin, keys, call, account: Arc::default(), begun, deadline, secrets: OnceLock::new(), turn: Mutex::default() })
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

    /// Polls the guest and counts what that takes. A turn ends with the poll: a guest that waits for something else keeps nobody from computing.
    pub(super) fn poll<R>(&self, poll: impl FnOnce() -> Poll<R>) -> Poll<R> {
        let polled = self.account.poll(poll);
        self.set_turn(None);
        polled
    }

    /// What happens to a guest that ran for another tick.
    pub(super) fn interrupt(self: &Arc<Self>) -> wasmtime::Result<UpdateDeadline> {
        let (spent, budget) = (self.account.cpu(), self.plugin.holds.call.cpu());
        if spent > budget {
            return Err(LimitReached::Cpu { budget }.into());
        }
        if Instant::now() >= self.deadline {
            return Err(LimitReached::Time.into());
        }
        if spent < LONG {
            return Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())));
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(Arc::clone(self).next_turn())))
    }

    /// Lets others run, which ends the present turn, and waits for the next.
    async fn next_turn(self: Arc<Self>) {
        tokio::task::yield_now().await;
        // The semaphore is never closed.
        let next = Arc::clone(&self.shared.long_calls).acquire_owned().await.ok();
        self.set_turn(next);
    }

    fn set_turn(&self, turn: Option<OwnedSemaphorePermit>) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = turn;
    }
}
