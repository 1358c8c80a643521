//! The benchmarks: every figure is measured beside the floor it is compared with, and says under which load and on which disk.
//!
//! `cargo xtask bench [--json] [--only NAME]... [--check]`. A figure that cannot be measured is null, never a guess.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod arguments;
mod devices_served;
mod figures;
mod floor;
mod guest;
mod harness;
mod history;
mod orders_served;
mod receiver;
mod served;
mod setup;
mod stack;
mod ten_steps;
mod variants;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::{
    arguments::{Arguments, Command},
    harness::{check::problems, machine::Machine, report::Report},
    setup::Setup,
};

/// As in the binary that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let setup = Setup::open(&arguments)?;
    match &arguments.command {
        None => runtime.block_on(measure(&arguments, &setup)),
        Some(Command::ServeHistory { database, receiver }) => {
            runtime.block_on(figures::restart::serve(&setup, database, receiver))?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::IdlePlugins) => {
            runtime.block_on(figures::idle_plugins::show(&setup))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn measure(arguments: &Arguments, setup: &Setup) -> Result<ExitCode> {
    let machine = Machine::look(&setup.directory)?;
    let mut report = Report::new(machine, untrusted(arguments));
    for figure in figures::chosen(&arguments.only)? {
        eprintln!("measuring {}", figure.fields.join(", "));
        let machine = Machine::look(&setup.directory)?;
        let measured = (figure.measure)(setup).await;
        report.add(figure.fields, measured, &machine);
    }
    report.settle();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report.json())?);
    } else {
        print!("{}", report.table());
    }
    let problems = problems(&report);
    if !arguments.check || problems.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    problems.iter().for_each(|problem| eprintln!("bench: {problem}"));
    Ok(ExitCode::FAILURE)
}

/// What is known to spoil the figures before anything is measured.
fn untrusted(arguments: &Arguments) -> Vec<String> {
    let mut reasons = Vec::new();
    if arguments.quick {
        reasons.push("--quick measures a handful of calls".to_owned());
    }
    if cfg!(debug_assertions) {
        reasons.push("this is not a release build".to_owned());
    }
    reasons
}
