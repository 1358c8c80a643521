//! The row of a run: what lists show and indexes find, computed from the state.

use pipeline::{Command, Definition, Outcome, Run, Wake};

use crate::port::{RunRow, RunState};

/// The row of a run in this state, in which these commands are decided.
pub(crate) fn row(definition: &Definition, run: &Run, commands: &[Command]) -> RunRow {
    let started = run.started();
    let (state, detail) = standing(definition, run, commands);
    RunRow {
        run: run.id().clone(),
        tenant: started.tenant.clone(),
        pipeline: started.pipeline.clone(),
        idempotency_key: started.idempotency_key.clone(),
        head: run.head(),
        state,
        wake_at: run.wake_at(),
        detail,
        created_at: run.started_at(),
        updated_at: run.last_at(),
    }
}

fn standing(definition: &Definition, run: &Run, commands: &[Command]) -> (RunState, String) {
    if let Some(outcome) = run.outcome() {
        let detail = match outcome {
            Outcome::Completed => "completed".to_owned(),
            Outcome::Cancelled => "cancelled".to_owned(),
            Outcome::Failed { failure, step: Some(step) } => format!("failed in {step}: {}", failure.message),
            Outcome::Failed { failure, step: None } => format!("failed: {}", failure.message),
        };
        // A run whose parent does not know yet is still work.
        return (if run.owes_parent() { RunState::Active } else { RunState::Ended }, detail);
    }
    let wakes = run.wakes(definition);
    if !commands.is_empty() {
        return (RunState::Active, doing(&wakes));
    }
    let held = wakes.iter().find(|wake| matches!(wake, Wake::Fallout(_)));
    let other = wakes.iter().find(|wake| !matches!(wake, Wake::Fallout(_)));
    match (held, other) {
        (Some(_), None) => (RunState::Held, fallouts(run)),
        (Some(_), Some(_)) => (RunState::Waiting, format!("{}; {}", fallouts(run), doing(&wakes))),
        (None, Some(_)) => (RunState::Waiting, doing(&wakes)),
        (None, None) => (RunState::Waiting, "stuck: nothing can wake the run".to_owned()),
    }
}

fn fallouts(run: &Run) -> String {
    let one = |fallout: &pipeline::Fallout| format!("fallout {} in {}: {}", fallout.opened.id, fallout.opened.step, fallout.opened.reason);
    run.open_fallouts().map(one).collect::<Vec<_>>().join(", ")
}

/// The first thing that a run waits for, and how many there are beside it.
fn doing(wakes: &[Wake]) -> String {
    let Some(first) = wakes.iter().find(|wake| !matches!(wake, Wake::Fallout(_))) else { return String::new() };
    let text = match first {
        Wake::Call(item) => format!("calling {}[{}]", item.step, item.item),
        Wake::Timer { item, timer, .. } => format!("{}[{}] waits for its {} timer", item.step, item.item, timer_name(*timer)),
        Wake::Callback(item) => format!("{}[{}] waits for a callback", item.step, item.item),
        Wake::Child { item, run: Some(run) } => format!("{}[{}] waits for run {run}", item.step, item.item),
        Wake::Child { item, run: None } => format!("{}[{}] starts a run", item.step, item.item),
        Wake::Fallout(id) => format!("fallout {id} waits for a person"),
        Wake::Parent => "telling the parent run".to_owned(),
    };
    let others = wakes.len() - 1;
    if others == 0 { text } else { format!("{text} and {others} more") }
}

fn timer_name(timer: pipeline::Timer) -> &'static str {
    match timer {
        pipeline::Timer::Retry => "retry",
        pipeline::Timer::Poll => "poll",
        pipeline::Timer::GiveUp => "give-up",
    }
}
