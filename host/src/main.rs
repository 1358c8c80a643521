//! `jackfield`: the host of business pipelines whose steps are plugins.

mod cli;
mod config;
mod http;
mod serve;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match cli::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("jackfield: {error:#}");
            ExitCode::from(1)
        }
    }
}
