//! `jackfield plugin`: begin, pack, check and call plugins, which needs no running host; and what is done with those of a running one.

mod call;
mod check;
mod new;
mod pack;
pub(super) mod registry;

use std::{path::Path, process::ExitCode};

use anyhow::Context;
use clap::Subcommand;
use plugin_runtime::{Options, Runtime};

/// What can be done with plugins.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Begin a plugin: a Rust crate with a working implementation of a contract and its tests.
    New(new::New),
    /// Write a manifest into a component that was made without our SDK, or replace the one it has.
    Pack(pack::Pack),
    /// Check a component as the host would, and print what it needs to be granted.
    Check(check::Check),
    /// Make one call of a plugin and print its outcome and its span.
    Call(call::CallOnce),
    #[command(flatten)]
    Registry(registry::Command),
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::New(new) => new.run(),
        Command::Pack(pack) => pack.run(),
        Command::Check(check) => check.run().await,
        Command::Call(call) => call.run().await,
        Command::Registry(command) => registry::run(command).await,
    }
}

/// A runtime for one component and one call: no compile cache, no warm slots.
fn runtime(options: Options) -> anyhow::Result<Runtime> {
    let small = Options { threads: 1, max_calls: 1, max_calls_per_plugin: 1, max_warm_slots: 1, cache_dir: None, ..options };
    Ok(Runtime::new(small)?)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))
}
