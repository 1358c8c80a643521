//! Runs the back ends until standard input is closed or SIGTERM comes. Prints one line of JSON with their URLs as soon as they answer.
//! `lab devices` and `lab storm` run virtual devices instead.

mod cli;

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use clap::{Parser, Subcommand};
use lab::{Lab, Options};
use tokio::{
    io::{AsyncReadExt, stdin},
    signal::unix::{SignalKind, signal},
};

/// Vendor-like back ends on 127.0.0.1: a catalogue, a network element, an activation system, a billing system, a resource inventory, an inventory of
/// devices, profiles of customers.
#[derive(Debug, Parser)]
#[command(name = "lab", version, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// A JSON file with the documents of the catalogue (productOffering, productSpecification, serviceSpecification).
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,
    /// How long an activation takes, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 200)]
    activation_ms: u64,
    /// The ports of catalogue, element, activation, billing, inventory, device inventory and profiles. The system chooses for 0 and for what is left out.
    #[arg(long, value_name = "PORT,..", value_delimiter = ',')]
    ports: Vec<u16>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Virtual devices that call an auto-configuration server and live by themselves.
    Devices(cli::devices::Arguments),
    /// Many virtual devices that call at once.
    Storm(cli::storm::Arguments),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        None => serve(arguments).await,
        Some(Command::Storm(storm)) => cli::storm::run(storm).await,
        Some(Command::Devices(devices)) => {
            let mut terminated = signal(SignalKind::terminate())?;
            let ended = tokio::select! {
                _ = terminated.recv() => Ok(()),
                ended = cli::devices::run(devices) => ended,
            };
            if let Err(error) = &ended {
                eprintln!("Error: {error:?}");
            }
            // The end of the runtime would wait for the blocking read of standard input.
            std::process::exit(ended.is_err().into());
        }
    }
}

async fn serve(arguments: Arguments) -> anyhow::Result<()> {
    let mut ports = arguments.ports;
    ports.resize(ports.len().max(7), 0);
    let ports = ports.try_into().ok().context("--ports takes at most seven ports separated by commas")?;
    let options = Options { catalogue: arguments.catalogue, activation: Duration::from_millis(arguments.activation_ms), ports };
    let lab = Lab::start(options).await?;
    // Whoever reads the line may send a signal at once.
    let (mut terminated, mut interrupted) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    println!("{}", serde_json::to_string(lab.urls())?);
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
        () = end_of_input() => {}
    }
    // Blocking reads of standard input cannot be cancelled, and there is nothing to clean up.
    std::process::exit(0);
}

/// Whoever started the lab holds its standard input open, and is gone when it is closed.
async fn end_of_input() {
    let mut buffer = [0; 256];
    while stdin().read(&mut buffer).await.is_ok_and(|read| read > 0) {}
}
