//! One plugin that hogs what it can, and another that must not notice.

use end_to_end_tests::runtime::Bench;
use pipeline::FailureClass;
use plugin_runtime::{Grant, Limits, Options};

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
    let hogging = bench.runtime.spawn(async move { engine::port::Runner::call(&runner, hog).await });
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
    let sleepers: Vec<_> = (0..6)
        .map(|_| {
            let (runner, sleeper) = (bench.runner.clone(), crate::impatient(misbehave(&bad, "sleep", false)));
            tokio::spawn(async move { engine::port::Runner::call(&runner, sleeper).await })
        })
        .collect();
    works(&bench, &neighbour).await;
    let mut kinds = Vec::new();
    for sleeper in sleepers {
        let failure = sleeper.await.unwrap().answer.unwrap_err();
        assert_eq!(failure.class, FailureClass::Unavailable);
        kinds.push(failure.error_type);
    }
    kinds.sort();
    // Two run, one waits for room until its time is over, three find no room to wait.
    assert_eq!(kinds.iter().filter(|kind| *kind == "plugin.timeout").count(), 2, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| *kind == "plugin.busy").count(), 4, "{kinds:?}");
    works(&bench, &bad).await;
}
