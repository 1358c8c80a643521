//! What a run does, what it waits for, what went wrong last, and what a person can decide.

use engine::port::RunRow;
use pipeline::{
    Activity, Definition, Fallout, ItemId, ItemState, Outcome, Resolution, Run, Standing, StepDefinition, StepState, StepStatus, Timer, Wake,
    check_resolution,
};
use serde_json::{Value, json};

/// The summary of a run.
pub(super) fn summary(definition: &Definition, run: &Run, row: Option<&RunRow>) -> Value {
    let steps = definition.steps.iter().zip(run.steps());
    json!({
        "run": run.id(),
        "pipeline": run.started().pipeline,
        "version": run.started().version,
        "state": row.map(|row| row.state.as_str()),
        "reason": reason(run).or_else(|| row.map(|row| row.detail.clone())),
        "step": current(definition, run),
        "started_at": run.started_at(),
        "last_at": run.last_at(),
        "trace_id": run.started().trace.trace_id,
        "parent": run.started().parent,
        "input": run.started().input,
        "last_error": last_error(definition, run),
        "steps": steps.map(|(step, state)| step_json(step, state)).collect::<Vec<_>>(),
        "waits_for": run.wakes(definition).iter().map(wake).collect::<Vec<_>>(),
        "fallouts": run.fallouts().iter().map(|fallout| fallout_json(definition, run, fallout)).collect::<Vec<_>>(),
    })
}

/// Why the run is held or how it ended; nothing for one that goes its way.
fn reason(run: &Run) -> Option<String> {
    match run.outcome() {
        Some(Outcome::Completed) => Some("completed".to_owned()),
        Some(Outcome::Cancelled) => Some("cancelled".to_owned()),
        Some(Outcome::Failed { failure, step }) => {
            let place = step.as_ref().map_or_else(String::new, |step| format!(" in {step}"));
            Some(format!("failed{place}: {}: {}", failure.error_type, failure.message))
        }
        None => run.open_fallouts().next().map(|fallout| fallout.opened.reason.clone()),
    }
}

/// The step that a person should look at: where it is held, else the first that is not done, else the last.
fn current<'a>(definition: &'a Definition, run: &'a Run) -> Option<&'a str> {
    if let Some(fallout) = run.open_fallouts().next() {
        return Some(fallout.opened.step.as_str());
    }
    let mut steps = definition.steps.iter().zip(run.steps());
    let open = steps.find(|(_, state)| !matches!(state.status, StepStatus::Done { .. }));
    open.map(|(step, _)| step).or(definition.steps.last()).map(|step| step.name.as_str())
}

/// The failure that was recorded for the latest step that has one.
fn last_error(definition: &Definition, run: &Run) -> Option<Value> {
    let mut steps = definition.steps.iter().zip(run.steps()).rev();
    steps.find_map(|(step, state)| {
        if let StepStatus::Refused(failure) = &state.status {
            return Some(json!({"step": step.name, "failure": failure}));
        }
        let mut items = state.items.iter().enumerate().rev();
        let (item, failure) = items.find_map(|(item, state)| state.last_failure.as_ref().map(|failure| (item, failure)))?;
        Some(json!({"step": step.name, "item": item, "failure": failure}))
    })
}

fn step_json(step: &StepDefinition, state: &StepState) -> Value {
    let status = match &state.status {
        StepStatus::Waiting => "waiting",
        StepStatus::Refused(_) => "refused",
        StepStatus::Scheduled(_) => "working",
        StepStatus::Done { .. } => "done",
    };
    let items: Vec<Value> = state.items.iter().map(|item| item_json(item)).collect();
    json!({"step": step.name, "status": status, "round": state.round, "items": items})
}

fn item_json(item: &ItemState) -> Value {
    let standing = match &item.standing {
        Standing::Open => "open",
        Standing::Done { by_hand: false, .. } => "done",
        Standing::Done { by_hand: true, .. } => "supplied by a person",
        Standing::Failed { .. } => "failed",
        Standing::Forgiven => "failed, gone on without it",
        Standing::Undone => "undone",
        Standing::UndoFailed { .. } => "undo failed",
    };
    let activity = match &item.activity {
        Activity::Queued => "queued",
        Activity::Ready(_) => "calling",
        Activity::Backoff { .. } => "waits for its retry",
        Activity::Pending(_) => "pending",
        Activity::Child { .. } => "waits for a child run",
        Activity::Idle => "idle",
    };
    let provider = item.pin.as_ref().map(|pin| pin.provider.name());
    let output = match &item.standing {
        Standing::Done { output, .. } => Some(output),
        Standing::Failed { receipt, .. } => receipt.as_ref(),
        Standing::UndoFailed { output } => output.as_ref(),
        Standing::Open | Standing::Forgiven | Standing::Undone => None,
    };
    json!({
        "label": item.label,
        "standing": standing,
        "activity": activity,
        "attempts": item.attempts[0],
        "undo_attempts": item.attempts[1],
        "provider": provider,
        "last_failure": item.last_failure,
        // What a person starts from who supplies another one.
        "request": item.request,
        "output": output,
    })
}

fn wake(wake: &Wake) -> Value {
    let of = |kind: &str, item: &ItemId| json!({"for": kind, "step": item.step, "item": item.item});
    match wake {
        Wake::Call(item) => of("call", item),
        Wake::Timer { item, timer, due } => {
            let kind = match timer {
                Timer::Retry => "retry",
                Timer::Poll => "poll",
                Timer::GiveUp => "give-up",
            };
            let mut value = of(kind, item);
            value["due"] = json!(due);
            value
        }
        Wake::Callback(item) => of("callback", item),
        Wake::Child { item, run } => {
            let mut value = of("child", item);
            value["run"] = json!(run);
            value
        }
        Wake::Fallout(id) => json!({"for": "person", "fallout": id}),
        Wake::Parent => json!({"for": "parent"}),
    }
}

fn fallout_json(definition: &Definition, run: &Run, fallout: &Fallout) -> Value {
    let possible = [
        ("retry", Resolution::Retry),
        ("retry-with", Resolution::RetryWith(Value::Null)),
        ("skip-with", Resolution::SkipWith(Value::Null)),
        ("cancel", Resolution::Cancel),
        ("fail", Resolution::Fail),
    ];
    // None fits a fallout that is resolved already.
    let fitting = possible.iter().filter(|(_, resolution)| check_resolution(definition, run, fallout.opened.id, resolution).is_ok());
    json!({
        "id": fallout.opened.id,
        "subject": fallout.opened.subject,
        "step": fallout.opened.step,
        "item": fallout.opened.item,
        "reason": fallout.opened.reason,
        "failure": fallout.opened.failure,
        "opened_at": fallout.opened_at,
        "resolved": fallout.resolved.as_ref().map(|(at, by)| json!({"at": at, "by": by})),
        "resolutions": fitting.map(|(name, _)| *name).collect::<Vec<_>>(),
    })
}
