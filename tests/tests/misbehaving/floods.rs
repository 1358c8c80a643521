//! Calls that say too much and come back: what exceeds a limit is cut or dropped, and counted.

use std::fs;

use end_to_end_tests::runtime::{Bench, failed, receipt};
use engine::port::{Call, CallReport, SpanItem};
use pipeline::{AttributeValue, FailureClass};
use plugin_runtime::{Limits, Options};

use crate::{MEMORY, element::Element, grant, misbehave, options, works};

/// A flood takes its CPU time in the host, which is slow in a debug build; the budget is not what is tested here.
fn patient() -> Options {
    Options { limits: Limits { cpu_ms: 120_000, ..options().limits }, ..options() }
}

pub(crate) fn dropped(items: &[SpanItem]) -> Vec<(&'static str, &'static str, u64)> {
    let mut found: Vec<_> = items
        .iter()
        .filter_map(|item| match item {
            SpanItem::Dropped { signal, reason, count } => Some((*signal, *reason, *count)),
            SpanItem::Attributes(_) | SpanItem::Event { .. } | SpanItem::Log { .. } | SpanItem::Measured(_) => None,
        })
        .collect();
    found.sort_unstable();
    found
}

#[tokio::test]
async fn a_hundred_thousand_log_lines_are_dropped_and_counted_and_take_no_memory() {
    let _alone = MEMORY.write().await;
    let element = Element::start();
    let bench = Bench::new(patient());
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    works(&bench, &bad).await;
    bench.spans.take_items();
    let (report, grown) = watched(&bench, misbehave(&bad, "logs", false)).await;
    receipt(&report);
    let items = bench.spans.take_items();
    let logs = items.iter().filter(|item| matches!(item, SpanItem::Log { message, .. } if message.len() == 1_024)).count();
    let events = items.iter().filter(|item| matches!(item, SpanItem::Event { .. })).count();
    assert_eq!((logs, events), (256, 64));
    assert_eq!(dropped(&items), [("events", "limit", 33_334 - 64), ("logs", "limit", 100_000 - 256)]);
    // The guest said more than 130 MB.
    assert!(grown < 16 << 10, "the process grew by {grown} KiB");
    works(&bench, &bad).await;
}

/// Makes a call, and by how many KiB the process was larger meanwhile than before, at the most.
async fn watched(bench: &Bench, call: Call) -> (CallReport, u64) {
    let before = resident("VmRSS:");
    // Resets the peak, see proc_pid_clear_refs(5).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let report = bench.call(call).await;
    (report, resident("VmHWM:").saturating_sub(before))
}

/// A figure of this process in KiB.
fn resident(which: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn huge_attributes_are_cut_or_dropped_and_counted_and_take_no_memory() {
    let _alone = MEMORY.write().await;
    let element = Element::start();
    let bench = Bench::new(patient());
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    works(&bench, &bad).await;
    bench.spans.take_items();
    let (report, grown) = watched(&bench, misbehave(&bad, "attributes", false)).await;
    receipt(&report);
    // A key and a value of a megabyte and a list of 100,000 elements cross one after the other; the guest's own memory is counted too.
    assert!(grown < 16 << 10, "the process grew by {grown} KiB");
    assert_eq!(report.attributes.len(), 64);
    for (key, value) in &report.attributes {
        let fits = match value {
            AttributeValue::Text(text) => text.len() == 1_024,
            AttributeValue::Texts(texts) => texts.len() == 64,
            AttributeValue::Flag(_) | AttributeValue::Int(_) | AttributeValue::Float(_) => true,
        };
        assert!(fits && key.len() <= 64, "{key}");
    }
    let expected =
        [("attributes", "invalid_key", 1), ("attributes", "limit", 10_000 - 62), ("attributes", "not_finite", 1), ("attributes", "reserved_key", 1)];
    assert_eq!(dropped(&bench.spans.take_items()), expected);
}

#[tokio::test]
async fn the_message_of_a_panic_survives_a_flood_of_standard_error() {
    let _shared = MEMORY.read().await;
    let element = Element::start();
    let bench = Bench::new(patient());
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    let report = bench.call(misbehave(&bad, "stderr", false)).await;
    let (class, error_type, message) = failed(&report);
    assert_eq!((class, error_type), (FailureClass::Unavailable, "plugin.trap"));
    assert!(message.len() <= 8_192 && message.contains("this came last"), "{message}");
    works(&bench, &bad).await;
}

#[tokio::test]
async fn too_many_keys_and_requests_are_refused_by_an_answer() {
    let _shared = MEMORY.read().await;
    let element = Element::start();
    let bench = Bench::new(patient());
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    let report = bench.call(misbehave(&bad, "keys", false)).await;
    let (class, error_type, message) = failed(&report);
    assert_eq!((class, error_type), (FailureClass::Rejected, "store"), "{message}");
    assert!(message.contains("a call may make at most 1000 operations (keyvalue_operations)"), "{message}");
    assert!(report.writes.is_empty());

    let report = bench.call(misbehave(&bad, "requests", false)).await;
    let (class, error_type, message) = failed(&report);
    assert_eq!((class, error_type), (FailureClass::Rejected, "plugin.denied"), "{message}");
    assert!(message.contains("the call made as many as it may (http_requests)"), "{message}");
    works(&bench, &bad).await;
}
