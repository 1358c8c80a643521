//! `intake_p99_ms_500`: how long a client waits for the 201 of a product order when 500 of them come in every second.
//!
//! The client has a thread of its own and keeps its pace whatever happens: a time counts from when the order should have been sent. The orders are fulfilled
//! meanwhile, five steps each, and exported to a live receiver.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use engine::port::{RunState, Timers as _};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinSet};

use crate::{
    harness::{
        report::Measured,
        statistics::{median, percentile},
    },
    orders_served::{Client, pack, serve},
    receiver::Receiver,
    setup::Setup,
    stack::{Stack, Wiring},
};

/// Between two orders: 500 a second.
const PACE: Duration = Duration::from_millis(2);

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let (database, receiver) = (setup.fresh("intake")?, Receiver::start()?);
    let wiring = Wiring { database: &database, pack: pack(), receiver: &receiver.endpoint, around: |runner| runner };
    let stack = Stack::open(setup, wiring).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = serve(&stack, listener)?;
    let posts = setup.counts.posts;
    let times = tokio::task::spawn_blocking(move || client(address, posts)).await??;
    let live: u64 = stack.store.census().await?.into_iter().filter(|(_, state, _)| *state != RunState::Ended).map(|(_, _, count)| count).sum();
    drop(serving);
    let allocation = stack.allocation;
    stack.close().await?;
    setup.remove(&database)?;
    let p50 = median(&times).context("nothing was posted")?;
    Ok(Measured {
        values: vec![("intake_p99_ms_500", percentile(&times, 0.99).context("nothing was posted")?)],
        note: Some(format!("intake: p50 {p50:.2} ms; {live} of {posts} orders were not fulfilled yet when the last one was accepted")),
        facts: vec![("allocation", json!(allocation))],
    })
}

/// Posts at the pace; the first tenth warms up. Returns the other times in milliseconds.
fn client(address: SocketAddr, posts: usize) -> Result<Vec<f64>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = Client::new(address, "c-1");
        let mut under_way = JoinSet::new();
        let begun = Instant::now();
        for post in 0..posts {
            let due = begun + PACE * u32::try_from(post)?;
            tokio::time::sleep_until(due.into()).await;
            let client = client.clone();
            under_way.spawn(async move { client.post().await.map(|()| (post, due.elapsed().as_secs_f64() * 1e3)) });
        }
        let mut times = Vec::with_capacity(posts);
        while let Some(done) = under_way.join_next().await {
            let (post, took) = done??;
            if post >= posts / 10 {
                times.push(took);
            }
        }
        Ok(times)
    })
}
