//! `jackfield`: the host of business pipelines whose steps are plugins.

mod cli;
mod config;
mod http;
mod registry;
mod serve;
mod trust;

use std::process::ExitCode;

use clap::Parser;

/// Calls allocate on one thread and free on another; this allocator is made for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything else: it has nothing of a command but its name, and is nothing to be told in the help.
    if let Some(task) = cli::compile_task() {
        return cli::compile(&task);
    }
    let arguments = cli::Arguments::parse();
    cli::run(arguments)
}
