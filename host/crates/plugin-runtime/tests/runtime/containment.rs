//! A plugin in trouble costs only its own steps.

use std::sync::Arc;

use engine::port::{CallReport, Runner as _, Verb};
use pipeline::FailureClass;
use plugin_runtime::{BreakerOptions, BreakerState, Grant, Options, Plugin, PluginLimits, RetryBudgetOptions};
use serde_json::json;

use crate::support::{Bench, call, done, failed, options, receipt, worker, working};

const UNAVAILABLE: FailureClass = FailureClass::Unavailable;
/// It opens for so long that no test sees it let a call through.
const PATIENT: BreakerOptions = BreakerOptions { consecutive: 5, failure_percent: 50, min_calls: 100, window_s: 30, open_ms: 3_600_000 };

/// Traps when the text has four bytes and otherwise works.
fn moody() -> Vec<u8> {
    let trap = "(if (i32.eq (i32.load (i32.add (local.get $args) (i32.const 84))) (i32.const 4)) (then unreachable))";
    working(&worker(&format!("{trap} {}", done(0, 0))), "", json!({}))
}

fn with_breaker(breaker: BreakerOptions) -> Options {
    Options { breaker, ..options() }
}

async fn neighbour(bench: &Bench) -> Plugin {
    let bytes = working(&worker(&done(0, 0)), "", json!({ "name": "neighbour" }));
    bench.load(bytes, &Grant::default()).await.unwrap()
}

async fn say(bench: &Bench, plugin: &Plugin, text: &str, attempt: u32) -> CallReport {
    let mut call = call(plugin, Verb::Apply, json!({ "text": text }));
    call.attempt.attempt = attempt;
    bench.runner.call(call).await
}

#[tokio::test]
async fn a_plugin_that_traps_at_every_call_is_left_alone_and_its_neighbours_never_notice() {
    let bench = Bench::new(with_breaker(PATIENT));
    let (bad, good) = (bench.load(moody(), &Grant::default()).await.unwrap(), neighbour(&bench).await);
    let mut found = Vec::new();
    for _ in 0..50 {
        found.push(failed(&say(&bench, &bad, "trap", 1).await).1.to_owned());
        assert_eq!(receipt(&say(&bench, &good, "", 1).await), &json!({ "text": "" }));
    }
    let expected: Vec<&str> = (0..50).map(|number| if number < 5 { "plugin.trap" } else { "plugin.breaker_open" }).collect();
    assert_eq!(found, expected);
    let refused = say(&bench, &bad, "works", 1).await;
    assert!(!refused.sent);
    let failure = refused.answer.unwrap_err();
    assert_eq!((failure.class, failure.error_type.as_str()), (UNAVAILABLE, "plugin.breaker_open"));
    assert!(failure.retry_after_ms.is_some_and(|after| after > 3_500_000 && after <= 3_600_000), "{failure:?}");
    let health = bad.health();
    assert_eq!((health.breaker, health.consecutive_failures, health.opened, health.refused), (BreakerState::Open, 5, 1, 46));
    assert_eq!(good.health().breaker, BreakerState::Closed);
    // Under another grant and loaded again it is the same plugin, and another digest is not.
    assert_eq!(bench.runtime.regrant(&bad, &Grant::default()).unwrap().health().breaker, BreakerState::Open);
    assert_eq!(bench.load(moody(), &Grant::default()).await.unwrap().health().breaker, BreakerState::Open);
}

#[tokio::test]
async fn a_breaker_lets_one_call_through_and_closes_when_it_works() {
    let bench = Bench::new(with_breaker(BreakerOptions { open_ms: 0, ..PATIENT }));
    let plugin = bench.load(moody(), &Grant::default()).await.unwrap();
    for _ in 0..5 {
        assert_eq!(failed(&say(&bench, &plugin, "trap", 1).await), (UNAVAILABLE, "plugin.trap"));
    }
    assert_eq!(plugin.health().breaker, BreakerState::HalfOpen);
    assert_eq!(failed(&say(&bench, &plugin, "trap", 1).await), (UNAVAILABLE, "plugin.trap"));
    assert_eq!(plugin.health().opened, 2);
    assert!(say(&bench, &plugin, "works", 1).await.answer.is_ok());
    assert_eq!((plugin.health().breaker, plugin.health().consecutive_failures), (BreakerState::Closed, 0));
}

#[tokio::test]
async fn what_a_plugin_rejects_opens_no_breaker() {
    let bench = Bench::new(with_breaker(PATIENT));
    let plugin = bench.load(moody(), &Grant::default()).await.unwrap();
    for _ in 0..20 {
        let report = bench.runner.call(call(&plugin, Verb::Apply, json!({ "text": 7 }))).await;
        assert_eq!(failed(&report), (FailureClass::Rejected, "plugin.contract"));
    }
    assert_eq!(plugin.health().breaker, BreakerState::Closed);
}

#[tokio::test]
async fn retries_beyond_the_budget_are_put_off_and_first_attempts_are_not() {
    let budget = RetryBudgetOptions { percent: 50, per_second: 0, burst: 3 };
    let bench = Bench::new(Options { retry_budget: budget, ..options() });
    let plugin = bench.load(moody(), &Grant::default()).await.unwrap();
    let mut made = 0;
    for _ in 0..10 {
        match say(&bench, &plugin, "", 2).await.answer {
            Ok(_) => made += 1,
            Err(failure) => {
                assert_eq!((failure.class, failure.error_type.as_str()), (UNAVAILABLE, "plugin.retry_budget"));
                assert_eq!(failure.retry_after_ms, Some(1_000));
            }
        }
    }
    assert_eq!((made, plugin.health().retries_refused), (3, 7));
    // Two first attempts earn one more.
    for (attempt, works) in [(1, true), (1, true), (2, true), (2, false), (1, true)] {
        assert_eq!(say(&bench, &plugin, "", attempt).await.answer.is_ok(), works);
    }
}

#[tokio::test]
async fn limits_of_one_plugin_are_below_those_of_all_and_never_above() {
    let mut loose = options();
    (loose.limits.cpu_ms, loose.limits.memory_bytes) = (3_600_000, 64 << 20);
    let bench = Bench::new(loose);
    let limited = |limits: PluginLimits| Grant { limits, ..Grant::default() };
    let spin = working(&worker("(loop $for_ever (br $for_ever)) (i32.const 0)"), "", json!({}));
    let spin = bench.load(spin, &limited(PluginLimits { cpu_ms: Some(20), ..PluginLimits::default() })).await.unwrap();
    assert_eq!(failed(&say(&bench, &spin, "", 1).await), (UNAVAILABLE, "plugin.cpu_limit"));
    let grow = working(&worker("(loop $more (drop (memory.grow $main (i32.const 16))) (br $more)) (i32.const 0)"), "", json!({}));
    for (given, holds) in [(8 << 20, 8 << 20), (1 << 40, 64 << 20)] {
        let plugin = bench.load(grow.clone(), &limited(PluginLimits { memory_bytes: Some(given), ..PluginLimits::default() })).await.unwrap();
        let message = say(&bench, &plugin, "", 1).await.answer.unwrap_err().message;
        assert!(message.contains(&format!("the limit is {holds} (memory_bytes)")), "{message}");
    }
    // The same component under two grants: each has room of its own, as its operator said.
    let plugin = bench.load(moody(), &limited(PluginLimits { max_calls: Some(0), max_queue: Some(0), ..PluginLimits::default() })).await.unwrap();
    assert_eq!(failed(&say(&bench, &plugin, "", 1).await), (UNAVAILABLE, "plugin.busy"));
    let free = bench.runtime.regrant(&plugin, &Grant::default()).unwrap();
    bench.runner.plugins().add(free.clone());
    assert!(say(&bench, &free, "", 1).await.answer.is_ok());
}

#[tokio::test]
async fn a_plugin_that_holds_every_slot_leaves_the_next_one_to_a_neighbour() {
    let mut few = options();
    (few.max_calls, few.threads, few.limits.cpu_ms) = (2, 2, 200);
    let bench = Arc::new(Bench::new(few));
    let spin = working(&worker("(loop $for_ever (br $for_ever)) (i32.const 0)"), "", json!({ "name": "spinner" }));
    let (greedy, good) = (bench.load(spin, &Grant::default()).await.unwrap(), neighbour(&bench).await);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (bench, call) = (Arc::clone(&bench), call(&greedy, Verb::Apply, json!({ "text": "" })));
        calls.spawn(async move { bench.runner.call(call).await });
    }
    while greedy.load().0 < 15 {
        tokio::task::yield_now().await;
    }
    // Most calls of the other wait already, and still it is served as soon as the first slot is free.
    assert!(say(&bench, &good, "", 1).await.answer.is_ok());
    let left = greedy.load().0;
    assert!(left >= 10, "it was served after {} calls of the other", 20 - left);
    while let Some(report) = calls.join_next().await {
        assert_eq!(failed(&report.unwrap()), (UNAVAILABLE, "plugin.cpu_limit"));
    }
}
