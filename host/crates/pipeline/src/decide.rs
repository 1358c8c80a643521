//! What to do next: a pure function of the state. The driver obeys, records what came of it, and asks again.

mod forward;
mod unwind;

use serde_json::Value;

use crate::{
    contract::ContractTrack,
    definition::{Definition, Work},
    event::{Event, FalloutOpened, FalloutSubject, Parent, ScheduledItem},
    failure::Failure,
    id::{PipelineName, StepName},
    key::{AttemptId, ItemId},
    run::{Activity, Phase, Ready, Run},
    view::View,
};

/// Something to be done. Each is identified by what it carries; doing it twice is a no-op because its record would be illegal the second time.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Record this event; it follows from the state alone.
    Record(Event),
    /// Bind the requests of a step to providers and record `StepScheduled`, or `StepRefused` when nothing answers.
    Schedule {
        /// The step.
        step: StepName,
        /// The round.
        round: u32,
        /// The contract; `None` for child runs, which are bound to nothing.
        contract: Option<ContractTrack>,
        /// Whether providers must be able to undo.
        needs_undo: bool,
        /// The requests, bound to nothing yet.
        items: Vec<ScheduledItem>,
    },
    /// Make the call of an attempt, unless it is being made, and record how it ended.
    Attempt {
        /// Which attempt.
        attempt: AttemptId,
        /// What kind of call.
        ready: Ready,
    },
    /// Start a child run, unless it exists, and record `ChildStarted`.
    StartChild {
        /// Which item.
        item: ItemId,
        /// The child's pipeline.
        pipeline: PipelineName,
        /// The child's input.
        input: Value,
    },
    /// Tell the parent that the run is over, then record `ParentNotified`.
    NotifyParent {
        /// Whom.
        parent: Parent,
        /// What the run returned.
        result: Result<Value, Failure>,
    },
}

/// Everything that can be done now, in a stable order.
pub fn decide(definition: &Definition, run: &Run) -> Vec<Command> {
    match &run.phase {
        Phase::Forward => forward::decide(definition, run),
        Phase::Unwinding { .. } => unwind::decide(definition, run),
        Phase::Ended(outcome) if run.owes_parent() => {
            let parent = run.started.parent.clone();
            let result = match outcome {
                crate::event::Outcome::Completed => Ok((definition.output)(&View::new(definition, run))),
                crate::event::Outcome::Failed { failure, .. } => Err(failure.clone()),
                crate::event::Outcome::Cancelled => {
                    Err(Failure::new(crate::failure::FailureClass::Rejected, "host.cancelled", "the child run was cancelled"))
                }
            };
            parent.map(|parent| Command::NotifyParent { parent, result }).into_iter().collect()
        }
        Phase::Ended(_) => Vec::new(),
    }
}

/// The calls and child runs that items are ready for.
fn live(definition: &Definition, run: &Run) -> Vec<Command> {
    let mut commands = Vec::new();
    for (s, step) in run.steps.iter().enumerate() {
        for (i, item) in step.items.iter().enumerate() {
            match (&item.activity, &definition.steps[s].work) {
                (Activity::Ready(ready), _) => {
                    commands.push(Command::Attempt { attempt: ready.attempt_id(run.item_id(definition, s, i)), ready: ready.clone() });
                }
                (Activity::Child { run: None }, Work::Child { pipeline }) => commands.push(Command::StartChild {
                    item: run.item_id(definition, s, i),
                    pipeline: pipeline.clone(),
                    input: (*item.request).clone(),
                }),
                (Activity::Queued | Activity::Backoff { .. } | Activity::Pending(_) | Activity::Child { .. } | Activity::Idle, _) => {}
            }
        }
    }
    commands
}

/// The event that holds the run for a person.
fn open_fallout(run: &Run, subject: FalloutSubject, step: &StepName, item: Option<u32>, reason: &str, failure: &Failure) -> Command {
    Command::Record(Event::FalloutOpened(Box::new(FalloutOpened {
        id: u32::try_from(run.fallouts.len()).unwrap_or(u32::MAX) + 1,
        subject,
        step: step.clone(),
        item,
        reason: reason.to_owned(),
        failure: failure.clone(),
    })))
}

/// Whether a fallout about this item is open.
fn is_held(run: &Run, step: &StepName, item: Option<u32>) -> bool {
    run.open_fallouts().any(|fallout| fallout.opened.step == *step && fallout.opened.item == item)
}
