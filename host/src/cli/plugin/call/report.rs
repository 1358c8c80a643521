//! The outcome of a call that is made by hand, as JSON.

use std::process::ExitCode;

use engine::port::{Answer, CallReport, Observed, PendingAnswer};
use pipeline::Failure;
use serde_json::{Value, json};

use super::span::Recorded;
use crate::cli::output;

/// Prints the outcome on standard output and the span where it belongs. A failure of the call is a failure of the command.
pub(super) fn print(report: &CallReport, span: &Recorded, whole: bool) -> anyhow::Result<ExitCode> {
    let outcome = outcome(report);
    if whole {
        output::say_json(&json!({"outcome": outcome, "span": span.json()}))?;
    } else {
        eprintln!("{}", span.text());
        output::say_json(&outcome)?;
    }
    Ok(if report.answer.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn outcome(report: &CallReport) -> Value {
    let mut outcome = match &report.answer {
        Ok(Answer::Done(output)) => json!({"outcome": "done", "output": output}),
        Ok(Answer::Undone) => json!({"outcome": "undone"}),
        Ok(Answer::Pending(pending)) => pending_json(pending),
        Ok(Answer::Observed(observed)) => observed_json(observed),
        Err(Failure { class, error_type, message, retry_after_ms }) => {
            json!({"outcome": "failed", "class": class, "error_type": error_type, "message": message, "retry_after_ms": retry_after_ms})
        }
    };
    outcome["sent"] = json!(report.sent);
    outcome["keys_written"] = json!(report.writes.iter().map(|write| &write.key).collect::<Vec<_>>());
    outcome
}

fn pending_json(pending: &PendingAnswer) -> Value {
    json!({
        "outcome": "pending",
        "operation": pending.operation,
        "checkpoint": pending.checkpoint,
        "poll_after_ms": pending.poll_after.map(|after| after.as_millis()),
        "give_up_after_ms": pending.give_up_after.as_millis(),
    })
}

fn observed_json(observed: &Observed) -> Value {
    match observed {
        Observed::Absent => json!({"outcome": "observed", "observed": "absent"}),
        Observed::Ours(output) => json!({"outcome": "observed", "observed": "ours", "output": output}),
        Observed::Pending(pending) => {
            let mut found = pending_json(pending);
            (found["outcome"], found["observed"]) = (json!("observed"), json!("pending"));
            found
        }
        Observed::Drifted(output) => json!({"outcome": "observed", "observed": "drifted", "output": output}),
        Observed::Foreign(whose) => json!({"outcome": "observed", "observed": "foreign", "whose": whose}),
        Observed::Unsupported => json!({"outcome": "observed", "observed": "unsupported"}),
    }
}
