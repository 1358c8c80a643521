//! The limits of the contract's section 10: whatever is said, memory stays flat and what was refused is counted. A process of its own, whose memory is
//! looked at; its tests take turns.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{
    fs,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{
    call::{call, end},
    history::{History, two_items},
    options, receiver,
    store::MemoryStore,
};
use engine::port::{LogLevel, OwnedTransition, Position, SpanItem};
use pipeline::{AttributeValue, Definition, Direction, Failure, FailureClass, Measurement, Transition, Verdict};
use serde_json::json;
use telemetry::{ExporterOptions, Target, Telemetry};

const LONG: Duration = Duration::from_secs(60);
/// More than any of this may take, in KiB; what is said is a multiple of it.
const FLAT: u64 = 8 << 10;

/// One test at a time, so that the memory is its own.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// By how many KiB the process was larger during `work` than before, at the most.
async fn growth(work: impl Future<Output = ()>) -> u64 {
    let before = status("VmRSS:");
    // Resets the peak, see proc_pid_clear_refs(5).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    work.await;
    status("VmHWM:").saturating_sub(before)
}

/// A figure of this process in KiB.
fn status(which: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(which)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The lines of `/metrics` of one family, their number and the sum of their values.
fn family(telemetry: &Telemetry, name: &str) -> (usize, u64, String) {
    let text = telemetry.metrics_text();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with(name) && line[name.len()..].starts_with('{')).collect();
    let overflow = lines.iter().find(|line| line.contains("otel_metric_overflow=\"true\"")).map_or("", |line| line);
    (lines.len(), lines.iter().map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum(), overflow.to_owned())
}

/// An order that is counted and timed under a label value of its own.
fn measured(transition: &Transition<'_>) -> Vec<Measurement> {
    let value = transition.after.input()["value"].as_str().unwrap().to_owned();
    let count = vec![("type", value.clone()), ("status", "submitted".to_owned())];
    let step = vec![("step", value)];
    vec![
        Measurement { instrument: "bss.order.count", value: 1.0, labels: count },
        Measurement { instrument: "bss.order.step_duration", value: 5.0, labels: step },
    ]
}

fn started(definition: &Arc<Definition>, number: u64, value: String) -> OwnedTransition {
    let mut transition = History::start(definition, number, json!({ "value": value })).transitions.remove(0);
    transition.position = Position(number);
    transition
}

async fn show(telemetry: &Telemetry, definition: &Arc<Definition>, numbers: std::ops::Range<u64>) {
    let observers = telemetry.observers();
    let metrics = observers.iter().find(|observer| observer.name() == "telemetry.metrics").unwrap();
    for number in numbers {
        // A kilobyte and more each, so that values that were kept would be seen.
        let value = format!("{number}-{}", "v".repeat(2000));
        metrics.observe(&[started(definition, number, value)]).await.unwrap();
        telemetry.calls().begin(&call(false)).end(end(Some(&format!("acme.code_{number}"))));
    }
    assert!(telemetry.flush(LONG).await);
}

#[tokio::test]
#[allow(clippy::await_holding_lock, reason = "the other tests wait for their turn on threads of their own")]
async fn ten_thousand_label_values_are_one_series_beyond_the_limit() {
    let _turn = alone();
    let mut definition = (*common::definition::order()).clone();
    definition.measure = measured;
    let definition = Arc::new(definition);
    let store = Arc::<MemoryStore>::default();
    let telemetry = Telemetry::start(options(&store, Vec::new())).await.unwrap();
    // Up to the limit series cost memory; beyond it nothing does.
    show(&telemetry, &definition, 1..2_500).await;
    let grown = growth(show(&telemetry, &definition, 2_500..12_500)).await;
    assert!(grown < FLAT, "the process grew by {grown} KiB");
    for name in ["bss_order_count_total", "bss_order_step_duration_milliseconds_count", "plugin_call_duration_seconds_count"] {
        let (series, sum, overflow) = family(&telemetry, name);
        assert_eq!(sum, 12_499, "{name}: nothing is lost");
        // The series that was declared and those that are bound beforehand come on top.
        assert!((1_900..=2_010).contains(&series), "{name} has {series} series");
        assert!(!overflow.is_empty() && !overflow.ends_with(" 0"), "{name}: {overflow}");
    }
    let tallies = store.tallies.lock().unwrap().len();
    assert!(tallies <= 2_010, "the store has {tallies} counters");
    assert!(store.tallies.lock().unwrap().keys().flat_map(|(_, labels)| labels).all(|(_, value)| value.len() <= 1024));
}

#[tokio::test]
#[allow(clippy::await_holding_lock, reason = "the other tests wait for their turn on threads of their own")]
async fn values_of_a_megabyte_are_cut_wherever_they_come_from() {
    let _turn = alone();
    let (received, url) = receiver::http().await;
    let telemetry =
        Telemetry::start(options(&Arc::default(), vec![ExporterOptions::new("main", Target::OtlpHttp { endpoint: Some(url) })])).await.unwrap();
    let huge = || "ä".repeat(1 << 19);
    let mut input = two_items();
    input["id"] = huge().into();
    input["items"][0]["type"] = huge().into();
    let mut history = History::start(&common::definition::order(), 1, input);
    history.drive(0, |attempt| match (attempt.direction, attempt.item.item) {
        (Direction::Undo, _) => Verdict::Undone,
        (Direction::Do, 1) => Verdict::Failed(Failure::new(FailureClass::Rejected, "no_inventory", format!("{}\n{}", huge(), huge()))),
        (Direction::Do, _) => common::history::done(&huge()),
    });
    for observer in telemetry.observers() {
        observer.observe(&history.transitions).await.unwrap();
    }
    let mut span = telemetry.calls().begin(&call(true));
    span.record(SpanItem::Attributes(vec![
        ("acme.long".to_owned(), huge().into()),
        ("acme.list".to_owned(), AttributeValue::Texts(vec![huge(); 3])),
    ]));
    span.record(SpanItem::Event { name: "acme.long".to_owned(), attributes: vec![("acme.long".to_owned(), huge().into())] });
    span.record(SpanItem::Log { level: LogLevel::Info, message: huge(), attributes: vec![("acme.long".to_owned(), huge().into())] });
    let mut failed = end(Some("plugin.trap"));
    failed.error_message = Some(huge());
    span.end(failed);
    assert!(telemetry.flush(LONG).await);
    let spans = received.spans();
    assert!(spans.len() > 5);
    for span in &spans {
        let size = prost::Message::encoded_len(span);
        assert!(size < 16 << 10, "{} has {size} bytes", span.name);
        assert!(span.name.len() <= 128 && span.status.as_ref().is_none_or(|status| status.message.len() <= 256));
    }
    assert!(received.logs().iter().all(|log| prost::Message::encoded_len(log) < 4 << 10));
    let longest = spans.iter().flat_map(|span| &span.attributes).map(prost::Message::encoded_len).max().unwrap();
    assert!(longest > 1000, "nothing was long: {longest}");
    assert!(telemetry.health().guest_items_dropped >= 4, "{:?}", telemetry.health());
}

#[tokio::test]
#[allow(clippy::await_holding_lock, reason = "the other tests wait for their turn on threads of their own")]
async fn a_call_that_says_a_hundred_thousand_things_takes_no_memory() {
    let _turn = alone();
    let (received, url) = receiver::http().await;
    let telemetry =
        Telemetry::start(options(&Arc::default(), vec![ExporterOptions::new("main", Target::OtlpHttp { endpoint: Some(url) })])).await.unwrap();
    let flood = async {
        let mut span = telemetry.calls().begin(&call(true));
        for number in 0..100_000_i64 {
            let attributes = || vec![(format!("acme.key_{number}"), AttributeValue::from("v".repeat(500).as_str()))];
            span.record(SpanItem::Attributes(attributes()));
            span.record(SpanItem::Event { name: "acme.flood".to_owned(), attributes: attributes() });
            span.record(SpanItem::Log { level: LogLevel::Info, message: "l".repeat(500), attributes: attributes() });
        }
        span.end(end(None));
        assert!(telemetry.flush(LONG).await);
    };
    let grown = growth(flood).await;
    // The call said 200 MB.
    assert!(grown < FLAT, "the process grew by {grown} KiB");
    let span = received.spans().remove(0);
    assert!(span.attributes.len() <= 11 + 64 && span.events.len() <= 64, "{} {}", span.attributes.len(), span.events.len());
    assert!(prost::Message::encoded_len(&span) < 100 << 10);
    let kept = span.attributes.len() - 11 + span.events.len() + received.logs().len();
    let (_, dropped, _) = family(&telemetry, "plugin_telemetry_dropped_total");
    assert_eq!(dropped, telemetry.health().guest_items_dropped);
    // What was dropped with its event or record is not counted apart; an item that was kept without its attributes is counted for these.
    assert!((300_000 - kept as u64..=300_000 + kept as u64).contains(&dropped), "{dropped} were dropped and {kept} kept");
}
