//! One call: a fresh store and instance, the request in, the answer out, and the truth about what happened in between.

mod account;
mod answer;
mod context;
mod failure;
mod function;
mod limiter;
mod params;
mod probe;
mod state;

use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::Arc,
};

use engine::port::{Answer, CallEnd, CallReport, CallSpan};
use pipeline::{Failure, FailureClass};
use tokio::time::{Instant, timeout_at};
use wasmtime::{Store, component::Val};

use self::failure::{Caused, Ended};
pub(crate) use self::{account::Account, context::CallContext, failure::bounded, function::Function, probe::instantiate, state::CallState};
use crate::{guard::LeftAlone, host::secrets::MaskedSpan, limits::Holds, options::Limits, plugin::Loaded};

/// The most bytes of a message that enters the journal or a span, backtrace and standard error included.
pub(crate) const MAX_MESSAGE: usize = 8 << 10;

/// Makes one call on the present thread and answers always.
pub(crate) async fn run(context: Arc<CallContext>, span: Box<dyn CallSpan>) -> CallReport {
    let span = match context.kept_secrets() {
        Some(secrets) => Box::new(MaskedSpan::new(span, Arc::clone(secrets))),
        None => span,
    };
    let mut finished = Finished { span: Some(span), state: None };
    let CallContext { plugin, call, begun, .. } = &*context;
    let Holds { breaker, retry_budget, .. } = &*plugin.holds;
    let mut report = match plugin.guard.admit(call, breaker, retry_budget, begun.into_std()) {
        Ok(leave) => {
            let attempted = attempt(&context, &mut finished).await;
            let left_alone = attempted.as_ref().err().and_then(|ended| ended.because_of(&context.account));
            // It was not called, or what it needs is left alone: this says nothing about the plugin.
            let excused = left_alone.is_some() || matches!(attempted, Err(Ended::Busy(_)));
            let report = finished.report(&context, attempted, left_alone.as_ref());
            if excused {
                plugin.guard.excuse(leave);
            } else {
                plugin.guard.record(leave, breaker, report.answer.as_ref().err(), std::time::Instant::now());
            }
            report
        }
        Err(refused) => finished.report(&context, Err(Ended::Refused(refused)), None),
    };
    if let Some(secrets) = context.kept_secrets() {
        secrets.mask().report(&mut report);
    }
    report
}

/// What is left when a call is over.
struct Finished {
    span: Option<Box<dyn CallSpan>>,
    /// Absent when the guest was never started.
    state: Option<CallState>,
}

impl Finished {
    /// Settles attributes, key-value changes, class and span.
    fn report(mut self, context: &CallContext, attempted: Result<Answer, Ended>, left_alone: Option<&LeftAlone>) -> CallReport {
        let CallContext { account, plugin, .. } = context;
        let sent = account.sent();
        let answer = attempted.map_err(|ended| {
            let failure = ended.classify(&plugin.manifest, sent, account.denied().as_deref());
            match left_alone {
                Some(endpoint) => failure::left_alone(failure, &plugin.manifest, endpoint),
                None => failure,
            }
        });
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
            span.end(CallEnd { cpu: account.cpu(), memory_peak, outcome: outcome(&answer), error_type, error_message });
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

async fn attempt(context: &Arc<CallContext>, finished: &mut Finished) -> Result<Answer, Ended> {
    let CallContext { shared, plugin, call, deadline, .. } = &**context;
    let function = plugin
        .function(&call.pin.contract, call.verb.function())
        .ok_or_else(|| Ended::NoFunction { contract: call.pin.contract.clone(), function: call.verb.function() })?;
    let _room = plugin.bulkhead.enter(*deadline).await.map_err(Ended::Busy)?;
    let _slot = shared.slots.enter(&plugin.guard.held, *deadline).await.map_err(Ended::Busy)?;
    let left = deadline.saturating_duration_since(Instant::now());
    let params = function.params(call, left).map_err(Ended::Request)?;
    let _ticking = shared.ticking();

    let span = finished.span.take().expect("the span is moved once, here");
    let mut store = Store::new(&shared.engine, CallState::new(Arc::clone(context), span));
    prepare(&mut store, &plugin.holds.call);
    let mut results = [Val::Bool(false)];
    let worked = {
        let mut guest = pin!(guest(&mut store, plugin, function, &params, &mut results));
        timeout_at(*deadline, poll_fn(|task| context.poll(|| guest.as_mut().poll(task)))).await
    };
    function.give_back(params);
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

/// Puts the limits on a store.
fn prepare(store: &mut Store<CallState>, limits: &Limits) {
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(limits.output_bytes);
    // The next tick may come at once, so that only the one after it is a millisecond away: most calls are over by then and never interrupted.
    store.set_epoch_deadline(2);
    store.epoch_deadline_callback(|store| store.data().context.interrupt());
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
