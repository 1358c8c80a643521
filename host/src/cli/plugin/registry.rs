//! `jackfield plugin install|list|activate|rollback|quarantine|...`: what is done with the registry of a running host.

mod activate;
mod collect;
mod list;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

pub(in crate::cli) use self::{activate::read_toml, list::digits};
use super::read;
use crate::cli::{client::encode, connection::Connection, exit::Problem, output};

/// How long a large component may take to be uploaded and compiled.
const PATIENCE: Duration = Duration::from_secs(300);

/// What can be done with the plugins of a running host.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Install a plugin in a running host. It gets no traffic until it is activated.
    Install(Install),
    /// List the plugins of a running host, with what they are bound to.
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// Put an installed version into service, for all runs that begin from now on or, as a canary, for a part of them.
    Activate(activate::Activate),
    /// Go back: with a name to the version before (or end its canary), without one to the whole table before.
    Rollback {
        /// The plugin's name.
        name: Option<String>,
        #[command(flatten)]
        signature: Signature,
        #[command(flatten)]
        connection: Connection,
    },
    /// Move items of live runs from one version to another, where they are at rest and the other version understands what they have.
    Repin(Repin),
    /// List what is kept of plugins and tables, and why; remove what nobody needs if that is wanted.
    Gc {
        /// Remove what is free.
        #[arg(long)]
        remove: bool,
        #[command(flatten)]
        signature: Signature,
        #[command(flatten)]
        connection: Connection,
    },
    /// Remove one installed version that nobody needs.
    Remove {
        /// NAME@VERSION or a digest.
        plugin: String,
        #[command(flatten)]
        signature: Signature,
        #[command(flatten)]
        connection: Connection,
    },
    /// End all calls of a digest: runs that need it are held until it is let out, or they are moved to another version.
    Quarantine {
        /// The digest, its first digits, or NAME@VERSION.
        plugin: String,
        /// Why: held runs show it.
        #[arg(long, value_name = "TEXT", required_unless_present = "lift")]
        reason: Option<String>,
        /// Let it out again.
        #[arg(long)]
        lift: bool,
        /// Who: written into the audit trail. Default: the owner of the token.
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
}

/// What to move where.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["run", "all"]))]
pub(in crate::cli) struct Repin {
    /// The version that items leave: NAME@VERSION or a digest.
    #[arg(long, value_name = "PLUGIN")]
    from: String,
    /// The version that they get; it has to be bound, because the bindings say what it may reach.
    #[arg(long, value_name = "PLUGIN")]
    to: String,
    /// Only this run.
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// All live runs.
    #[arg(long)]
    all: bool,
    /// Also what did something: the new version then takes back what the old one did.
    #[arg(long)]
    include_done: bool,
    /// Only say what would be moved.
    #[arg(long)]
    dry_run: bool,
    /// Who: written into the journal of each run. Default: the owner of the token.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Why: written into the journal of each run.
    #[arg(long, value_name = "TEXT")]
    note: String,
    #[command(flatten)]
    connection: Connection,
}

/// Who does something, and why.
#[derive(Debug, Args)]
pub(in crate::cli) struct Signature {
    /// Who: written into the audit trail. Default: the owner of the token.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) by: Option<String>,
    /// Why: written into the audit trail.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(in crate::cli) note: String,
}

/// A file to install.
#[derive(Debug, Args)]
pub(in crate::cli) struct Install {
    /// The plugin: a `.wasm` file.
    file: PathBuf,
    /// Take it although a newer version of the name was installed before.
    #[arg(long)]
    allow_downgrade: bool,
    /// Who: written into the audit trail. Default: the owner of the token.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Install(install) => install.run().await,
        Command::List { connection } => list::list(&connection).await,
        Command::Activate(activate) => activate.run().await,
        Command::Rollback { name, signature, connection } => {
            change(&connection, "/api/v1/plugins/rollback", json!({"plugin": name, "by": signature.by, "note": signature.note})).await
        }
        Command::Repin(repin) => repin.run().await,
        Command::Gc { remove, signature, connection } => collect::collect(remove, &signature, &connection).await,
        Command::Remove { plugin, signature, connection } => {
            let body = serde_json::to_vec(&json!({"plugin": plugin, "by": signature.by, "note": signature.note}))?;
            let removed: Value = connection.client()?.post("/api/v1/plugins/remove", &[], body).await?.json()?;
            if connection.json {
                output::say_json(&removed)?;
            } else {
                output::say(&format!("removed {}@{}", output::cell(&removed["name"]), output::cell(&removed["version"])))?;
            }
            Ok(ExitCode::SUCCESS)
        }
        Command::Quarantine { plugin, reason, lift, by, connection } => {
            let body = json!({"digest": plugin, "reason": reason.unwrap_or_default(), "lift": lift, "by": by});
            change(&connection, "/api/v1/plugins/quarantine", body).await
        }
    }
}

/// Asks for a change and tells what came of it.
pub(in crate::cli) async fn change(connection: &Connection, path: &str, body: Value) -> anyhow::Result<ExitCode> {
    let answer: Value = connection.client()?.post_slowly(path, serde_json::to_vec(&body)?, PATIENCE).await?.json()?;
    tell(connection, &answer)
}

/// Tells what a change did.
pub(in crate::cli) fn tell(connection: &Connection, answer: &Value) -> anyhow::Result<ExitCode> {
    if connection.json {
        output::say_json(answer)?;
    } else {
        let revision = answer["revision"].as_u64().map_or_else(String::new, |number| format!(" (binding revision {number})"));
        output::say(&format!("{}{revision}", output::cell(&answer["what"])))?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Install {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let bytes = read(&self.file)?;
        let from = std::path::absolute(&self.file)?.display().to_string();
        let by = self.by.as_ref().map_or_else(String::new, |by| format!("&by={}", encode(by)));
        let path = format!("/api/v1/plugins?allow_downgrade={}&from={}{by}", self.allow_downgrade, encode(&from));
        let answer = self.connection.client()?.upload(&path, bytes, PATIENCE).await;
        let answer: Value = answer.map_err(|error| named(&self.file, error))?.json()?;
        if self.connection.json {
            output::say_json(&answer)?;
        } else {
            output::say(&list::installed(&answer))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Repin {
    async fn run(self) -> anyhow::Result<ExitCode> {
        let body = json!({
            "from": self.from, "to": self.to, "run": self.run, "include_done": self.include_done,
            "dry_run": self.dry_run, "by": self.by, "note": self.note,
        });
        let answer = self.connection.client()?.post_slowly("/api/v1/plugins/repin", serde_json::to_vec(&body)?, PATIENCE).await?;
        collect::told(&answer.json()?, &self.connection)
    }
}

/// A refusal with the file that it is about.
fn named(file: &std::path::Path, error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Problem>() {
        Ok(Problem::Refused(message)) => Problem::Refused(format!("{}: {message}", file.display())).into(),
        Ok(problem) => problem.into(),
        Err(error) => error,
    }
}
