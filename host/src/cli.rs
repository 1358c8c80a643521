//! The command line: what a person types.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::{config, serve};

/// The host of business pipelines whose steps are plugins.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a drain ran out of time.
#[derive(Debug, Parser)]
#[command(name = "jackfield", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGINT or SIGTERM.
    Serve {
        /// The configuration file.
        #[arg(long, default_value = "jackfield.toml")]
        config: PathBuf,
    },
}

/// Carries a command out.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Serve { config } => serve_command(&config),
    }
}

fn serve_command(path: &std::path::Path) -> anyhow::Result<ExitCode> {
    let config = config::load(path)?;
    let directory = path.canonicalize().ok().and_then(|path| path.parent().map(PathBuf::from)).unwrap_or_default();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("JACKFIELD_LOG").unwrap_or_else(|_| "info".into()))
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("the threads cannot be started")?;
    let rested = runtime.block_on(serve::serve(config, &directory))?;
    Ok(if rested { ExitCode::SUCCESS } else { ExitCode::from(3) })
}
