//! From what came of a call to the event that says so: retry or not, and when, decided by arithmetic alone.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    definition::{Definition, StepDefinition, Work},
    event::{Event, Pended, Verdict},
    failure::{Failure, FailureClass},
    id::Timestamp,
    key::{AttemptId, Direction},
    measure::Attributes,
    run::{ItemState, Phase, Ready, ResumeSignal, ResumeState, Run},
};

/// The largest checkpoint and callback body: strings cross the component boundary at 40 bytes of host memory each.
pub const MAX_CROSSING_BYTES: usize = 16 * 1024;

/// The shortest pause before a pending operation is asked again, whatever its provider wants: each time is an append.
pub const MIN_POLL: Duration = Duration::from_millis(10);

/// What came of the calls of an attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct CallResult {
    /// When the first of them began.
    pub started_at: Timestamp,
    /// The answer, or why there is none.
    pub answer: Result<CallAnswer, Failure>,
    /// Attributes that the provider set on its span.
    pub attributes: Attributes,
}

/// The answer of a provider.
#[derive(Debug, Clone, PartialEq)]
pub enum CallAnswer {
    /// The work is done.
    Done(Arc<Value>),
    /// There is nothing (any more) to take back.
    Undone,
    /// The request was taken and must be resumed.
    Pending {
        /// The provider's name of the operation.
        operation: String,
        /// What `resume` is to be given.
        checkpoint: String,
        /// When to ask again without being called.
        poll_after: Option<Duration>,
        /// When to stop waiting.
        give_up_after: Duration,
    },
}

/// The event that records what came of an attempt; `None` when no such attempt is under way any more.
pub fn settle(definition: &Definition, run: &Run, id: &AttemptId, now: Timestamp, result: CallResult) -> Option<Event> {
    if run.outcome().is_some() {
        return None;
    }
    let (_, step) = definition.step(&id.item.step)?;
    let item = run.item(definition, &id.item)?;
    let ready = item.ready().filter(|ready| ready.attempt == id.attempt && ready.direction == id.direction)?;
    let settling = Settling { step, run, item, ready, id, now };
    let started_at = ready.resume.as_ref().map_or(result.started_at, |resume| resume.pending.started_at);
    let finished =
        |verdict, retry_at| Event::AttemptFinished { attempt: id.clone(), started_at, verdict, retry_at, attributes: result.attributes.clone() };
    Some(match result.answer {
        Ok(CallAnswer::Done(output)) if id.direction == Direction::Do => match (step.accept)(&item.request, &output) {
            Ok(()) => finished(Verdict::Done(output), None),
            Err(failure) => finished(Verdict::Refused { output, failure }, None),
        },
        Ok(CallAnswer::Done(_)) => finished(Verdict::Undone, None),
        Ok(CallAnswer::Undone) => finished(settling.undone(), None),
        Ok(CallAnswer::Pending { .. }) if settling.was_cancelled() => {
            let message = "the operation was cancelled and is still pending";
            finished(Verdict::Failed(Failure::new(FailureClass::Unknown, "timeout", message)), None)
        }
        Ok(CallAnswer::Pending { operation, checkpoint, poll_after, give_up_after }) => {
            Event::AttemptPended { attempt: id.clone(), started_at, pending: settling.pended(operation, checkpoint, poll_after, give_up_after) }
        }
        Err(failure) => match settling.resume_again(&failure) {
            Some(due) => Event::ResumeFailed { attempt: id.clone(), failure, due },
            None if ready.resume.is_some() && failure.class == FailureClass::Held => Event::ResumeHeld { attempt: id.clone(), failure },
            None => {
                let retry_at = settling.retry_at(&failure);
                finished(Verdict::Failed(failure), retry_at)
            }
        },
    })
}

/// The retry policy of a resume and the attempt's own are the same: an attempt that is asked again too often has failed.
struct Settling<'a> {
    step: &'a StepDefinition,
    run: &'a Run,
    item: &'a ItemState,
    ready: &'a Ready,
    id: &'a AttemptId,
    now: Timestamp,
}

impl Settling<'_> {
    fn was_cancelled(&self) -> bool {
        matches!(self.ready.resume, Some(ResumeState { signal: ResumeSignal::Cancel, .. }))
    }

    /// An operation that was taken back because it took too long has failed; one that was taken back because the run unwinds is undone.
    fn undone(&self) -> Verdict {
        let forward = self.run.phase() == &Phase::Forward && self.id.direction == Direction::Do;
        if forward && self.was_cancelled() {
            return Verdict::Failed(Failure::new(FailureClass::Rejected, "timeout", "the operation took too long and was cancelled"));
        }
        if forward {
            let message = "the provider answered `undone` to a request to do something";
            return Verdict::Failed(Failure::new(FailureClass::Held, "plugin.contract", message));
        }
        Verdict::Undone
    }

    fn pended(&self, operation: String, checkpoint: String, poll_after: Option<Duration>, give_up_after: Duration) -> Pended {
        // The time to give up is fixed by the first answer; later ones cannot push it on.
        let give_up_at = match &self.ready.resume {
            Some(resume) => resume.pending.pended.give_up_at,
            None => self.now.plus(give_up_after),
        };
        let poll_after = poll_after.map(|after| after.max(MIN_POLL));
        let poll_after_ms = poll_after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        Pended { operation, checkpoint, poll_at: poll_after.map(|after| self.now.plus(after)), poll_after_ms, give_up_at }
    }

    /// When a failed resume is repeated; `None` when it was not a resume or has failed too often.
    fn resume_again(&self, failure: &Failure) -> Option<Timestamp> {
        let resume = self.ready.resume.as_ref()?;
        let stumbles = resume.pending.stumbles + 1;
        let repeatable = matches!(failure.class, FailureClass::Unavailable | FailureClass::Unknown);
        if !repeatable || stumbles >= self.step.retry.max_attempts.get() || self.was_cancelled() && stumbles > 1 {
            return None;
        }
        let key = self.run.key(&self.id.item, self.id.direction);
        Some(self.now.plus(self.step.retry.pause(&key, stumbles, failure.retry_after())))
    }

    /// When the next attempt starts; `None` when the item has failed for good.
    fn retry_at(&self, failure: &Failure) -> Option<Timestamp> {
        let repeatable = self.id.direction == Direction::Undo || matches!(self.step.work, Work::Pure { .. });
        let settles = repeatable || self.item.pin.as_ref().is_some_and(|pin| pin.can_settle_doubt());
        let retryable = match failure.class {
            FailureClass::Rejected | FailureClass::Held => false,
            // An operation that cannot be asked about is still there: beginning anew is as doubtful as after a lost answer.
            FailureClass::Unavailable => settles || self.ready.resume.is_none(),
            FailureClass::Unknown => settles,
        };
        let forward = self.id.direction == Direction::Do;
        let unwinding = matches!(self.run.phase(), Phase::Unwinding { .. });
        let failures = self.item.failures + 1;
        if !retryable || failures >= self.step.retry.max_attempts.get() || (forward && unwinding) || self.was_cancelled() {
            return None;
        }
        let key = self.run.key(&self.id.item, self.id.direction);
        let due = self.now.plus(self.step.retry.pause(&key, failures, failure.retry_after()));
        (due <= self.item.since.plus(self.step.retry.deadline)).then_some(due)
    }
}
