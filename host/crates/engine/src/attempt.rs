//! One attempt: the calls it consists of, `observe` first when an earlier outcome is in doubt.

use std::sync::Arc;

use pipeline::{
    AfterObserve, CallAnswer, CallResult, Direction, Failure, FailureClass, IdempotencyKey, ItemState, MAX_CROSSING_BYTES, Ready, ResumeSignal,
    Standing,
};

use crate::port::{Answer, Call, CallReport, Clock, KeyValueWrite, Runner, Signal, Verb};

/// What an attempt came to.
#[derive(Debug)]
pub(crate) struct Attempted {
    pub(crate) result: CallResult,
    /// Whether a request left the host.
    pub(crate) sent: bool,
    /// Key-value changes that take effect with the record.
    pub(crate) writes: Vec<KeyValueWrite>,
}

/// Makes the calls of an attempt. `call` is complete but for its verb.
pub(crate) async fn attempt(runner: &dyn Runner, clock: &dyn Clock, call: Call, item: &ItemState, ready: &Ready) -> Attempted {
    let started_at = clock.now();
    let report = match first_verb(item, ready) {
        First::Call(verb) => runner.call(Call { verb, ..call }).await,
        First::Probe => probe(runner, &call, item, ready.direction).await,
        First::Refuse(failure) => CallReport::failed(failure, false),
    };
    let CallReport { answer, sent, attributes, writes } = report;
    // Where an earlier outcome was in doubt, an answer that is of no use cannot promise that nothing was left behind.
    let doubt = sent || ready.probe;
    Attempted { result: CallResult { started_at, answer: answer.and_then(|answer| accept(answer, doubt)), attributes }, sent, writes }
}

enum First {
    Call(Verb),
    Probe,
    Refuse(Failure),
}

fn first_verb(item: &ItemState, ready: &Ready) -> First {
    if let Some(resume) = &ready.resume {
        let signal = match &resume.signal {
            ResumeSignal::Timer => Signal::Timer,
            ResumeSignal::Callback(body) => Signal::Callback(body.clone()),
            ResumeSignal::Cancel => Signal::Cancel,
        };
        return First::Call(Verb::Resume { checkpoint: resume.pending.pended.checkpoint.clone(), signal });
    }
    if ready.probe {
        return First::Probe;
    }
    match (ready.direction, &item.standing) {
        (Direction::Do, _) => First::Call(Verb::Apply),
        (Direction::Undo, Standing::Done { output, .. } | Standing::Failed { receipt: Some(output), .. }) => {
            First::Call(Verb::Undo { receipt: output.clone() })
        }
        (Direction::Undo, _) => First::Refuse(Failure::new(FailureClass::Held, "host.internal", "there is no receipt to undo with")),
    }
}

async fn make(runner: &dyn Runner, call: &Call, verb: Verb) -> CallReport {
    runner.call(Call { verb, ..call.clone() }).await
}

async fn probe(runner: &dyn Runner, call: &Call, item: &ItemState, direction: Direction) -> CallReport {
    // What is looked for was made under the key of doing, also when it is being undone: under any other key it would look absent or foreign.
    let key = IdempotencyKey::derive(&call.tenant, &call.run, &call.attempt.item, Direction::Do);
    let doing = Call { key, ..call.clone() };
    let mut observed = make(runner, &doing, Verb::Observe).await;
    let found = match observed.answer {
        Ok(Answer::Observed(found)) => found,
        Ok(other) => {
            observed.answer = Err(misfit("observe", &other));
            return observed;
        }
        Err(failure) => {
            observed.answer = Err(pipeline::observe_failed(failure));
            return observed;
        }
    };
    let (verb, sent) = match pipeline::after_observe(item, direction, found) {
        AfterObserve::Apply => (Verb::Apply, observed.sent),
        AfterObserve::Undo(receipt) => (Verb::Undo { receipt }, observed.sent),
        AfterObserve::Wait(pending) => {
            observed.answer = Ok(Answer::Pending(pending));
            return observed;
        }
        AfterObserve::Cancel { checkpoint } => {
            let mut report = make(runner, &doing, Verb::Resume { checkpoint, signal: Signal::Cancel }).await;
            report.sent |= observed.sent;
            report.answer = pipeline::after_cancel(report.answer.and_then(|answer| accept(answer, true))).map(|()| Answer::Undone);
            return report;
        }
        AfterObserve::Finish(answer) => {
            observed.answer = answer.map(|answer| match answer {
                CallAnswer::Done(output) => Answer::Done(Arc::unwrap_or_clone(output)),
                CallAnswer::Undone | CallAnswer::Pending { .. } => Answer::Undone,
            });
            return observed;
        }
    };
    let mut report = make(runner, call, verb).await;
    report.sent |= sent;
    report
}

/// Checks an answer against what was asked.
fn accept(answer: Answer, doubt: bool) -> Result<CallAnswer, Failure> {
    match answer {
        Answer::Done(output) => Ok(CallAnswer::Done(Arc::new(output))),
        Answer::Undone => Ok(CallAnswer::Undone),
        Answer::Pending(pending) if pending.checkpoint.len() > MAX_CROSSING_BYTES => {
            let class = if doubt { FailureClass::Unknown } else { FailureClass::Unavailable };
            let message = format!("the checkpoint has {} bytes, more than the {MAX_CROSSING_BYTES} allowed", pending.checkpoint.len());
            Err(Failure::new(class, "plugin.output_limit", message))
        }
        Answer::Pending(pending) => Ok(pending.into()),
        observed @ Answer::Observed(_) => Err(misfit("apply, resume or undo", &observed)),
    }
}

fn misfit(asked: &str, answer: &Answer) -> Failure {
    let got = match answer {
        Answer::Done(_) => "done",
        Answer::Undone => "undone",
        Answer::Pending(_) => "pending",
        Answer::Observed(_) => "an observation",
    };
    Failure::new(FailureClass::Held, "plugin.contract", format!("the provider answered {got} to {asked}"))
}

/// The result of an attempt whose key-value changes clashed with another call's, when it cannot simply be made again.
pub(crate) fn conflicted(mut attempted: Attempted, key: &str) -> Attempted {
    let class = if attempted.sent { FailureClass::Unknown } else { FailureClass::Unavailable };
    let message = format!("key `{key}` was changed by another call while this one ran");
    attempted.result.answer = Err(Failure::new(class, "_OTHER", message));
    attempted.writes = Vec::new();
    attempted
}

/// The size of a JSON value in its text form, in bytes, without making the text.
pub(crate) fn json_size(value: &impl serde::Serialize) -> usize {
    struct Counter(usize);
    impl std::io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, value).map_or(usize::MAX, |()| counter.0)
}
