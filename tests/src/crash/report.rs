//! How a run ended, as a crash must not change it: outcome and outputs without the keys that depend on the run's id.

use pipeline::{Definition, Outcome, Run, Standing};
use serde_json::{Map, Value, json};

/// How a run ended: the outcome in words, and what every item of every step came to.
pub fn report(definition: &Definition, run: &Run) -> Value {
    let steps = definition.steps.iter().zip(run.steps());
    let steps: Map<String, Value> =
        steps.map(|(step, state)| (step.name.to_string(), state.items.iter().map(|item| standing(&item.standing)).collect())).collect();
    json!({"outcome": outcome(run), "steps": steps})
}

/// The outcome in words.
pub fn outcome(run: &Run) -> String {
    match run.outcome() {
        None => "not over".to_owned(),
        Some(Outcome::Completed) => "completed".to_owned(),
        Some(Outcome::Cancelled) => "cancelled".to_owned(),
        Some(Outcome::Failed { failure, step }) => {
            let step = step.as_ref().map_or("no step", |step| step.as_str());
            format!("failed in {step}: {}", failure.message)
        }
    }
}

fn standing(standing: &Standing) -> Value {
    match standing {
        Standing::Done { output, .. } => without_key(Value::clone(output)),
        Standing::Open => json!("open"),
        Standing::Failed { doubt, .. } => json!(if *doubt { "failed in doubt" } else { "failed" }),
        Standing::Forgiven => json!("forgiven"),
        Standing::Undone => json!("undone"),
        Standing::UndoFailed { .. } => json!("undo failed"),
    }
}

/// Keys are hashes of the run's id, which is drawn anew in every enumeration.
fn without_key(mut output: Value) -> Value {
    if let Some(object) = output.as_object_mut() {
        object.remove("key");
    }
    output
}
