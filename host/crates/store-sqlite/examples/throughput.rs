//! Prints what the store achieves on this machine: `cargo run --release -p store-sqlite --example throughput [DIRECTORY]`.
//!
//! A run is eleven appends of one record each, one after the other, every one durable before the next: ten steps.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use engine::port::{Append, Journal, RunRow, RunState};
use pipeline::{Epoch, Event, PipelineName, Record, RunId, Seq, TenantName, Timestamp, Verdict, testing};
use store_sqlite::{Options, Store};
use tokio::task::JoinSet;

/// Appends of a run.
const APPENDS: u64 = 11;
/// Runs of each measurement per unit of concurrency.
const ROUNDS: u64 = 24;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let directory = tempfile::tempdir_in(base)?;
    println!("fdatasync p50 {:?}", fdatasync(directory.path())?);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        for (concurrency, records) in [(1, 1), (16, 1), (128, 1), (512, 1), (128, 16), (512, 16)] {
            let path = directory.path().join(format!("{concurrency}-{records}.db"));
            measure(&path, concurrency, records).await?;
        }
        Ok(())
    })
}

/// The median time of a durable 4 KiB write.
fn fdatasync(directory: &Path) -> std::io::Result<Duration> {
    let mut file = File::create(directory.join("probe"))?;
    let mut times = Vec::new();
    for _ in 0..200 {
        file.write_all(&[1; 4096])?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}

/// Drives `concurrency` runs at a time, each append with `records` records.
async fn measure(path: &Path, concurrency: u64, records: u64) -> Result<(), Box<dyn std::error::Error>> {
    let (store, opening) = Store::open(path, Options::default())?;
    let rounds = if concurrency == 1 { ROUNDS * 20 } else { ROUNDS };
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for task in 0..concurrency {
        let (store, epoch) = (Arc::clone(&store), opening.epoch);
        tasks.spawn(async move {
            let mut times = Vec::new();
            for round in 0..rounds {
                let begun = Instant::now();
                drive(&store, epoch, task * rounds + round, records).await?;
                times.push(begun.elapsed());
            }
            Ok::<_, engine::port::AppendError>(times)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done??);
    }
    times.sort();
    let (runs, seconds) = (concurrency * rounds, begun.elapsed().as_secs_f64());
    let per_second = |count: u64| (count as f64 / seconds).round();
    println!(
        "concurrency {concurrency:>3}, {records:>2} records an append: {:>6} runs/s, {:>7} appends/s, {:>7} records/s, run p50 {:?} p99 {:?}",
        per_second(runs),
        per_second(runs * APPENDS),
        per_second(runs * APPENDS * records),
        times[times.len() / 2],
        times[times.len() * 99 / 100]
    );
    store.close().await;
    Ok(())
}

/// One run.
async fn drive(store: &Store, epoch: Epoch, number: u64, records: u64) -> Result<(), engine::port::AppendError> {
    for append in 0..APPENDS {
        let head = append * records;
        let state = if append + 1 == APPENDS { RunState::Ended } else { RunState::Active };
        let records = (head + 1..=head + records).map(|seq| record(epoch, seq)).collect();
        let row = row(testing::run_id(number), head + u64::try_from(Vec::len(&records)).unwrap_or(0), state);
        store.append(&Append { row, expected_head: Seq(head), records, documents: Vec::new(), writes: Vec::new(), holds: Vec::new() }).await?;
    }
    Ok(())
}

/// A record of the usual kind: an attempt that was done, with a receipt.
fn record(epoch: Epoch, seq: u64) -> Record {
    let attempt = pipeline::AttemptId {
        item: pipeline::ItemId { step: pipeline::StepName::new("allocate_inventory").expect("a valid name"), item: 0, round: 1 },
        direction: pipeline::Direction::Do,
        attempt: 1,
    };
    let at = Timestamp(1_700_000_000_000_000 + seq);
    let verdict = Verdict::Done(std::sync::Arc::new("port-0000000000000000".into()));
    Record { seq: Seq(seq), epoch, at, event: Event::AttemptFinished { attempt, started_at: at, verdict, retry_at: None, attributes: Vec::new() } }
}

fn row(run: RunId, head: u64, state: RunState) -> RunRow {
    RunRow {
        run,
        tenant: TenantName::new("default").expect("a valid name"),
        pipeline: PipelineName::new("order").expect("a valid name"),
        idempotency_key: None,
        head: Seq(head),
        state,
        wake_at: None,
        detail: String::new(),
        created_at: Timestamp(0),
        updated_at: Timestamp(head),
    }
}
