//! The commands people type: demo, test, bench, build-plugins. Depends on no crate of the workspace, so that it starts
//! before anything of it is compiled.

mod bench;
mod command;
mod debian;
mod demo;
mod environment;
mod interrupt;
mod peers;
mod plugins;
mod preflight;
mod servers;
mod test;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

const HELP: &str = "\
usage: cargo xtask COMMAND

  demo [--serve]            build everything, start the host on an empty store, feed it orders and show what happened;
                            --serve keeps it up; --without-plugin NAME and --without-fault NAME leave something out, and
                            the demo must notice
  test [--all]              everything that must hold; with --all a suite that cannot be run is a failure
  bench [ARGUMENT...]       the benchmarks, in release; the arguments are passed on
  build-plugins [NAME...]   the plugins (and the test fixtures) as target/plugins/NAME.wasm; all of them without a name
  help                      this text

exit codes: 0 everything went well, 1 something failed, 2 the command line is wrong, 130 interrupted
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["demo", rest @ ..] => match demo::Options::parse(rest) {
            Some(options) => finish("demo", || demo::run(&options).map(|()| true)),
            None => usage(&format!("`demo {}` is not understood", rest.join(" "))),
        },
        ["test"] => finish("test", || test::run(test::NotRun::IsReported)),
        ["test", "--all"] => finish("test", || test::run(test::NotRun::IsFailure)),
        ["bench", rest @ ..] => finish("bench", || bench::run(rest).map(|()| true)),
        ["build-plugins", names @ ..] if names.iter().all(|name| !name.starts_with('-')) => {
            finish("build-plugins", || plugins::run(names).map(|()| true))
        }
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        [] => usage("no command was given"),
        other => usage(&format!("`{}` is not a command of xtask with arguments it knows", other.join(" "))),
    }
}

fn usage(problem: &str) -> ExitCode {
    eprint!("error: {problem}\n\n{HELP}");
    ExitCode::from(2)
}

/// Runs a command with its children under the watch for Ctrl-C. The first line appears before anything is looked at. It
/// goes to stderr like everything that is not a result: `bench --json` must leave nothing but JSON on stdout. A command that
/// answers `false` has failed and has said why, so that its last line stays the last.
fn finish(name: &str, command: impl FnOnce() -> Result<bool>) -> ExitCode {
    eprintln!("xtask {name}: checking what is needed");
    match interrupt::watch().and_then(|()| command()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
