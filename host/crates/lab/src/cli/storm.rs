//! `lab storm`: many devices at once, and one line of JSON that says what it was like for them.

use std::{num::NonZeroU32, time::Duration};

use clap::Args;
use lab::{
    device::{DeviceOptions, Faults, Login, Model},
    storm::{Storm, StormOptions},
};
use serde_json::json;

use super::devices::{faults, named};

/// Which storm.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where the auto-configuration server is: `http://HOST:PORT/`.
    #[arg(long, value_name = "URL")]
    acs: String,
    /// How many devices.
    #[arg(long, default_value_t = 1_000)]
    count: usize,
    /// What they are: tr181-router or tr098-ont.
    #[arg(long, value_parser = named::<Model>, default_value = "tr181-router")]
    model: Model,
    /// What their serial numbers begin with.
    #[arg(long, default_value = "R")]
    prefix: String,
    /// The password that the devices left the factory with.
    #[arg(long, default_value = "factory")]
    password: String,
    /// How they prove who they are: digest, digest-md5, digest-sha256, basic or nothing.
    #[arg(long, value_parser = named::<Login>, default_value = "digest")]
    login: Login,
    /// What is wrong with all of them, as JSON.
    #[arg(long, value_parser = faults, default_value = "{}")]
    faults: Faults,
    /// Of so many devices one says that it applies what it does not apply; 0 for none.
    #[arg(long, default_value_t = 0)]
    liar_in: usize,
    /// How many sessions are under way at a time.
    #[arg(long, default_value_t = 64)]
    concurrency: usize,
    /// How many sessions begin in a second at most.
    #[arg(long)]
    per_second: Option<NonZeroU32>,
    /// How often a device tries before it gives up.
    #[arg(long, default_value_t = 5)]
    attempts: u32,
    /// How long a device waits after an attempt that failed, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    pause_ms: u64,
    /// Devices use nonces that others were given.
    #[arg(long)]
    share_nonces: bool,
    /// How many storms, one after another.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// What the devices tell of.
    #[arg(long, value_delimiter = ',', default_value = "1 BOOT")]
    events: Vec<String>,
}

/// Runs it to its end.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let device = DeviceOptions {
        acs_url: arguments.acs,
        password: arguments.password,
        login: arguments.login,
        faults: arguments.faults,
        ..DeviceOptions::of(arguments.model, arguments.prefix)
    };
    let storm = Storm::new(StormOptions {
        liar_in: arguments.liar_in,
        concurrency: arguments.concurrency,
        per_second: arguments.per_second,
        attempts: arguments.attempts,
        pause: Duration::from_millis(arguments.pause_ms),
        share_nonces: arguments.share_nonces,
        ..StormOptions::new(device, arguments.count)
    });
    let events: Vec<&str> = arguments.events.iter().map(String::as_str).collect();
    for _ in 0..arguments.rounds {
        let report = storm.run(&events).await?;
        let (per_second, exchanges) = (report.per_second(), report.exchanges_per_session());
        println!("{}", json!({ "per_second": per_second, "exchanges_per_session": exchanges, "report": report }));
    }
    Ok(())
}
