//! `neighbour_p99_ratio`, `neighbour_p99_more_ms`: an honest plugin under a third of the machine's load, beside one that spins until it is stopped, again and again.
//!
//! Calls come at a steady rate and are counted from when they were due. The rate is what loads the machine to 30 %, by the time that a call takes alone.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use plugin_runtime::{Grant, HttpRule, Limits, Options, Runtime};
use tokio::task::JoinSet;

use crate::{
    guest::{self, Caller, Guest, Unobserved},
    harness::{
        report::Measured,
        rounds::Contender as _,
        statistics::{median, percentile},
    },
    setup::Setup,
};

/// The share of the machine that the honest plugin's calls take.
const SHARE: f64 = 0.3;
/// Calls per beat: a timer of 1 ms cannot make each come on its own.
const BEAT: Duration = Duration::from_millis(2);
/// Calls of the spinning plugin at a time.
const SPINNING: usize = 4;
/// A ratio beyond which the difference counts.
const NOTICED: f64 = 1.2;

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let options = Options { limits: Limits { cpu_ms: 100, ..Limits::default() }, ..guest::options(setup) };
    let runtime = Runtime::new(options)?;
    let guest = Guest::load_in(runtime.clone(), setup.noop.clone(), &Grant::default()).await?;
    let spinner = setup.plugins.join("misbehaving.wasm");
    let bytes =
        std::fs::read(&spinner).with_context(|| format!("{} cannot be read; build it with `cargo xtask build-plugins`", spinner.display()))?;
    let grant = Grant { keyvalue: true, http: [("element".to_owned(), HttpRule::to("http://127.0.0.1:1"))].into(), ..Grant::default() };
    let spinner = Arc::new(Guest::load_in(runtime.clone(), bytes, &grant).await?.caller(Arc::new(Unobserved), false)?.asking("endless-loop")?);
    let mut warm = guest.caller(Arc::new(Unobserved), false)?;
    let alone = runtime.spawn(async move { warm.round(2_000).await }).await??.as_secs_f64() / 2_000.0;
    #[allow(clippy::cast_precision_loss, reason = "a handful of cores")]
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    // Sending a call and taking its answer costs about as much as the call.
    let rate = SHARE * cores / (2.0 * alone);
    let (mut quiet, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..setup.counts.neighbour_rounds {
        quiet.push(steady(&guest, rate, setup.counts.neighbour_time).await?);
        let stop = Arc::new(AtomicBool::new(false));
        let mut spinning = JoinSet::new();
        for _ in 0..SPINNING {
            spinning.spawn_on(spin(spinner.clone(), stop.clone()), &runtime.handle());
        }
        beside.push(steady(&guest, rate, setup.counts.neighbour_time).await?);
        stop.store(true, Ordering::Relaxed);
        spinning.join_all().await;
    }
    let (quiet, beside) = (median(&quiet).context("nothing was measured")?, median(&beside).context("nothing was measured")?);
    let note = format!("neighbour: p99 {quiet:.3} ms alone, {beside:.3} ms beside {SPINNING} calls that spin; {rate:.0} calls a second");
    let ratio = beside / quiet;
    let more = if ratio <= NOTICED { 0.0 } else { beside - quiet };
    Ok(Measured { values: vec![("neighbour_p99_ratio", ratio), ("neighbour_p99_more_ms", more)], note: Some(note), facts: Vec::new() })
}

async fn spin(spinner: Arc<Caller>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        spinner.stopped().await;
        // A plugin that is left alone is refused at once: whoever calls it waits, as the engine does.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Calls at a steady rate; the 99th percentile of the time from when each was due, in milliseconds.
async fn steady(guest: &Guest, rate: f64, time: Duration) -> Result<f64> {
    let caller = Arc::new(guest.caller(Arc::new(Unobserved), false)?);
    let begun = Instant::now();
    let mut calls: JoinSet<Result<f64>> = JoinSet::new();
    let (mut sent, mut beat) = (0.0, tokio::time::interval(BEAT));
    while begun.elapsed() < time {
        beat.tick().await;
        while sent < begun.elapsed().as_secs_f64() * rate {
            let (caller, due) = (caller.clone(), begun + Duration::from_secs_f64(sent / rate));
            calls.spawn_on(async move { caller.once().await.map(|()| due.elapsed().as_secs_f64() * 1e3) }, &guest.runtime.handle());
            sent += 1.0;
        }
    }
    let mut times = Vec::new();
    while let Some(took) = calls.join_next().await {
        times.push(took??);
    }
    percentile(&times, 0.99).context("no call was made")
}
