//! The child: starts what was not acknowledged, lets the engine work, is the operator and the outside world, and leaves when everything is over.

use std::{sync::Arc, time::Duration};

use engine::{
    Driver, Options, Pack, Ports,
    api::{Engine, Start},
    port::{Journal, Opening, SystemClock, Timers},
};
use pipeline::TenantName;
use store_sqlite::Store;
use tokio::{sync::watch, task::JoinSet};

use super::{
    args::Args, early::Early, effect_points::EffectPoints, journal_points::JournalPoints, ledger::Ledger, operator, outside, points::Points,
    providers::Providers, reference,
};

/// Runs the reference set to its end, or to the point at which the process dies.
pub async fn run(args: Args) -> Result<(), String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let ledger = Arc::new(Ledger::connect(args.ledger).await.map_err(|error| text(&error))?);
    let (store, opening) = Store::open(&args.database, store_sqlite::Options::default()).map_err(|error| text(&error))?;
    let points = Arc::new(Points::new(args.stop, args.ledger));
    let (journal, timers) = journal(&store, args.early);
    let journal = Arc::new(JournalPoints::new(journal, points.clone()));
    let (opener, open) = watch::channel(false);
    let runner = EffectPoints { inner: Providers { ledger: ledger.clone(), open }, points: points.clone() };
    let ports =
        Ports { journal, timers: timers.clone(), blobs: store, runner: Arc::new(runner), clock: Arc::new(SystemClock), observers: Vec::new() };
    let driver = open_driver(ports, &opening).await?;
    start_all(&driver, &ledger).await?;
    opener.send_replace(true);
    // The loser of this race is dropped with the process, which ends at once.
    tokio::select! {
        rest = until_rest(&driver, &*timers, &ledger) => rest?,
        reason = driver.failed() => return Err(format!("the engine failed: {reason}")),
    }
    let stuck = driver.stuck().await.map_err(|error| error.to_string())?;
    if !driver.stop(Duration::from_secs(10)).await {
        return Err("the engine did not come to rest".to_owned());
    }
    // The last commit was seen in the store; only now has the engine heard of it, and the point after it is passed.
    for point in points.passed() {
        ledger.word(&format!("point {point}")).await;
    }
    ledger.word(&format!("over {}", stuck.len())).await;
    Ok(())
}

/// The storage ports that a crash puts to the test: the store's own, or the mutant's.
fn journal(store: &Arc<Store>, early: bool) -> (Arc<dyn Journal>, Arc<dyn Timers>) {
    if early {
        let early = Arc::new(Early::new(store.clone()));
        (early.clone(), early)
    } else {
        (store.clone(), store.clone())
    }
}

async fn open_driver(ports: Ports, opening: &Opening) -> Result<Driver, String> {
    let packs = reference::definitions().into_iter().map(|definition| Pack { definition: Arc::new(definition), document: None }).collect();
    let options = Options { packs, table: reference::table(), ..Options::default() };
    Driver::open(ports, opening, options).await.map_err(|error| error.to_string())
}

/// Starts, all at once, the runs whose start was not acknowledged to anybody. One that was started all the same is found by its key.
async fn start_all(driver: &Driver, ledger: &Arc<Ledger>) -> Result<(), String> {
    let mut starts = JoinSet::new();
    for case in reference::cases() {
        let (driver, ledger) = (driver.clone(), ledger.clone());
        starts.spawn(async move {
            if ledger.word(&format!("started {}", case.name)).await != "no" {
                return Ok(());
            }
            let start = Start {
                tenant: TenantName::new("default").expect("a valid name"),
                pipeline: case.definition.name.clone(),
                input: reference::input(case.name),
                idempotency_key: Some(case.name.to_owned()),
                trace: None,
            };
            let started = driver.start(start).await.map_err(|error| format!("{}: {error}", case.name))?;
            ledger.word(&format!("acked {} {}", case.name, started.run)).await;
            Ok(())
        });
    }
    starts.join_all().await.into_iter().collect()
}

/// Is the operator and the outside world until no run is live and nobody outside waits.
async fn until_rest(driver: &Driver, timers: &dyn Timers, ledger: &Ledger) -> Result<(), String> {
    let definitions = reference::definitions();
    loop {
        operator::decide(driver, timers, ledger, &definitions).await?;
        let owed = outside::deliver(driver, ledger).await;
        let live = timers.census().await.map_err(|error| error.to_string())?;
        if live.is_empty() && !owed {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
