//! `jackfield run`: what runs do, why they wait, their traces, and decisions about those that are held.

pub(super) mod progress;
mod resolve;
mod show;
mod trace;
mod undo;

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde_json::Value;

use super::{client::encode, connection::Connection, output};

/// What can be done with runs.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List runs with what they do or wait for, the oldest first.
    List {
        /// Only runs in this state. `stuck`: nothing will ever wake them, which is a defect to report.
        #[arg(long)]
        state: Option<State>,
        /// How many at most.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
        limit: u16,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show why a run is where it is: step, last error, what it waits for, open fallouts and what fits them.
    Show {
        /// The run's id; the run of an order has the order's id.
        run: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show the spans of a run as a tree, computed from its journal; open ones are marked.
    Trace {
        /// The run's id.
        run: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Decide how a run that is held goes on.
    Resolve(resolve::Resolve),
    /// Take back what a run did that is over. It ends as cancelled.
    Undo(undo::Undo),
}

/// A state of runs.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum State {
    /// Something is being done.
    Active,
    /// Waits for a timer, a callback or another run.
    Waiting,
    /// Waits for a person.
    Held,
    /// Nothing can wake it.
    Stuck,
    /// Over.
    Ended,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Waiting => "waiting",
            Self::Held => "held",
            Self::Stuck => "stuck",
            Self::Ended => "ended",
        }
    }
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { state, limit, connection } => list(state, limit, &connection).await,
        Command::Show { run, connection } => show::show(&run, &connection).await,
        Command::Trace { run, connection } => trace::trace(&run, &connection).await,
        Command::Resolve(decision) => resolve::resolve(decision).await,
        Command::Undo(undo) => undo::undo(undo).await,
    }
}

async fn list(state: Option<State>, limit: u16, connection: &Connection) -> anyhow::Result<ExitCode> {
    let filter = state.map_or_else(String::new, |state| format!("&state={}", encode(state.name())));
    let client = connection.client()?;
    let runs: Vec<Value> = client.get(&format!("/api/v1/runs?limit={limit}{filter}")).await?.json()?;
    if connection.json {
        output::say_json(&runs)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
    output::say(&output::table(&["RUN", "PIPELINE", "STATE", "SINCE", "WHAT"], &rows))?;
    Ok(ExitCode::SUCCESS)
}

fn row(run: &Value) -> Vec<String> {
    let since = run["updated_at"].as_u64().map_or_else(String::new, output::instant);
    vec![output::cell(&run["run"]), output::cell(&run["pipeline"]), output::cell(&run["state"]), since, first_line(&run["detail"])]
}

fn first_line(value: &Value) -> String {
    output::cell(value).lines().next().unwrap_or_default().to_owned()
}
