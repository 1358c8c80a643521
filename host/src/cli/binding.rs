//! `jackfield binding`: which plugin answers which contract, for which input.

mod explain;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    connection::Connection,
    output,
    plugin::registry::{Signature, digits, read_toml, tell},
};
use crate::config::NATIVE;

/// How long plugins that are named may take to be compiled.
const PATIENCE: Duration = Duration::from_secs(300);

/// What can be done with bindings.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the bindings, with the share that each plugin gets.
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// Set the rules of the contracts that are named in a file, and leave all others.
    Set {
        /// A TOML file with what stands below `[bindings]` in a configuration.
        file: PathBuf,
        #[command(flatten)]
        signature: Signature,
        #[command(flatten)]
        connection: Connection,
    },
    /// Say which plugin each step of an order would get, or of the provisioning of a device, and why. Nothing is ordered or sent.
    Explain {
        /// The product order (TMF622) in JSON, or `-` for standard input.
        #[arg(required_unless_present = "device")]
        order: Option<String>,
        /// A device that contacted the host, instead of an order: OUI-ProductClass-Serial.
        #[arg(long, value_name = "KEY", conflicts_with = "order")]
        device: Option<String>,
        /// The run whose choices by share are wanted: they depend on its id.
        #[arg(long, value_name = "RUN")]
        run: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { connection } => list(&connection).await,
        Command::Explain { order, device, run, connection } => {
            explain::explain(order.as_deref(), device.as_deref(), run.as_deref(), &connection).await
        }
        Command::Set { file, signature, connection } => {
            let settings = read_toml(&file)?;
            // The file may be a piece of a configuration, heading included.
            let settings = if settings["bindings"].is_object() { settings["bindings"].clone() } else { settings };
            let body = serde_json::to_vec(&json!({"bindings": settings, "by": signature.by, "note": signature.note}))?;
            let answer: Value = connection.client()?.put("/api/v1/bindings", body, PATIENCE).await?.json()?;
            tell(&connection, &answer)
        }
    }
}

async fn list(connection: &Connection) -> anyhow::Result<ExitCode> {
    let answer: Value = connection.client()?.get("/api/v1/bindings").await?.json()?;
    if connection.json {
        output::say_json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = Vec::new();
    for (contract, rules) in answer["contracts"].as_object().into_iter().flatten() {
        for rule in rules.as_array().into_iter().flatten() {
            rows.extend(rule_rows(contract, rule));
        }
    }
    let current = answer["history"].as_array().and_then(|history| history.first()).map_or_else(String::new, |row| {
        let at = row["at"].as_u64().map_or_else(String::new, output::instant);
        format!("revision {} since {at} by {}, ", row["number"], output::cell(&row["by"]))
    });
    let text = output::table(&["CONTRACT", "WHEN", "SHARE", "PLUGIN", "DIGEST"], &rows);
    output::say(&format!("{current}policy {}\n\n{text}", output::cell(&answer["policy"])))?;
    Ok(ExitCode::SUCCESS)
}

fn rule_rows(contract: &str, rule: &Value) -> Vec<Vec<String>> {
    let choices: Vec<&Value> = rule["choices"].as_array().into_iter().flatten().collect();
    let sum: u64 = choices.iter().filter_map(|choice| choice["weight"].as_u64()).sum();
    let row = |choice: &&Value| {
        let share = output::share(choice["weight"].as_f64().unwrap_or(0.0), sum.max(1) as f64);
        let plugin = match choice["native"].as_str() {
            Some(native) => format!("{NATIVE}{native}"),
            None => format!("{}@{}", output::cell(&choice["plugin"]), output::cell(&choice["version"])),
        };
        vec![contract.to_owned(), when(&rule["when"]), share, plugin, digits(&choice["digest"])]
    };
    choices.iter().map(row).collect()
}

/// `region = north | east, plan = gold`.
fn when(when: &Value) -> String {
    let values = |values: &Value| values.as_array().into_iter().flatten().map(output::cell).collect::<Vec<_>>().join(" | ");
    let parts: Vec<String> = when.as_object().into_iter().flatten().map(|(name, wanted)| format!("{name} = {}", values(wanted))).collect();
    if parts.is_empty() { "any".to_owned() } else { parts.join(", ") }
}
