//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Measures this host against floors that are measured in the same run.
#[derive(Debug, Parser)]
#[command(name = "bench")]
pub(crate) struct Arguments {
    /// Print one JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Measure only this field and those that come with it; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Exit with 1 where a figure falls short, is null, or cannot be trusted.
    #[arg(long)]
    pub(crate) check: bool,
    /// A handful of calls each, to see that everything works; the figures mean nothing and the run says so.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Where databases are put; the disk under it is part of what is measured. Default `target/bench`.
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) directory: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What the benchmark starts of itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Calls many plugins once and says how much memory that took; started by the figure `rss_mb_per_idle_plugin`.
    #[command(hide = true)]
    IdlePlugins,
    /// Serves a database until it is killed; started by the figure `restart_ms_1m`.
    #[command(hide = true)]
    ServeHistory {
        /// The database.
        database: PathBuf,
        /// Where telemetry goes.
        receiver: String,
    },
}
