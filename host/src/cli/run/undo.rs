//! `jackfield run undo`: takes back what a run did that is over.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::cli::{client::encode, connection::Connection, output};

/// Which run, and why.
#[derive(Debug, Args)]
pub(in crate::cli) struct Undo {
    /// The run's id.
    run: String,
    /// Who decided: written into the journal of the run.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why: written into the journal of the run.
    #[arg(long, value_name = "TEXT")]
    note: String,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn undo(undo: Undo) -> anyhow::Result<ExitCode> {
    let body = json!({"by": undo.by, "note": undo.note});
    let path = format!("/api/v1/runs/{}/undo", encode(&undo.run));
    undo.connection.client()?.post(&path, &[], serde_json::to_vec(&body)?).await?;
    if undo.connection.json {
        output::say_json(&json!({"run": undo.run, "undo": "begun"}))?;
    } else {
        output::say(&format!("recorded: what the run did is taken back; `jackfield run show {}` shows how it goes on", undo.run))?;
    }
    Ok(ExitCode::SUCCESS)
}
