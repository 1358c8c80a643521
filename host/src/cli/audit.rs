//! `jackfield audit`: who changed what about plugins and bindings, when and why.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::{connection::Connection, output};

/// What can be done with the audit trail.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the entries, the oldest first. `--json` shows what was in force before and after each.
    List {
        /// Only entries after this number. Default: the last ones.
        #[arg(long, value_name = "N")]
        after: Option<u64>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        #[command(flatten)]
        connection: Connection,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    let Command::List { after, limit, connection } = command;
    let after = after.map_or_else(String::new, |after| format!("&after={after}"));
    let entries: Vec<Value> = connection.client()?.get(&format!("/api/v1/audit?limit={limit}{after}")).await?.json()?;
    if connection.json {
        output::say_json(&entries)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    output::say(&output::table(&["NUMBER", "AT", "BY", "ACTION", "SUBJECT", "NOTE"], &rows))?;
    Ok(ExitCode::SUCCESS)
}

fn row(entry: &Value) -> Vec<String> {
    let at = entry["at"].as_u64().map_or_else(String::new, output::instant);
    let cell = |key: &str| output::cell(&entry[key]);
    vec![cell("number"), at, cell("by"), cell("action"), cell("subject"), cell("note").lines().next().unwrap_or_default().to_owned()]
}
