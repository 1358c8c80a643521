//! One plugin that hogs what it can, and another that must not notice.

use std::time::Duration;

use end_to_end_tests::runtime::{Bench, failed};
use engine::port::Runner as _;
use pipeline::FailureClass;
use plugin_runtime::{Grant, Limits, Options};
use tokio::task::JoinSet;

use crate::{MEMORY, element::Element, grant, misbehave, options, works};

#[tokio::test]
async fn a_plugin_that_loops_leaves_room_even_on_a_single_thread() {
    let _shared = MEMORY.read().await;
    let element = Element::start();
    // The budget is the only way out of the loop and far away, so the honest calls end while it runs.
    let bench = Bench::new(Options { threads: 1, limits: Limits { cpu_ms: 3_000, ..options().limits }, ..options() });
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    let neighbour = bench.load_built("noop", &Grant::default()).await;
    let (runner, hog) = (bench.runner.clone(), misbehave(&bad, "endless-loop", false));
    let hogging = bench.runtime.spawn(async move { runner.call(hog).await });
    for _ in 0..10 {
        works(&bench, &neighbour).await;
    }
    assert!(!hogging.is_finished(), "the loop ended before its neighbours did");
    let report = hogging.await.unwrap();
    assert_eq!(report.answer.unwrap_err().error_type, "plugin.cpu_limit");
}

#[tokio::test]
async fn a_plugin_that_fills_its_own_room_is_busy_and_nobody_else_is() {
    let _shared = MEMORY.read().await;
    let element = Element::start();
    let bench = Bench::new(Options { max_calls_per_plugin: 2, max_queue_per_plugin: 1, ..options() });
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    let neighbour = bench.load_built("noop", &Grant::default()).await;
    // They sleep until the test is over.
    let mut sleepers = JoinSet::new();
    for load in [(1, 0), (2, 0), (2, 1)] {
        let (runner, sleeper) = (bench.runner.clone(), misbehave(&bad, "sleep", false));
        sleepers.spawn(async move { runner.call(sleeper).await });
        while bad.load() != load {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    let report = bench.call(misbehave(&bad, "honest", false)).await;
    let (class, error_type, message) = failed(&report);
    assert_eq!((class, error_type, report.sent), (FailureClass::Unavailable, "plugin.busy", false), "{message}");
    works(&bench, &neighbour).await;
}
