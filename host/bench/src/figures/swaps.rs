//! `swaps_failed`, `swaps_duplicated`: 100 activations in a row, of one version and another in turn, while orders come in at a steady rate.
//!
//! The plugin that is swapped sets up billing over HTTP; the back end keeps a ledger of what it did. Failed: orders that were not taken or did not
//! complete. Duplicated: accounts beyond one per order.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use http::{Method, StatusCode};
use tokio::task::JoinSet;

use crate::{
    harness::report::Measured,
    orders_served::order,
    served::{Configured, Served, configuration},
    setup::Setup,
    variants::version,
};

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";
const RATE: u32 = 200;
/// How long everything may take to come to its end.
const PATIENCE: Duration = Duration::from_secs(120);
const NAME: &str = "billing-rest";

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let database = setup.fresh("swaps")?;
    let directory = database.parent().context("the database has a directory")?.to_owned();
    let lab = lab::Lab::start(lab::Options::default()).await?;
    let billing = fs::read(setup.plugins.join("billing-rest.wasm")).context("target/plugins/billing-rest.wasm cannot be read")?;
    let grant = format!("http.billing = {{ url = \"{}\", methods = [\"GET\", \"POST\", \"DELETE\"] }}", lab.urls().billing);
    let plugins = [Configured::write(&directory, "noop", &setup.noop, "")?, Configured::write(&directory, NAME, &billing, &grant)?];
    fs::write(directory.join("jackfield.toml"), configuration(&plugins, "\"jackfield:order/billing@1\" = \"billing-rest\""))?;
    let host = Arc::new(Served::start(&directory)?);
    host.ask(Method::POST, "/api/v1/plugins", version(&billing, "0.1.1")?).await?;
    let swaps = setup.counts.swaps;
    let orders = u64::from(RATE) * u64::from(swaps) / 5;
    let mut loading = JoinSet::new();
    loading.spawn(load(host.clone(), orders));
    let mut slowest = Duration::ZERO;
    for swap in 0..swaps {
        let begun = Instant::now();
        slowest = slowest.max(host.activate(&format!("{NAME}@0.1.{}", (swap + 1) % 2)).await?);
        tokio::time::sleep(Duration::from_millis(200).saturating_sub(begun.elapsed())).await;
    }
    let taken = loading.join_next().await.context("nobody sent orders")???;
    let completed = completed(&host, taken).await?;
    let made = accounts(&lab.urls().billing).await?;
    drop(host);
    setup.remove(&database)?;
    #[allow(clippy::cast_precision_loss, reason = "some thousands of orders")]
    let values = vec![("swaps_failed", (orders - completed) as f64), ("swaps_duplicated", made.saturating_sub(completed) as f64)];
    let note = format!("swaps: {swaps} activations, the slowest in {} ms; {orders} orders at {RATE} a second", slowest.as_millis());
    Ok(Measured { values, note: Some(note), facts: Vec::new() })
}

/// Sends orders at a steady rate; how many were taken.
async fn load(host: Arc<Served>, orders: u64) -> Result<u64> {
    let mut due = tokio::time::interval(Duration::from_secs(1) / RATE);
    due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let body = bytes::Bytes::from(order("c-1").to_string());
    let mut sending = JoinSet::new();
    for _ in 0..orders {
        due.tick().await;
        let (host, body) = (host.clone(), body.clone());
        sending.spawn(async move { host.send(Method::POST, ORDERS, body).await.is_ok_and(|(status, ..)| status == StatusCode::CREATED) });
    }
    Ok(sending.join_all().await.into_iter().filter(|taken| *taken).count() as u64)
}

/// How many orders have completed when all have, or when that takes too long.
async fn completed(host: &Served, taken: u64) -> Result<u64> {
    let begun = Instant::now();
    loop {
        let path = format!("{ORDERS}?state=completed&limit=1");
        let (_, _, total) = host.send(Method::GET, &path, bytes::Bytes::new()).await?;
        let total = total.context("the list does not say how many there are")?;
        if total >= taken || begun.elapsed() > PATIENCE {
            return Ok(total);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// How many accounts the back end has made, by its ledger.
async fn accounts(billing: &str) -> Result<u64> {
    let ledger = crate::served::fetch(&format!("{billing}/_lab/ledger")).await?;
    let effects = ledger.as_array().context("the ledger is no list")?;
    Ok(effects.iter().filter(|effect| effect["action"] == "created").count() as u64)
}
