//! `jackfield`: the host of business pipelines whose steps are plugins.

mod cli;
mod config;
mod http;
mod serve;
mod trust;

use std::process::ExitCode;

use clap::Parser;

/// Calls allocate on one thread and free on another; this allocator is made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    cli::run(arguments)
}
