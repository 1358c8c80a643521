//! Too much at once: answers, requests, bodies and code that never end. Each is stopped by its own limit, and neighbours go on meanwhile.

use std::time::Duration;

use end_to_end_tests::{
    harness,
    runtime::{Bench, Core, component, failed, inventory_manifest, order_files},
};
use engine::port::Call;
use pipeline::FailureClass;
use plugin_runtime::{CompileLimits, Grant, LoadError, Options};

use crate::{MEMORY, element::Element, grant, misbehave, options, works};

#[tokio::test]
async fn what_never_ends_is_stopped_by_the_limit_that_is_meant_for_it() {
    let _shared = MEMORY.read().await;
    let element = Element::start();
    let bench = Bench::new(options());
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    let neighbour = bench.load_built("noop", &Grant::default()).await;
    for (behaviour, class, error_type) in [
        ("host-calls", FailureClass::Unavailable, "plugin.cpu_limit"),
        ("endless-list", FailureClass::Unavailable, "plugin.output_limit"),
        ("concurrent-requests", FailureClass::Rejected, "plugin.denied"),
    ] {
        let report = bench.call(misbehave(&bad, behaviour, false)).await;
        let found = failed(&report);
        assert_eq!((found.0, found.1), (class, error_type), "{behaviour}: {}", found.2);
        let end = bench.spans.take_ends().pop().unwrap();
        assert!(end.memory_peak <= 192 << 20 && end.cpu < Duration::from_secs(30), "{behaviour}: {end:?}");
        works(&bench, &neighbour).await;
    }
}

#[tokio::test]
async fn a_body_that_is_sent_a_byte_at_a_time_ends_with_the_call() {
    let _shared = MEMORY.read().await;
    let element = Element::start();
    let bench = Bench::new(options());
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    let neighbour = bench.load_built("noop", &Grant::default()).await;
    let report = bench.call(Call { timeout: Duration::from_millis(500), ..misbehave(&bad, "drip-up", false) }).await;
    let (class, error_type, message) = failed(&report);
    assert_eq!((class, error_type, report.sent), (FailureClass::Unknown, "plugin.timeout", true), "{message}");
    works(&bench, &neighbour).await;
}

/// A component of so many functions of so many instructions that do nothing useful and cannot be left out.
fn bomb(functions: usize, instructions: usize) -> Vec<u8> {
    let function = format!("(func (param i32) (result i32) (local.get 0) {})", "i32.popcnt ".repeat(instructions));
    let text = include_str!("two_memories.wat");
    let end = text.rfind(')').unwrap();
    component(&order_files(), &[], "", Core::Text(&format!("{} {})", &text[..end], function.repeat(functions))), &inventory_manifest())
}

#[tokio::test]
async fn a_component_that_compiles_for_ever_is_stopped_by_time_and_by_memory_and_calls_go_on_meanwhile() {
    let _shared = MEMORY.read().await;
    let bytes = bomb(40, 20_000);
    for (limits, expected) in [
        (CompileLimits { cpu_s: 1, ..CompileLimits::default() }, "runtime.compile.cpu_s)"),
        (CompileLimits { memory_bytes: 16 << 20, ..CompileLimits::default() }, ""),
    ] {
        let compile_worker = Some(harness::binary("jackfield"));
        let bench = Bench::new(Options { compile: limits, compile_worker, cache_dir: None, ..options() });
        let neighbour = Bench::new(options());
        let calls = neighbour.load_built("noop", &Grant::default()).await;
        let (bytes, runtime) = (bytes.clone(), bench.runtime.clone());
        let loading = bench.runtime.spawn(async move { runtime.load(bytes, &Grant::default()).await });
        let mut made = 0;
        while !loading.is_finished() || made == 0 {
            works(&neighbour, &calls).await;
            made += 1;
        }
        let refused = loading.await.unwrap().unwrap_err();
        assert!(matches!(&refused, LoadError::CompileBounds(text) if text.contains(expected)), "{refused}");
        let bounded = refused.to_string();
        assert!(bounded.starts_with("the component cannot be compiled within bounds: "), "{bounded}");
    }
}

#[tokio::test]
async fn what_is_compiled_in_a_process_of_its_own_works() {
    let _shared = MEMORY.read().await;
    let compile_worker = Some(harness::binary("jackfield"));
    let bench = Bench::new(Options { compile_worker, cache_dir: None, ..options() });
    let plugin = bench.load_built("noop", &Grant::default()).await;
    works(&bench, &plugin).await;
    bench.runtime.try_instantiate(&plugin).await.unwrap();
}
