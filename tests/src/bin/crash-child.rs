//! The process that the crash enumeration kills.

use std::process::ExitCode;

use end_to_end_tests::crash::{args::Args, child};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let ran = match Args::read(std::env::args_os().skip(1).collect()) {
        Ok(args) => child::run(args).await,
        Err(error) => Err(error),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crash-child: {error}");
            ExitCode::FAILURE
        }
    }
}
