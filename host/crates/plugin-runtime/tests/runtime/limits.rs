//! Every limit ends what exceeds it, with its own `error.type`, and the host goes on.

use std::{sync::Arc, time::Duration};

use engine::port::{Runner as _, Verb};
use pipeline::FailureClass;
use plugin_runtime::{Allocation, Grant, Limits, Options, Runtime};
use serde_json::json;

use crate::support::{Bench, call, done, failed, options, receipt, worker, working};

const UNAVAILABLE: FailureClass = FailureClass::Unavailable;

fn limited(change: impl FnOnce(&mut Limits)) -> Options {
    let mut options = options();
    change(&mut options.limits);
    options
}

#[tokio::test]
async fn an_endless_loop_is_stopped_by_its_budget_of_cpu_time() {
    let bench = Bench::new(limited(|limits| limits.cpu_ms = 20));
    let report = bench.apply(&worker("(loop $for_ever (br $for_ever)) (i32.const 0)")).await;
    assert_eq!(failed(&report), (UNAVAILABLE, "plugin.cpu_limit"));
    assert!(report.answer.unwrap_err().message.contains("it used 20 ms of CPU time, the limit (cpu_ms)"));
    let cpu = bench.last_end().cpu;
    assert!(cpu >= Duration::from_millis(20) && cpu < Duration::from_secs(10), "{cpu:?}");
}

#[tokio::test]
async fn the_wall_clock_stops_a_guest_that_computes() {
    let bench = Bench::new(limited(|limits| limits.cpu_ms = 3_600_000));
    let plugin = bench.load(working(&worker("(loop $for_ever (br $for_ever)) (i32.const 0)"), "", json!({})), &Grant::default()).await.unwrap();
    let mut slow = call(&plugin, Verb::Apply, json!({ "text": "" }));
    slow.timeout = Duration::from_millis(50);
    let report = bench.runner.call(slow).await;
    assert_eq!(failed(&report), (UNAVAILABLE, "plugin.timeout"));
}

#[tokio::test]
async fn memory_is_counted_over_all_memories() {
    // Two memories that grow in turn, neither above the limit by itself.
    let grow = "(loop $more (drop (memory.grow $main (i32.const 16))) (drop (memory.grow $second (i32.const 16))) (br $more)) (i32.const 0)";
    let bench = Bench::new(limited(|limits| limits.memory_bytes = 32 << 20));
    let report = bench.apply(&format!("(memory $second 1)\n{}", worker(grow))).await;
    assert_eq!(failed(&report), (UNAVAILABLE, "plugin.out_of_memory"));
    let peak = bench.last_end().memory_peak;
    assert!(peak > 16 << 20 && peak <= 32 << 20, "{peak}");
}

#[tokio::test]
async fn a_component_that_is_born_too_large_is_stopped_before_it_runs() {
    let bench = Bench::new(limited(|limits| limits.memory_bytes = 1 << 20));
    let report = bench.apply(&format!("(memory $second 15)\n{}", worker(&done(0, 0)))).await;
    assert!(report.answer.is_ok());
    let report = bench.apply(&format!("(memory $second 16)\n{}", worker(&done(0, 0)))).await;
    assert_eq!(failed(&report), (UNAVAILABLE, "plugin.out_of_memory"));
}

#[tokio::test]
async fn tables_count_as_memory() {
    let grow = "(loop $more (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $more)) (i32.const 0)";
    let bench = Bench::new(limited(|limits| limits.memory_bytes = 128 << 10));
    let report = bench.apply(&format!("(table $t 1 funcref)\n{}", worker(grow))).await;
    assert_eq!(failed(&report), (UNAVAILABLE, "plugin.out_of_memory"));
}

#[tokio::test]
async fn a_result_that_is_too_large_is_not_read() {
    let bench = Bench::new(limited(|limits| limits.output_bytes = 1 << 20));
    // 2 MiB of text; the memory is grown first, so that the text exists.
    let large = format!("(drop (memory.grow $main (i32.const 64))) {}", done(0, 2 << 20));
    let report = bench.apply(&worker(&large)).await;
    assert_eq!(failed(&report), (UNAVAILABLE, "plugin.output_limit"));
    let small = format!("(drop (memory.grow $main (i32.const 64))) {}", done(8192, 1 << 19));
    assert_eq!(receipt(&bench.apply(&worker(&small)).await)["text"].as_str().unwrap().len(), 1 << 19);
}

#[tokio::test]
async fn a_recursion_without_end_overflows_its_own_stack_only() {
    let bench = Bench::new(options());
    let report = bench.apply(&format!("(func $deeper (call $deeper))\n{}", worker("(call $deeper) (i32.const 0)"))).await;
    assert_eq!(failed(&report), (UNAVAILABLE, "plugin.trap"));
    assert!(report.answer.unwrap_err().message.contains("call stack exhausted"));
}

#[tokio::test]
async fn a_pending_answer_that_is_too_long_is_refused() {
    let bench = Bench::new(options());
    let pending = "(i32.store8 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1032) (i32.const 2))
        (i32.store (i32.const 1040) (i32.const 2048)) (i32.store (i32.const 1044) (i32.const 2))
        (i32.store (i32.const 1048) (i32.const 40000)) (i32.store (i32.const 1052) (i32.const 16385))
        (i32.store8 (i32.const 1056) (i32.const 0)) (i64.store (i32.const 1072) (i64.const 1)) (i32.const 1024)";
    let report = bench.apply(&worker(pending)).await;
    assert_eq!(failed(&report), (UNAVAILABLE, "plugin.output_limit"));
    assert!(report.answer.unwrap_err().message.contains("pending.checkpoint has 16385 bytes, expected at most 16384"));
}

#[tokio::test]
async fn a_plugin_without_room_is_busy_and_leaves_room_for_others() {
    let mut options = limited(|limits| limits.cpu_ms = 3_600_000);
    (options.max_calls_per_plugin, options.max_queue_per_plugin) = (1, 1);
    let bench = Arc::new(Bench::new(options));
    let slow = bench.load(working(&worker("(loop $for_ever (br $for_ever)) (i32.const 0)"), "", json!({})), &Grant::default()).await.unwrap();
    let make = |timeout| {
        let mut call = call(&slow, Verb::Apply, json!({ "text": "" }));
        call.timeout = timeout;
        let bench = Arc::clone(&bench);
        async move { bench.runner.call(call).await }
    };
    let mut calls = tokio::task::JoinSet::new();
    calls.spawn(make(Duration::from_secs(5)));
    while slow.load() != (1, 0) {
        tokio::task::yield_now().await;
    }
    calls.spawn(make(Duration::from_millis(50)));
    while slow.load() != (1, 1) {
        tokio::task::yield_now().await;
    }
    let third = make(Duration::from_secs(5)).await;
    assert_eq!(failed(&third), (UNAVAILABLE, "plugin.busy"));
    assert!(third.answer.unwrap_err().message.contains("1 calls wait for this plugin already"));
    // Another plugin is served meanwhile.
    assert!(bench.apply(&worker(&done(0, 0))).await.answer.is_ok());
    let mut ended = Vec::new();
    while let Some(report) = calls.join_next().await {
        ended.push(failed(&report.unwrap()).1.to_owned());
    }
    assert_eq!(ended, ["plugin.busy", "plugin.timeout"]);
}

#[tokio::test]
async fn more_calls_than_slots_wait_for_their_turn() {
    let mut options = options();
    options.max_calls = 2;
    let bench = Arc::new(Bench::new(options));
    let plugin = bench.load(working(&worker(&done(0, 0)), "", json!({})), &Grant::default()).await.unwrap();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (bench, call) = (Arc::clone(&bench), call(&plugin, Verb::Apply, json!({ "text": "" })));
        calls.spawn(async move { bench.runner.call(call).await.answer.is_ok() });
    }
    assert!(calls.join_all().await.into_iter().all(|ok| ok));
}

/// Runs itself as a child whose address space is limited, because the limit is the process's.
#[test]
fn where_the_address_space_is_refused_instances_are_made_on_demand() {
    const CHILD: &str = "PLUGIN_RUNTIME_TEST_CHILD";
    #[expect(clippy::disallowed_methods, reason = "tells the child from the parent; the product reads no environment here")]
    if std::env::var_os(CHILD).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new(options());
            assert_eq!(bench.runtime.allocation(), Allocation::OnDemand);
            assert!(bench.apply(&worker(&done(0, 0))).await.answer.is_ok());
        });
        return;
    }
    assert_eq!(Runtime::new(options()).unwrap().allocation(), Allocation::Pooling);
    let name = "limits::where_the_address_space_is_refused_instances_are_made_on_demand";
    let script = "ulimit -v 4000000 && exec \"$0\" --exact \"$1\" --nocapture";
    let child =
        std::process::Command::new("sh").args(["-c", script]).arg(std::env::current_exe().unwrap()).arg(name).env(CHILD, "1").output().unwrap();
    assert!(child.status.success(), "{}\n{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
}
