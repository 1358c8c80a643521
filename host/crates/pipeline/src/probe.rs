//! What follows from an observation, when the outcome of an earlier attempt is in doubt. Never a guess.

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
    /// Something is there that somebody else made.
    Foreign(String),
    /// The effect was made under this key but looks different now.
    Drifted(Value),
    /// The provider cannot tell.
    Unsupported,
}

/// How an attempt goes on after `observe`.
#[derive(Debug, Clone, PartialEq)]
pub enum AfterObserve {
    /// Call `apply`, in the same attempt.
    Apply,
    /// Call `undo` with this receipt, in the same attempt.
    Undo(Value),
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
        Observed::Ours(receipt) => AfterObserve::Finish(Ok(CallAnswer::Done(receipt))),
        Observed::Drifted(_) | Observed::Unsupported if idempotent => AfterObserve::Apply,
        Observed::Foreign(what) => hold("_OTHER", format!("what is there was made by somebody else: {what}")),
        Observed::Drifted(_) => hold("_OTHER", "what is there was made by this run but looks different now".to_owned()),
        Observed::Unsupported => hold("_OTHER", "the outcome is in doubt and the provider cannot tell what is there".to_owned()),
    }
}

fn back(item: &ItemState, found: Observed) -> AfterObserve {
    match (found, &item.standing) {
        (Observed::Absent | Observed::Foreign(_), _) => AfterObserve::Finish(Ok(CallAnswer::Undone)),
        (Observed::Ours(receipt) | Observed::Drifted(receipt), _) => AfterObserve::Undo(receipt),
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

/// How an attempt ends whose `observe` failed. That nothing was left behind by the question says nothing about the effect: the doubt stays, so the
/// attempt must not be recorded as rejected or unavailable.
pub fn observe_failed(failure: Failure) -> Failure {
    let class = match failure.class {
        FailureClass::Rejected | FailureClass::Unavailable | FailureClass::Unknown => FailureClass::Unknown,
        FailureClass::Held => FailureClass::Held,
    };
    Failure { class, ..failure }
}
