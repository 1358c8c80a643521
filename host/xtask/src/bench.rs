//! `cargo xtask bench`: the benchmarks, in release, with the arguments passed on.

use anyhow::Result;

use crate::{command, peers, plugins, preflight};

/// Builds the plugins and runs the benchmarks.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    preflight::base()?;
    preflight::announce(&preflight::BENCH);
    plugins::build(&[])?;
    command::run(&mut command::cargo(&["build", "--release", "--package", "host", "--bins"]))?;
    if peers::are_wanted(arguments) {
        peers::build();
    }
    command::run(command::cargo(&["run", "--release", "--package", "bench", "--"]).args(arguments))
}
