//! What all figures are given: where to put databases, the plugin, and how much to measure.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::arguments::Arguments;

/// What all figures are given.
#[derive(Debug)]
pub(crate) struct Setup {
    /// Where databases and compiled plugins are put.
    pub(crate) directory: PathBuf,
    /// Where components are found.
    pub(crate) plugins: PathBuf,
    /// The no-op plugin.
    pub(crate) noop: Vec<u8>,
    /// How much to measure.
    pub(crate) counts: Counts,
}

/// How much to measure. The full counts keep every figure above ten seconds of work, so that one hiccup of the machine does not decide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Rounds in which two things are measured in turn.
    pub(crate) rounds: usize,
    /// Calls of each in a round.
    pub(crate) calls: usize,
    /// Calls in a round of the telemetry shares: half of the 8,192 spans that wait for export at most, so that none is dropped, which would be cheap.
    pub(crate) telemetry_calls: usize,
    /// Rounds of the telemetry shares.
    pub(crate) telemetry_rounds: usize,
    /// Runs one after the other.
    pub(crate) sequential_runs: usize,
    /// Runs of one round, 128 at a time.
    pub(crate) parallel_runs: usize,
    /// Rounds of parallel runs.
    pub(crate) parallel_rounds: usize,
    /// POSTs, 500 a second.
    pub(crate) posts: usize,
    /// Finished orders in the history.
    pub(crate) finished: u64,
    /// Waiting orders in the history.
    pub(crate) waiting: u64,
    /// Restarts.
    pub(crate) restarts: usize,
    /// Activations one after the other, five a second.
    pub(crate) swaps: u32,
    /// Devices that are provisioned, and inform afterwards.
    pub(crate) devices: usize,
    /// Devices that boot at once.
    pub(crate) storm: usize,
    /// Sessions that are parked.
    pub(crate) parked: usize,
    /// Rounds alone and beside a plugin that spins.
    pub(crate) neighbour_rounds: usize,
    /// How long each of them is.
    pub(crate) neighbour_time: Duration,
}

impl Counts {
    const FULL: Self = Self {
        rounds: 9,
        calls: 20_000,
        telemetry_calls: 4_000,
        telemetry_rounds: 25,
        sequential_runs: 500,
        parallel_runs: 6_000,
        parallel_rounds: 3,
        posts: 10_000,
        finished: 1_000_000,
        waiting: 100_000,
        restarts: 3,
        swaps: 100,
        devices: 10_000,
        storm: 100_000,
        parked: 20_000,
        neighbour_rounds: 5,
        neighbour_time: Duration::from_secs(3),
    };
    const QUICK: Self = Self {
        rounds: 2,
        calls: 20,
        telemetry_calls: 20,
        telemetry_rounds: 2,
        sequential_runs: 3,
        parallel_runs: 130,
        parallel_rounds: 1,
        posts: 100,
        finished: 200,
        waiting: 50,
        restarts: 1,
        swaps: 3,
        devices: 200,
        storm: 200,
        parked: 50,
        neighbour_rounds: 1,
        neighbour_time: Duration::from_millis(100),
    };
}

impl Setup {
    /// Finds the plugin and makes the directory.
    pub(crate) fn open(arguments: &Arguments) -> Result<Self> {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
        let directory = arguments.directory.clone().unwrap_or_else(|| target.join("bench"));
        fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
        let directory = directory.canonicalize()?;
        let plugins = target.join("plugins");
        let noop = plugins.join("noop.wasm");
        let noop = fs::read(&noop).with_context(|| format!("{} cannot be read; build it with `cargo xtask build-plugins noop`", noop.display()))?;
        let counts = if arguments.quick { Counts::QUICK } else { Counts::FULL };
        Ok(Self { directory, plugins, noop, counts })
    }

    /// A database file that does not exist yet.
    pub(crate) fn fresh(&self, name: &str) -> Result<PathBuf> {
        let folder = self.directory.join(format!("{name}-{}", std::process::id()));
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        Ok(folder.join("bench.db"))
    }

    /// Removes a database that [`Setup::fresh`] made place for.
    pub(crate) fn remove(&self, database: &Path) -> Result<()> {
        let folder = database.parent().filter(|folder| folder.starts_with(&self.directory) && *folder != self.directory);
        folder.map_or(Ok(()), |folder| fs::remove_dir_all(folder).with_context(|| format!("{} cannot be removed", folder.display())))
    }
}
