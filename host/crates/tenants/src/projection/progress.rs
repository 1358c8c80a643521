//! How far each step of a run is.

use pipeline::{Activity, Definition, Direction, ItemState, Phase, Run, Standing, StepDefinition, StepState, StepStatus};
use serde_json::{Value, json};

/// The steps in their order, each with how far it is.
pub(super) fn progress(definition: &Definition, run: &Run) -> Vec<Value> {
    definition.steps.iter().zip(run.steps()).map(|(step, state)| one(definition, run, step, state)).collect()
}

fn one(definition: &Definition, run: &Run, step: &StepDefinition, state: &StepState) -> Value {
    let mut shown = json!({ "step": step.name.as_str(), "state": step_state(definition, run, step, state) });
    let failures = state.items.iter().map(|item| item.failures).max().unwrap_or(0);
    if failures > 0 {
        shown["failures"] = failures.into();
    }
    let done = state.items.iter().filter(|item| item.output().is_some()).count();
    if state.items.len() > 1 && done > 0 {
        shown["items"] = state.items.len().into();
        shown["done"] = done.into();
    }
    if let StepStatus::Done { scheduled, done } = state.status {
        shown["since"] = scheduled.0.into();
        shown["until"] = done.0.into();
        let attempts: u32 = state.items.iter().map(|item| item.attempts[Direction::Do as usize]).sum();
        shown["attempts"] = attempts.into();
    }
    let last = state.items.iter().filter(|item| item.output().is_none()).find_map(|item| item.last_failure.as_ref());
    let refused = if let StepStatus::Refused(failure) = &state.status { Some(failure) } else { None };
    if let Some(failure) = refused.or(last) {
        shown["error"] = json!({ "type": failure.error_type, "message": failure.message });
    }
    shown
}

/// How far the item of a step is that needs attention most; the whole step where it has none.
fn step_state(definition: &Definition, run: &Run, step: &StepDefinition, state: &StepState) -> &'static str {
    const ATTENTION: [&str; 8] = ["undo_failed", "failed", "undoing", "retrying", "pending", "running", "undone", "done"];
    let of_items = || {
        let states: Vec<_> = state.items.iter().map(|item| item_state(item)).collect();
        ATTENTION.into_iter().find(|wanted| states.contains(wanted))
    };
    match state.status {
        StepStatus::Refused(_) => "failed",
        StepStatus::Done { .. } if state.items.is_empty() => "skipped",
        StepStatus::Scheduled(_) | StepStatus::Done { .. } => of_items().unwrap_or("running"),
        StepStatus::Waiting if *run.phase() == Phase::Forward && can_run(definition, run, step) => "running",
        StepStatus::Waiting => "waiting",
    }
}

/// A step is scheduled as soon as the steps before it are done, so it counts as running from then on.
fn can_run(definition: &Definition, run: &Run, step: &StepDefinition) -> bool {
    let done = |name| definition.step(name).is_some_and(|(position, _)| matches!(run.steps()[position].status, StepStatus::Done { .. }));
    step.after.iter().all(done)
}

fn item_state(item: &ItemState) -> &'static str {
    match &item.activity {
        Activity::Ready(ready) if ready.direction == Direction::Undo => "undoing",
        Activity::Backoff { direction: Direction::Undo, .. } => "undoing",
        Activity::Pending(pending) if pending.direction == Direction::Undo => "undoing",
        Activity::Pending(_) => "pending",
        // Until something else comes of it.
        Activity::Ready(ready) if ready.resume.is_some() => "pending",
        Activity::Backoff { .. } => "retrying",
        Activity::Ready(ready) if ready.attempt > 1 => "retrying",
        Activity::Queued | Activity::Ready(_) | Activity::Child { .. } => "running",
        Activity::Idle => match item.standing {
            Standing::Open => "running",
            Standing::Done { .. } | Standing::Forgiven => "done",
            Standing::Failed { .. } => "failed",
            Standing::Undone => "undone",
            Standing::UndoFailed { .. } => "undo_failed",
        },
    }
}
