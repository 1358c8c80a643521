//! `jackfield run resolve`: a person's decision about a fallout.

use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::cli::{
    client::{encode, read_input},
    connection::Connection,
    exit::Problem,
    output,
};

/// The largest request or output that a person supplies, in bytes.
const MAX_SUPPLIED: usize = 1 << 20;

/// A decision.
#[derive(Debug, Args)]
pub(in crate::cli) struct Resolve {
    /// The run's id.
    run: String,
    /// What to do; `run show` lists what fits.
    action: Action,
    /// For retry-with and skip-with: the file with the JSON to use, or `-` for standard input.
    file: Option<String>,
    /// Who decides: written into the journal of the run.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// Why: written into the journal of the run.
    #[arg(long, value_name = "TEXT")]
    note: String,
    /// Which fallout, where the run has several open ones.
    #[arg(long, value_name = "N")]
    fallout: Option<u32>,
    #[command(flatten)]
    connection: Connection,
}

/// What a person can decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Action {
    /// Try again.
    Retry,
    /// Try again with another request (after an unwind: with another input of the whole run).
    RetryWith,
    /// Go on as if the step had returned this.
    SkipWith,
    /// Undo everything and end as cancelled.
    Cancel,
    /// End as failed and leave things as they are.
    Fail,
}

impl Action {
    fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::RetryWith => "retry-with",
            Self::SkipWith => "skip-with",
            Self::Cancel => "cancel",
            Self::Fail => "fail",
        }
    }
}

pub(super) async fn resolve(decision: Resolve) -> anyhow::Result<ExitCode> {
    let resolution = resolution(decision.action, decision.file.as_deref())?;
    let body = json!({"fallout": decision.fallout, "resolution": resolution, "by": decision.by, "note": decision.note});
    let path = format!("/api/v1/runs/{}/resolve", encode(&decision.run));
    decision.connection.client()?.post(&path, &[], serde_json::to_vec(&body)?).await?;
    if decision.connection.json {
        output::say_json(&json!({"run": decision.run, "resolution": decision.action.name()}))?;
    } else {
        output::say(&format!(
            "recorded: {} by {}; `jackfield run show {}` shows how the run goes on",
            decision.action.name(),
            decision.by,
            decision.run
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The decision as the interface takes it.
fn resolution(action: Action, file: Option<&str>) -> anyhow::Result<Value> {
    let supplied = matches!(action, Action::RetryWith | Action::SkipWith);
    match (supplied, file) {
        (true, Some(file)) => {
            let with: Value = serde_json::from_slice(&read_input(file, MAX_SUPPLIED)?).with_context(|| format!("{file} is not JSON"))?;
            Ok(json!({"action": action.name(), "with": with}))
        }
        (false, None) => Ok(json!({"action": action.name()})),
        (true, None) => Err(Problem::Usage(format!("{} needs a file with the JSON to use", action.name())).into()),
        (false, Some(file)) => Err(Problem::Usage(format!("{} takes no file, but `{file}` is given", action.name())).into()),
    }
}

#[cfg(test)]
mod tests {
    use pipeline::Resolution;

    use super::*;

    #[test]
    fn a_decision_has_the_form_that_the_host_reads() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("output.json");
        std::fs::write(&file, r#"{"id": 7}"#).unwrap();
        let file = file.to_str().unwrap();
        let check = |action, file, expected| {
            let json = resolution(action, file).unwrap();
            assert_eq!(serde_json::from_value::<Resolution>(json).unwrap(), expected);
        };
        check(Action::Retry, None, Resolution::Retry);
        check(Action::RetryWith, Some(file), Resolution::RetryWith(json!({"id": 7})));
        check(Action::SkipWith, Some(file), Resolution::SkipWith(json!({"id": 7})));
        check(Action::Cancel, None, Resolution::Cancel);
        check(Action::Fail, None, Resolution::Fail);
        assert_eq!(resolution(Action::SkipWith, None).unwrap_err().to_string(), "skip-with needs a file with the JSON to use");
        assert_eq!(resolution(Action::Retry, Some("x")).unwrap_err().to_string(), "retry takes no file, but `x` is given");
    }
}
