//! One call: a fresh store and instance, the request in, the answer out, and the truth about what happened in between.

mod account;
mod answer;
mod failure;
mod function;
mod limiter;
mod state;

use std::{sync::Arc, time::Duration};

use engine::port::{Answer, Call, CallEnd, CallReport, CallSpan, KeyValue};
use pipeline::{Failure, FailureClass};
use tokio::time::{Instant, timeout_at};
use wasmtime::{Store, UpdateDeadline, component::Val};

pub(crate) use self::{
    account::Account,
    failure::{LimitReached, bounded},
    function::Function,
    state::CallState,
};
use self::{
    account::Metered,
    failure::{Caused, Ended},
};
use crate::{bulkhead, plugin::Loaded, runtime::Shared};

/// The most bytes of a message that enters the journal or a span, backtrace and standard error included.
pub(crate) const MAX_MESSAGE: usize = 8 << 10;

/// Makes one call on the present thread and answers always.
pub(crate) async fn run(shared: &Arc<Shared>, plugin: &Arc<Loaded>, keys: &Arc<dyn KeyValue>, call: Call, span: Box<dyn CallSpan>) -> CallReport {
    let mut finished = Finished { span: Some(span), state: None, account: Arc::new(Account::default()) };
    let attempted = attempt(shared, plugin, keys, &Arc::new(call), &mut finished).await;
    finished.report(plugin, attempted)
}

/// What is known when a call is over.
struct Finished {
    span: Option<Box<dyn CallSpan>>,
    /// Absent when the guest was never started.
    state: Option<CallState>,
    account: Arc<Account>,
}

impl Finished {
    /// Settles attributes, key-value changes, class and span.
    fn report(mut self, plugin: &Loaded, attempted: Result<Answer, Ended>) -> CallReport {
        let sent = self.account.sent();
        let denied = self.account.denied();
        let answer = attempted.map_err(|ended| ended.classify(&plugin.manifest, sent, denied.as_deref()));
        let (mut writes, mut attributes, mut marked, mut memory_peak) = (Vec::new(), Vec::new(), None, 0);
        if let Some(state) = self.state.take() {
            let parts = state.finish();
            memory_peak = parts.memory_peak;
            self.span = Some(parts.telemetry.span);
            attributes = parts.telemetry.attributes;
            marked = parts.telemetry.marked;
            if answer.is_ok() {
                writes = parts.writes;
            }
        }
        let (error_type, error_message) = match (&answer, marked) {
            (Err(failure), _) => (Some(failure.error_type.clone()), Some(failure.message.clone())),
            (Ok(_), Some((error_type, message))) => (Some(error_type), Some(message)),
            (Ok(_), None) => (None, None),
        };
        if let Some(span) = self.span.take() {
            span.end(CallEnd { cpu: self.account.cpu(), memory_peak, outcome: outcome(&answer), error_type, error_message });
        }
        CallReport { answer, sent, attributes, writes }
    }
}

fn outcome(answer: &Result<Answer, Failure>) -> &'static str {
    match answer {
        Ok(Answer::Done(_)) => "done",
        Ok(Answer::Undone) => "undone",
        Ok(Answer::Pending(_)) => "pending",
        Ok(Answer::Observed(_)) => "observed",
        Err(_) => "failed",
    }
}

async fn attempt(
    shared: &Arc<Shared>,
    plugin: &Arc<Loaded>,
    keys: &Arc<dyn KeyValue>,
    call: &Arc<Call>,
    finished: &mut Finished,
) -> Result<Answer, Ended> {
    let deadline = Instant::now() + call.timeout.min(MAX_TIMEOUT);
    let function = plugin
        .function(&call.pin.contract, call.verb.function())
        .ok_or_else(|| Ended::NoFunction { contract: call.pin.contract.clone(), function: call.verb.function() })?;
    let _room = plugin.bulkhead.enter(deadline).await.map_err(Ended::Busy)?;
    let _slot = bulkhead::until(deadline, &shared.slots).await.map_err(Ended::Busy)?;
    let left = deadline.saturating_duration_since(Instant::now());
    let params = function.params(call, left).map_err(Ended::Request)?;
    let _ticking = shared.ticking();

    let span = finished.span.take().expect("the span is moved once, here");
    let account = Arc::clone(&finished.account);
    let state = CallState::new(shared, plugin, keys, call, span, Arc::clone(&account), deadline);
    let mut store = Store::new(&shared.engine, state);
    prepare(&mut store, shared, &account, deadline);
    let mut results = [Val::Bool(false)];
    let work = Metered::new(&account, guest(&mut store, plugin, function, &params, &mut results));
    let worked = timeout_at(deadline, work).await;
    let state = finished.state.insert(store.into_data());
    match worked {
        Ok(Ok(())) => {
            let [result] = results;
            function.answer(result)
        }
        Ok(Err(mut caused)) => {
            caused.stderr = state.stderr();
            Err(Ended::Caused(caused))
        }
        Err(_elapsed) => Err(Ended::TimedOut { after: call.timeout }),
    }
}

/// A deadline further away than this is not kept by the timer: 30 days.
const MAX_TIMEOUT: Duration = Duration::from_secs(30 * 86_400);

/// Puts the limits on a store.
fn prepare(store: &mut Store<CallState>, shared: &Shared, account: &Arc<Account>, deadline: Instant) {
    let limits = &shared.options.limits;
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(limits.output_bytes);
    store.set_epoch_deadline(1);
    let (account, budget) = (Arc::clone(account), limits.cpu());
    store.epoch_deadline_callback(move |_store| {
        if account.cpu() > budget {
            return Err(LimitReached::Cpu { budget }.into());
        }
        if Instant::now() >= deadline {
            return Err(LimitReached::Time.into());
        }
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(tokio::task::yield_now())))
    });
}

async fn guest(store: &mut Store<CallState>, plugin: &Loaded, function: &Function, params: &[Val], results: &mut [Val]) -> Result<(), Caused> {
    let instance = plugin.pre.instantiate_async(&mut *store).await.map_err(Caused::instantiating)?;
    let func = instance.get_func(&mut *store, function.index()).expect("the index was looked up in this component");
    func.call_async(store, params, results).await.map_err(Caused::calling)
}

/// A failure of the host's own making.
pub(crate) fn failure(class: FailureClass, error_type: &str, message: impl Into<String>) -> Failure {
    Failure::new(class, error_type, bounded(message.into(), MAX_MESSAGE))
}
