//! `run_p50_ms_c1`: how long a run of ten steps takes when it is alone, from the request to its durable end.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::json;

use crate::{
    harness::{
        report::Measured,
        statistics::{median, percentile},
    },
    receiver::Receiver,
    setup::Setup,
    stack::{Stack, Wiring},
    ten_steps,
};

/// Runs before the first that counts.
const WARM_UP: usize = 20;

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let (database, receiver) = (setup.fresh("run-latency")?, Receiver::start()?);
    let wiring = Wiring { database: &database, pack: ten_steps::pack()?, receiver: &receiver.endpoint, around: |runner| runner };
    let stack = Stack::open(setup, wiring).await?;
    let mut times = Vec::with_capacity(setup.counts.sequential_runs);
    for run in 0..WARM_UP + setup.counts.sequential_runs {
        let begun = Instant::now();
        ten_steps::run(&stack).await?;
        if run >= WARM_UP {
            times.push(begun.elapsed().as_secs_f64() * 1e3);
        }
    }
    let allocation = stack.allocation;
    let spans = stack.close().await?;
    setup.remove(&database)?;
    let p99 = percentile(&times, 0.99).context("no run was measured")?;
    Ok(Measured {
        values: vec![("run_p50_ms_c1", median(&times).context("no run was measured")?)],
        note: Some(format!("one run at a time: p99 {p99:.2} ms, {spans} spans delivered")),
        facts: vec![("allocation", json!(allocation))],
    })
}
