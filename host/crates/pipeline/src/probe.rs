//! What follows from an observation, when the outcome of an earlier attempt is in doubt. Never a guess.

use std::{sync::Arc, time::Duration};

use serde_json::Value;

use crate::{
    failure::{Failure, FailureClass},
    key::Direction,
    run::{ItemState, Standing},
    settle::CallAnswer,
};

/// What `observe` found.
#[derive(Debug, Clone, PartialEq)]
pub enum Observed {
    /// There is no such effect.
    Absent,
    /// The effect is there and was made under this key.
    Ours(Value),
    /// The effect is being made under this key: the operation can be resumed as if `apply` had just said so.
    Pending(PendingAnswer),
    /// Something is there that somebody else made.
    Foreign(String),
    /// The effect was made under this key but looks different now.
    Drifted(Value),
    /// The provider cannot tell.
    Unsupported,
}

/// A request was taken and must be resumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingAnswer {
    /// The provider's name of the operation.
    pub operation: String,
    /// What `resume` is to be given.
    pub checkpoint: String,
    /// When to ask again without being called.
    pub poll_after: Option<Duration>,
    /// When to stop waiting.
    pub give_up_after: Duration,
}

impl From<PendingAnswer> for CallAnswer {
    fn from(PendingAnswer { operation, checkpoint, poll_after, give_up_after }: PendingAnswer) -> Self {
        Self::Pending { operation, checkpoint, poll_after, give_up_after }
    }
}

/// How an attempt goes on after `observe`.
#[derive(Debug, Clone, PartialEq)]
pub enum AfterObserve {
    /// Call `apply`, in the same attempt.
    Apply,
    /// The attempt waits, as if its `apply` had answered so.
    Wait(PendingAnswer),
    /// What is to be undone is still being made: call `resume` with this checkpoint to cancel it, under the key of doing, in the same attempt, whose end
    /// is then what [`after_cancel`] says.
    Cancel {
        /// What `resume` is to be given.
        checkpoint: String,
    },
    /// Call `undo` with this receipt, in the same attempt.
    Undo(Arc<Value>),
    /// The attempt is over.
    Finish(Result<CallAnswer, Failure>),
}

/// How an attempt of an item goes on after `observe`.
pub fn after_observe(item: &ItemState, direction: Direction, found: Observed) -> AfterObserve {
    match direction {
        Direction::Do => forward(item.pin.as_ref().is_some_and(|pin| pin.idempotent), found),
        Direction::Undo => back(item, found),
    }
}

fn forward(idempotent: bool, found: Observed) -> AfterObserve {
    let hold = |code, message| AfterObserve::Finish(Err(Failure::new(FailureClass::Held, code, message)));
    match found {
        Observed::Absent => AfterObserve::Apply,
        Observed::Ours(receipt) => AfterObserve::Finish(Ok(CallAnswer::Done(receipt.into()))),
        Observed::Pending(pending) => AfterObserve::Wait(pending),
        Observed::Drifted(_) | Observed::Unsupported if idempotent => AfterObserve::Apply,
        Observed::Foreign(what) => hold("_OTHER", format!("what is there was made by somebody else: {what}")),
        Observed::Drifted(_) => hold("_OTHER", "what is there was made by this run but looks different now".to_owned()),
        Observed::Unsupported => hold("_OTHER", "the outcome is in doubt and the provider cannot tell what is there".to_owned()),
    }
}

fn back(item: &ItemState, found: Observed) -> AfterObserve {
    match (found, &item.standing) {
        (Observed::Absent | Observed::Foreign(_), _) => AfterObserve::Finish(Ok(CallAnswer::Undone)),
        (Observed::Ours(receipt) | Observed::Drifted(receipt), _) => AfterObserve::Undo(receipt.into()),
        (Observed::Pending(pending), _) if item.pin.as_ref().is_some_and(|pin| pin.verbs.resume) => {
            AfterObserve::Cancel { checkpoint: pending.checkpoint }
        }
        (Observed::Pending(pending), _) => AfterObserve::Finish(Err(still_pending(pending.poll_after))),
        (
            Observed::Unsupported,
            Standing::Done { output, .. } | Standing::UndoFailed { output: Some(output) } | Standing::Failed { receipt: Some(output), .. },
        ) => AfterObserve::Undo(output.clone()),
        (Observed::Unsupported, _) => {
            let message = "the outcome is in doubt and the provider cannot tell what is there";
            AfterObserve::Finish(Err(Failure::new(FailureClass::Held, "_OTHER", message)))
        }
    }
}

/// How an undo ends that asked for the end of an operation which was still under way. Unless that took it back the doubt stays, and the next attempt
/// observes again: it finds what can be undone, or nothing.
pub fn after_cancel(answer: Result<CallAnswer, Failure>) -> Result<(), Failure> {
    match answer.map_err(observe_failed)? {
        CallAnswer::Undone => Ok(()),
        CallAnswer::Done(_) => Err(Failure::new(FailureClass::Unknown, "_OTHER", "what is to be undone was finished before it could be cancelled")),
        CallAnswer::Pending { poll_after, .. } => Err(still_pending(poll_after)),
    }
}

fn still_pending(again_after: Option<Duration>) -> Failure {
    let failure = Failure::new(FailureClass::Unknown, "_OTHER", "what is to be undone is still being made");
    Failure { retry_after_ms: again_after.map(|after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX)), ..failure }
}

/// How an attempt ends whose `observe` failed. That nothing was left behind by the question says nothing about the effect: the doubt stays, so the
/// attempt must not be recorded as rejected or unavailable.
pub fn observe_failed(failure: Failure) -> Failure {
    let class = match failure.class {
        FailureClass::Rejected | FailureClass::Unavailable | FailureClass::Unknown => FailureClass::Unknown,
        FailureClass::Held => FailureClass::Held,
    };
    Failure { class, ..failure }
}
