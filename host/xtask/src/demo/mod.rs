//! `cargo xtask demo`: the binary that users run, on an empty store, fed with orders over HTTP, contacted by devices, and asked for tenants.

mod configuration;
mod devices;
mod http;
mod play;
mod scenario;
mod server;
mod stage;
mod table;
mod tenants;
mod tree;

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use self::{play::Played, server::Server, stage::Stage};
use crate::{command, plugins, preflight};

/// What happens when the orders are done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Options {
    /// Host and lab stay up until Ctrl-C.
    pub(crate) serve: bool,
    /// A plugin that is left out, to show that the demo notices.
    pub(crate) without_plugin: Option<String>,
    /// A scenario whose faults are left out, to show that the demo notices.
    pub(crate) without_fault: Option<String>,
}

impl Options {
    /// Reads the command line; `None` when it is not understood.
    pub(crate) fn parse(arguments: &[&str]) -> Option<Self> {
        match arguments {
            [] => Some(Self::default()),
            ["--serve", rest @ ..] => Some(Self { serve: true, ..Self::parse(rest)? }),
            ["--without-plugin", name, rest @ ..] => Some(Self { without_plugin: Some((*name).to_owned()), ..Self::parse(rest)? }),
            ["--without-fault", name, rest @ ..] => Some(Self { without_fault: Some((*name).to_owned()), ..Self::parse(rest)? }),
            _ => None,
        }
    }
}

/// The order whose trace is shown: several services, several resources.
const SHOWN: &str = "triple";

/// Builds everything, plays the scenarios, and fails when one came out otherwise than expected.
pub(crate) fn run(options: &Options) -> Result<()> {
    preflight::base()?;
    let scenarios = scenario::all(options.without_fault.as_deref())?;
    preflight::announce(&preflight::DEMO);
    plugins::build_shipped()?;
    command::run(&mut command::cargo(&["build", "--workspace", "--bin", "jackfield", "--bin", "lab"]))?;
    let stage = Stage::set(options.without_plugin.as_deref())?;
    println!("\nthe host serves on {}; {} orders follow", stage.url(), scenarios.len());
    let played = play::all(&stage, &scenarios)?;
    println!("\n{}\n", table::render(&played));
    let wrong: Vec<_> = played.iter().flat_map(|played| played.wrong.iter().map(move |wrong| format!("{}: {wrong}", played.scenario.name))).collect();
    if !wrong.is_empty() {
        bail!("not everything came out as expected:\n  {}", wrong.join("\n  "));
    }
    if let Some(shown) = played.iter().find(|played| played.scenario.name == SHOWN) {
        println!("the trace of order {}, from {}:\n{}", shown.id, stage.spans().display(), trace(&stage, shown)?);
    }
    println!("all {} orders came out as expected", played.len());
    let devices = devices::play(&stage)?;
    tenants::play(&stage)?;
    if options.serve { stay(stage, &played, devices) } else { Ok(()) }
}

/// The trace of an order that has ended; spans are exported within seconds.
fn trace(stage: &Stage, played: &Played) -> Result<String> {
    let trace = played.run["state"]["started"]["trace"]["trace_id"].as_str().unwrap_or_default().to_owned();
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        let tree = tree::render(&stage.spans(), &trace).unwrap_or_default();
        // The root is exported when the run has ended, after everything below it.
        if tree.starts_with("bss.order.lifecycle") {
            return Ok(tree);
        }
        if Instant::now() > patience {
            bail!("the trace of order {} was not exported; so far:\n{tree}", played.id);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Keeps everything up and says what can be tried.
fn stay(stage: Stage, played: &[Played], _devices: Server) -> Result<()> {
    let config = stage.config();
    let held = played.iter().find(|played| played.order["state"] == "held").map_or("RUN", |played| played.id.as_str());
    println!("\nit stays up until Ctrl-C: {}  (health: {0}/healthz, metrics: {0}/metrics)", stage.url());
    println!("  target/debug/jackfield order list --config {}", config.display());
    println!("  target/debug/jackfield run show {held} --config {}", config.display());
    println!("  target/debug/jackfield cpe list --config {}", config.display());
    println!("  target/debug/jackfield tenant list --config {}", config.display());
    println!("  target/debug/jackfield run resolve {held} cancel --by YOU --note tried --config {}", config.display());
    stage.wait()
}
