//! A receiver of OTLP in a process of its own: `otlp-receiver DIRECTORY` prints `{"http": URL, "grpc": URL}` and appends what arrives to
//! `traces.jsonl`, `metrics.jsonl` and `logs.jsonl` in the directory, one request per line, until its standard input ends.

#[path = "../tests/common/receiver.rs"]
mod receiver;

use std::{io::Read, path::PathBuf, process::ExitCode};

use receiver::{Received, serve_grpc, serve_http};

#[tokio::main]
async fn main() -> ExitCode {
    let Some(directory) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: otlp-receiver DIRECTORY");
        return ExitCode::from(2);
    };
    let received = Received::into_directory(directory);
    println!("{}", serde_json::json!({"http": serve_http(received.clone()).await, "grpc": serve_grpc(received)}));
    // Whoever started it holds the other end; when it dies, so does the receiver.
    let input = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
    if input.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
