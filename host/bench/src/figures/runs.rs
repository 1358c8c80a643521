//! `runs_per_s_c128`: how many runs of ten steps complete in a second when 128 are under way at a time.
//!
//! Every step is durable, every run is sampled and exported to a live receiver in this process, so that client, host, exporter and receiver share the cores.
//! How far telemetry is behind when the last run ends is said beside the figure.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use anyhow::{Context, Result};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    harness::{report::Measured, statistics::median},
    receiver::Receiver,
    setup::Setup,
    stack::{Stack, Wiring},
    ten_steps,
};

/// Runs that are under way at a time.
const CONCURRENCY: usize = 128;

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let (database, receiver) = (setup.fresh("runs")?, Receiver::start()?);
    let wiring = Wiring { database: &database, pack: ten_steps::pack()?, receiver: &receiver.endpoint, around: |runner| runner };
    let stack = Arc::new(Stack::open(setup, wiring).await?);
    round(&stack, setup.counts.parallel_runs / 10).await?;
    let mut rates = Vec::with_capacity(setup.counts.parallel_rounds);
    for _ in 0..setup.counts.parallel_rounds {
        rates.push(round(&stack, setup.counts.parallel_runs).await?);
    }
    let allocation = stack.allocation;
    let stack = Arc::into_inner(stack).context("somebody still holds the stack")?;
    let ended = Instant::now();
    let spans = stack.close().await?;
    let behind = ended.elapsed().as_secs_f64();
    setup.remove(&database)?;
    Ok(Measured {
        values: vec![("runs_per_s_c128", median(&rates).context("no run was measured")?)],
        note: Some(format!(
            "{CONCURRENCY} runs at a time: rounds {rates:.0?}; telemetry was {behind:.1} s behind at the end, {spans} spans delivered"
        )),
        facts: vec![("allocation", json!(allocation))],
    })
}

/// Makes so many runs and returns how many completed in a second.
async fn round(stack: &Arc<Stack>, runs: usize) -> Result<f64> {
    let left = Arc::new(AtomicUsize::new(runs));
    let mut clients = JoinSet::new();
    let begun = Instant::now();
    for _ in 0..CONCURRENCY {
        let (stack, left) = (stack.clone(), left.clone());
        clients.spawn(async move {
            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
                ten_steps::run(&stack).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(client) = clients.join_next().await {
        client??;
    }
    #[allow(clippy::cast_precision_loss, reason = "runs are some thousands")]
    let runs = runs as f64;
    Ok(runs / begun.elapsed().as_secs_f64())
}
