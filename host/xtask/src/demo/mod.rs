//! `cargo xtask demo`: the binary that users run, on an empty store, fed with orders over HTTP.

#[cfg_attr(not(test), expect(dead_code, reason = "the part of the demo that sends orders is not written yet"))]
mod http;
#[cfg_attr(not(test), expect(dead_code, reason = "the part of the demo that sends orders is not written yet"))]
mod server;

use anyhow::{Result, bail};

use crate::{command, plugins, preflight};

/// What happens when the orders are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Everything is stopped.
    Stop,
    /// Host and lab stay up until Ctrl-C.
    Serve,
}

/// Builds everything; the rest does not exist in this version, which is an error and not a success.
pub(crate) fn run(_after: After) -> Result<()> {
    preflight::base()?;
    preflight::announce(&preflight::DEMO);
    plugins::build(&[])?;
    command::run(&mut command::cargo(&["build", "--workspace", "--bin", "jackfield", "--bin", "lab"]))?;
    bail!("everything is built, but this version has no demo yet")
}
