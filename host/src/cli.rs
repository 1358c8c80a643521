//! The command line: what a person types.
//!
//! Commands that need a running host speak its HTTP interface; the others (`token`, `restore`, `plugin`) work without one.

mod audit;
mod binding;
mod client;
mod compile;
mod connection;
mod cpe;
mod exit;
mod order;
mod output;
mod plugin;
mod run;
mod store;
mod tenant;
mod token;

use std::{
    future::Future,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

pub(crate) use self::compile::{compile, compile_task};
use crate::{config, serve};

/// The host of business pipelines whose steps are plugins.
#[derive(Debug, Parser)]
#[command(name = "jackfield", version, after_help = exit::HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGINT or SIGTERM.
    Serve {
        /// The configuration file.
        #[arg(long, default_value = "jackfield.toml", value_name = "FILE")]
        config: PathBuf,
    },
    /// Submit and look at product orders (TMF622).
    #[command(subcommand)]
    Order(order::Command),
    /// Look at runs and decide about those that are held.
    #[command(subcommand)]
    Run(run::Command),
    /// Devices that contact the host (TR-069): look at them, provision and wake them, read and set parameters.
    #[command(subcommand)]
    Cpe(cpe::Command),
    /// Tenants of a service: sign them up, look at them, repair and delete them.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Begin, pack, sign, inspect, verify, check and call plugins; needs no running host.
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Which plugin answers which contract, for which input.
    #[command(subcommand)]
    Binding(binding::Command),
    /// Who changed what about plugins and bindings.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Make tokens for the HTTP interface; needs no running host.
    #[command(subcommand)]
    Token(token::Command),
    /// Write a consistent copy of the store of a running host to a new file.
    Backup(store::Backup),
    /// Make a store of a backup, where there is none yet; the host must not run.
    Restore(store::Restore),
}

/// Carries a command out. What went wrong is told on standard error, and the exit code says what kind it is of.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    dispatch(arguments.command).unwrap_or_else(|error| {
        output::complain(&format!("jackfield: {error:#}"));
        exit::code(&error)
    })
}

fn dispatch(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve { config } => serve_command(&config),
        Command::Order(command) => wait_for(order::run(command)),
        Command::Run(command) => wait_for(run::run(command)),
        Command::Cpe(command) => wait_for(cpe::run(command)),
        Command::Tenant(command) => wait_for(tenant::run(command)),
        Command::Plugin(command) => wait_for(plugin::run(command)),
        Command::Binding(command) => wait_for(binding::run(command)),
        Command::Audit(command) => wait_for(audit::run(command)),
        Command::Token(command) => token::run(&command),
        Command::Backup(backup) => wait_for(backup.run()),
        Command::Restore(restore) => restore.run(),
    }
}

/// Runs a client command on this thread.
fn wait_for(command: impl Future<Output = anyhow::Result<ExitCode>>) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("the command cannot be run")?;
    runtime.block_on(command)
}

fn serve_command(path: &Path) -> anyhow::Result<ExitCode> {
    let config = config::load(path)?;
    let directory = directory_of(path);
    let shown = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        // A log that cannot be written, as on a full disk, would otherwise be complained about there and end the thread that logs.
        .log_internal_errors(false);
    let filter = EnvFilter::try_from_env("JACKFIELD_LOG").unwrap_or_else(|_| "info".into());
    let log = telemetry::HostLog::default();
    tracing_subscriber::registry().with(filter).with(shown).with(log.clone()).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the threads cannot be started")?;
    let rested = runtime.block_on(serve::serve(config, &directory, &log))?;
    Ok(if rested { ExitCode::SUCCESS } else { ExitCode::from(exit::NOT_RESTED) })
}

/// The directory that paths in a configuration file are relative to.
fn directory_of(file: &Path) -> PathBuf {
    file.canonicalize().ok().and_then(|path| path.parent().map(PathBuf::from)).unwrap_or_default()
}
