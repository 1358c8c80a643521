//! Decisions on the way back: strict reverse order, one compensation at a time, outside of any cancellation.

use super::{Command, is_held, live, open_fallout};
use crate::{
    definition::{Definition, Undo},
    event::{AfterUnwind, Event, FalloutSubject, Outcome},
    failure::{Failure, FailureClass},
    key::Direction,
    run::{Activity, ItemState, Phase, Run, Standing},
};

pub(super) fn decide(definition: &Definition, run: &Run) -> Vec<Command> {
    let mut commands = live(definition, run);
    let settling = settle(definition, run);
    if !settling.is_empty() {
        commands.extend(settling);
        return commands;
    }
    if run.steps.iter().flat_map(|step| &step.items).any(|item| acts_forward(item)) {
        return commands;
    }
    match next(definition, run) {
        Next::Busy => {}
        Next::Do(command) => commands.push(command),
        Next::Finished => commands.extend(finish(definition, run)),
    }
    commands
}

/// What is under way and not a call is stopped: retries are abandoned, pending operations cancelled.
fn settle(definition: &Definition, run: &Run) -> Vec<Command> {
    let mut commands = Vec::new();
    for (s, step) in run.steps.iter().enumerate() {
        for (i, item) in step.items.iter().enumerate() {
            let id = || run.item_id(definition, s, i);
            match &item.activity {
                Activity::Backoff { direction: Direction::Do, .. } => commands.push(Command::Record(Event::RetryAbandoned { item: id() })),
                Activity::Pending(pending) if pending.direction == Direction::Do && pending.stumbles == 0 => {
                    commands.push(Command::Record(Event::CancelRequested { item: id() }));
                }
                Activity::Idle if is_parked(item) && !is_held(run, &definition.steps[s].name, u32::try_from(i).ok()) => {
                    commands.push(Command::Record(Event::CancelRequested { item: id() }));
                }
                Activity::Queued
                | Activity::Ready(_)
                | Activity::Backoff { direction: Direction::Undo, .. }
                | Activity::Pending(_)
                | Activity::Child { run: Some(_) | None }
                | Activity::Idle => {}
            }
        }
    }
    commands
}

/// Whether the work of an item pends, could not be resumed, and was not to be cancelled yet.
fn is_parked(item: &ItemState) -> bool {
    item.parked.as_ref().is_some_and(|parked| !parked.cancel && parked.pending.direction == Direction::Do)
}

/// Whether an item still does something that may need an undo.
fn acts_forward(item: &ItemState) -> bool {
    match &item.activity {
        Activity::Ready(ready) => ready.direction == Direction::Do,
        Activity::Backoff { direction, .. } => *direction == Direction::Do,
        Activity::Pending(pending) => pending.direction == Direction::Do,
        Activity::Child { .. } => true,
        Activity::Queued | Activity::Idle => false,
    }
}

enum Next {
    Busy,
    Do(Command),
    Finished,
}

/// The next compensation: the last item that acted and still has something to take back.
fn next(definition: &Definition, run: &Run) -> Next {
    for &(s, i) in run.order.iter().rev() {
        let (step, item) = (&definition.steps[s], &run.steps[s].items[i]);
        if !matches!(item.activity, Activity::Idle | Activity::Queued) {
            return Next::Busy;
        }
        let position = u32::try_from(i).unwrap_or(u32::MAX);
        let held = is_held(run, &step.name, Some(position));
        let pin = item.pin.as_ref();
        let can_undo = pin.is_some_and(|pin| pin.verbs.undo);
        let can_observe = pin.is_some_and(|pin| pin.verbs.observe);
        let give_up = |failure: &Failure| Next::Do(open_fallout(run, FalloutSubject::UndoFailed, &step.name, Some(position), "undo_failed", failure));
        match &item.standing {
            _ if held => {}
            _ if item.parked.is_some() => {
                return give_up(item.last_failure.as_ref().unwrap_or(&cannot("the operation could not be cancelled for no recorded reason")));
            }
            Standing::Forgiven if !item.doubt => {}
            Standing::Done { by_hand: true, .. } | Standing::Open | Standing::Undone | Standing::Failed { doubt: false, .. } => {}
            Standing::Done { .. } | Standing::Failed { .. } | Standing::Forgiven if step.undo == Undo::Never => {}
            Standing::Done { .. } | Standing::Failed { receipt: Some(_), .. } if can_undo => return Next::Do(undo(definition, run, s, i)),
            Standing::Failed { doubt: true, .. } | Standing::Forgiven if can_undo && can_observe => return Next::Do(undo(definition, run, s, i)),
            Standing::Done { .. } => return give_up(&cannot("the provider has no undo")),
            Standing::Failed { .. } | Standing::Forgiven => {
                return give_up(&cannot("the outcome is in doubt and the provider cannot tell what is there"));
            }
            Standing::UndoFailed { .. } => {
                return give_up(item.last_failure.as_ref().unwrap_or(&cannot("the undo failed without a recorded reason")));
            }
        }
    }
    Next::Finished
}

fn undo(definition: &Definition, run: &Run, step: usize, item: usize) -> Command {
    Command::Record(Event::UndoScheduled { item: run.item_id(definition, step, item) })
}

fn cannot(message: &str) -> Failure {
    Failure::new(FailureClass::Held, "host.internal", message)
}

/// What follows when nothing is left to take back.
fn finish(definition: &Definition, run: &Run) -> Option<Command> {
    if run.open_fallouts().next().is_some() {
        return None;
    }
    let Phase::Unwinding { cause, step, item, then } = &run.phase else { return None };
    let (step, cause) = (step.clone(), cause.clone().unwrap_or_else(|| cannot("the run was unwound without a recorded reason")));
    match (then, step) {
        (AfterUnwind::Cancel, _) => Some(Command::Record(Event::RunEnded { outcome: Outcome::Cancelled })),
        (AfterUnwind::Fallout, Some(step)) => {
            let reason = definition.step(&step).map_or("undo_failed", |(_, definition)| (definition.on_failure.reason)(&cause));
            Some(open_fallout(run, FalloutSubject::Unwound, &step, *item, reason, &cause))
        }
        (AfterUnwind::Fail, step) | (AfterUnwind::Fallout, step @ None) => {
            Some(Command::Record(Event::RunEnded { outcome: Outcome::Failed { failure: cause, step } }))
        }
    }
}
