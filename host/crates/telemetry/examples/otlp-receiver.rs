//! A receiver of OTLP in a process of its own: `otlp-receiver DIRECTORY [HTTP-PORT GRPC-PORT]`.
//!
//! It prints `{"http": URL, "grpc": URL}` and appends what arrives to `traces.otlp`, `metrics.otlp` and `logs.otlp` in the directory: every request as the
//! protobuf that came, with its length before it. It ends with its standard input; one that was killed can be started again on the same ports.

#[path = "../tests/common/receiver.rs"]
mod receiver;

use std::{
    io::{self, Read},
    path::PathBuf,
    process::ExitCode,
};

use receiver::{Received, serve_grpc, serve_http};
use tokio::net::TcpListener;

/// Where to look for free ports: below those that the system gives to clients, so that nobody takes them while a receiver is started again.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

#[tokio::main]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(directory) = arguments.next().map(PathBuf::from) else {
        eprintln!("usage: otlp-receiver DIRECTORY [HTTP-PORT GRPC-PORT]");
        return ExitCode::from(2);
    };
    let ports: Vec<u16> = arguments.filter_map(|port| port.parse().ok()).collect();
    let served = serve(directory, ports.first().copied(), ports.get(1).copied()).await;
    match served {
        Ok(urls) => println!("{urls}"),
        Err(error) => {
            eprintln!("otlp-receiver: {error}");
            return ExitCode::FAILURE;
        }
    }
    // Whoever started it holds the other end; when it dies, so does the receiver.
    let input = tokio::task::spawn_blocking(|| io::stdin().read_to_end(&mut Vec::new())).await;
    if input.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn serve(directory: PathBuf, http: Option<u16>, grpc: Option<u16>) -> io::Result<serde_json::Value> {
    let received = Received::into_directory(directory)?;
    let http = serve_http(received.clone(), listen(http).await?);
    Ok(serde_json::json!({"http": http, "grpc": serve_grpc(received, listen(grpc).await?)}))
}

/// Listens on the port, or on a free one.
async fn listen(port: Option<u16>) -> io::Result<TcpListener> {
    if let Some(port) = port {
        return TcpListener::bind(("127.0.0.1", port)).await;
    }
    // Receivers that are started at the same time begin to look at different places.
    let first = usize::try_from(std::process::id()).unwrap_or_default() * 31 % PORTS.len();
    for port in PORTS.cycle().skip(first).take(PORTS.len()) {
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)).await {
            return Ok(listener);
        }
    }
    Err(io::Error::other(format!("no port of {PORTS:?} is free")))
}
