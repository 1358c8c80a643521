//! `jackfield plugin`: begin, pack, sign, look at, check and call plugins, which needs no running host; and what is done with those of a running one.

mod call;
mod check;
mod inspect;
mod keygen;
mod new;
mod pack;
pub(super) mod registry;
mod sign;
mod verify;

use std::{fs::File, io::Read as _, path::Path, process::ExitCode};

use anyhow::Context;
use clap::Subcommand;
use package::Package;
use plugin_runtime::{Options, Runtime};

/// The largest file that is read, in bytes: four times what a host takes unless it is told otherwise.
const MAX_FILE: usize = 256 << 20;

/// What can be done with plugins.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Begin a plugin: a Rust crate with a working implementation of a contract and its tests.
    New(new::New),
    /// Write a manifest into a component that was made without our SDK, or replace the one it has.
    Pack(pack::Pack),
    /// Make a key pair: NAME.key, which signs, and NAME.pub, which operators trust.
    Keygen(keygen::Keygen),
    /// Sign a plugin. The signature covers every byte, the manifest included.
    Sign(sign::Sign),
    /// Show what a file says about itself, its digests and who has signed it; nothing is compiled or judged.
    Inspect(inspect::Inspect),
    /// Say who has signed a plugin, and whether a host would take it.
    Verify(verify::Verify),
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
        Command::Keygen(keygen) => keygen.run(),
        Command::Sign(sign) => sign.run(),
        Command::Inspect(inspect) => inspect.run(),
        Command::Verify(verify) => verify.run(),
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

/// Reads a file, up to a byte more than the largest that is read: whoever takes it apart says that it is too large.
fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes));
    read.with_context(|| format!("{} cannot be read", file.display()))?;
    Ok(bytes)
}

/// A file taken apart, with its bytes.
fn package(file: &Path) -> anyhow::Result<(Vec<u8>, Package)> {
    let bytes = read(file)?;
    let package = Package::read(&bytes, MAX_FILE).with_context(|| file.display().to_string())?;
    Ok((bytes, package))
}
