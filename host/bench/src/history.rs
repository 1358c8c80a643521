//! A database with a long history, made quickly: two real orders, one finished and one waiting, are run and then written again and again under other ids.
//!
//! Every copy is complete: journal with checksums, row, document and its index. It is kept under the benchmark's directory and made anew when the plugin, the
//! pipeline or this package has changed. It takes some gigabytes; removing the files is always safe.

mod copies;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use engine::{
    api::{Engine as _, Start},
    port::{Journal as _, RunState},
};
use pipeline::{PipelineName, RunId, TenantName, testing};
use rusqlite::Connection;
use serde_json::json;
use store_sqlite::Store;

use crate::{
    orders_served::{order, pack},
    setup::Setup,
    stack::{Stack, Wiring},
};

/// The customer whose activation stays pending, as the no-op plugin has it.
const WAITS: &str = "waits";
/// The poll interval of a waiting order and a little more.
const POLL: Duration = Duration::from_millis(1_200);

/// The database, made unless it is there.
pub(crate) async fn prepare(setup: &Setup, receiver: &str) -> Result<PathBuf> {
    let (finished, waiting) = (setup.counts.finished, setup.counts.waiting);
    let database = setup.directory.join(format!("history-{finished}-{waiting}.db"));
    let stamp = database.with_extension("stamp");
    let wanted = format!("{} {} {:08x}\n", env!("CARGO_PKG_VERSION"), orders::VERSION, crc32fast::hash(&setup.noop));
    if database.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(database);
    }
    for suffix in ["db", "db-wal", "db-shm", "stamp"] {
        let file = database.with_extension(suffix);
        if file.exists() {
            fs::remove_file(&file).with_context(|| format!("{} cannot be removed", file.display()))?;
        }
    }
    eprintln!("making a database with {finished} finished and {waiting} waiting orders; this takes minutes, once");
    let templates = run_templates(setup, &database, receiver).await?;
    copies::write(&database, &templates, finished, waiting)?;
    verify(&database, finished, waiting).await?;
    fs::write(&stamp, wanted)?;
    Ok(database)
}

/// Makes all waiting orders overdue. Their polls of an earlier restart must be over, hence the pause.
pub(crate) fn make_overdue(database: &Path) -> Result<()> {
    std::thread::sleep(POLL);
    let connection = Connection::open(database)?;
    connection.execute("UPDATE runs SET wake_at = 1 WHERE state = 'waiting'", [])?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// The two orders that are copied.
#[derive(Debug)]
pub(crate) struct Templates {
    finished: RunId,
    waiting: RunId,
}

async fn run_templates(setup: &Setup, database: &Path, receiver: &str) -> Result<Templates> {
    let wiring = Wiring { database, pack: pack(), receiver, around: |runner| runner };
    let stack = Stack::open(setup, wiring).await?;
    let finished = start(&stack, "c-1").await?;
    stack.journal.completed(&finished).await?;
    let waiting = start(&stack, WAITS).await?;
    let mut state = None;
    for _ in 0..1_000 {
        state = stack.store.row(&waiting).await?.map(|row| row.state);
        if state == Some(RunState::Waiting) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    ensure!(state == Some(RunState::Waiting), "the order that is to wait is {state:?}");
    stack.close().await?;
    Ok(Templates { finished, waiting })
}

async fn start(stack: &Stack, customer: &str) -> Result<RunId> {
    let start = Start {
        tenant: TenantName::new("default")?,
        pipeline: PipelineName::new(orders::PIPELINE)?,
        input: json!(orders::OrderInput::read(order(customer), &[])),
        idempotency_key: None,
        trace: None,
    };
    Ok(stack.driver.start(start).await?.run)
}

/// Reads orders from both ends as the host does, checksums included.
async fn verify(database: &Path, finished: u64, waiting: u64) -> Result<()> {
    let (store, _) = Store::open(database, store_sqlite::Options::default())?;
    for (number, state) in
        [(1, RunState::Ended), (finished, RunState::Ended), (finished + 1, RunState::Waiting), (finished + waiting, RunState::Waiting)]
    {
        let run = testing::run_id(number);
        let records = store.load(&run).await?;
        match store.row(&run).await? {
            Some(row) if row.state == state && row.head.0 == records.len() as u64 => {}
            other => bail!("order {number} of the history is {other:?} with {} records, expected {state:?}", records.len()),
        }
    }
    store.close().await;
    Ok(())
}
