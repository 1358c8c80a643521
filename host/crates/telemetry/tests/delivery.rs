//! Delivery over real HTTP, real gRPC and files: at least once, in bounded memory, with what was lost counted.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod common;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use common::{
    history::{History, completed},
    options, receiver,
    store::MemoryStore,
};
use engine::port::{Observer, OwnedTransition, Position};
use opentelemetry_proto::tonic::{collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span};
use telemetry::{ExporterOptions, Target, Telemetry};

const LONG: Duration = Duration::from_secs(30);

async fn start(store: &Arc<MemoryStore>, exporters: Vec<ExporterOptions>) -> Telemetry {
    Telemetry::start(options(store, exporters)).await.unwrap()
}

fn http(url: &str) -> ExporterOptions {
    ExporterOptions::new("main", Target::OtlpHttp { endpoint: Some(url.to_owned()) })
}

fn grpc(url: &str) -> ExporterOptions {
    ExporterOptions::new("main", Target::OtlpGrpc { endpoint: Some(url.to_owned()) })
}

/// Shows a history to every observer, as the engine does: from the observer's cursor.
async fn show(telemetry: &Telemetry, transitions: &[OwnedTransition]) {
    for observer in telemetry.observers() {
        show_one(&*observer, transitions).await;
    }
}

async fn show_one(observer: &dyn Observer, transitions: &[OwnedTransition]) {
    let cursor = observer.cursor().await.unwrap();
    let rest: Vec<_> = transitions.iter().filter(|transition| transition.position > cursor).cloned().collect();
    observer.observe(&rest).await.unwrap();
}

fn names(spans: &[Span]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

const ORDER: [&str; 7] = [
    "bss.order.submitted",
    "bss.order.decompose",
    "bss.inventory.allocate.port",
    "bss.inventory.allocate.vlan",
    "bss.order.allocate_inventory",
    "bss.order.activate",
    "bss.order.lifecycle",
];

async fn arrives(received: receiver::Received, mut exporter: ExporterOptions) {
    let store = Arc::<MemoryStore>::default();
    exporter.headers.insert("x-tenant".to_owned(), "acme".to_owned());
    let telemetry = start(&store, vec![exporter]).await;
    let history = completed(1);
    show(&telemetry, &history.transitions).await;
    assert!(telemetry.flush(LONG).await);
    assert_eq!(names(&received.spans()), ORDER);
    assert_eq!(store.cursor("telemetry.spans.main"), history.transitions.len() as u64);
    assert!(received.headers().iter().all(|header| header == "acme") && !received.headers().is_empty());
    let scope = &received.traces()[0].resource_spans[0].scope_spans[0].scope.clone().unwrap();
    assert_eq!((scope.name.as_str(), scope.version.as_str()), ("bss.order_management", env!("CARGO_PKG_VERSION")));
    let health = telemetry.health().exporters.remove(0);
    assert_eq!((health.ok, health.spans_exported, health.spans_lost, health.last_error), (true, 7, 0, None));
    assert!(!received.metrics().is_empty(), "a flush pushes metrics too");
    assert!(telemetry.shutdown(LONG).await);
}

#[tokio::test]
async fn an_order_arrives_over_http() {
    let (received, url) = receiver::http().await;
    arrives(received, http(&url)).await;
}

#[tokio::test]
async fn an_order_arrives_over_grpc() {
    let (received, url) = receiver::grpc().await;
    arrives(received, grpc(&url)).await;
}

#[tokio::test]
async fn an_order_arrives_in_a_file_and_at_a_receiver_at_once() {
    let (received, url) = receiver::http().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/spans.jsonl");
    let file = ExporterOptions::new(
        "file",
        Target::File { traces: path.clone(), metrics: Some(directory.path().join("metrics.jsonl")), logs: None, max_bytes: 1 << 20 },
    );
    let telemetry = start(&Arc::default(), vec![http(&url), file]).await;
    show(&telemetry, &completed(1).transitions).await;
    assert!(telemetry.flush(LONG).await);
    let text = std::fs::read_to_string(path).unwrap();
    let requests: Vec<ExportTraceServiceRequest> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let spans: Vec<Span> = requests
        .iter()
        .flat_map(|request| &request.resource_spans)
        .flat_map(|resource| &resource.scope_spans)
        .flat_map(|scope| scope.spans.clone())
        .collect();
    assert_eq!(spans, received.spans(), "both have the same spans, byte for byte");
    assert!(std::fs::read_to_string(directory.path().join("metrics.jsonl")).unwrap().contains("bss.order.count"));
}

#[tokio::test]
async fn a_file_that_is_full_is_put_aside() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spans.jsonl");
    let store = Arc::<MemoryStore>::default();
    let telemetry =
        start(&store, vec![ExporterOptions::new("file", Target::File { traces: path.clone(), metrics: None, logs: None, max_bytes: 5000 })]).await;
    let history = completed(1);
    for number in 1..4 {
        let mut again = history.transitions.clone();
        again.iter_mut().for_each(|transition| transition.position = Position(transition.position.0 + number * 100));
        show(&telemetry, &again).await;
        assert!(telemetry.flush(LONG).await);
    }
    let old = std::fs::read_to_string(directory.path().join("spans.jsonl.1")).unwrap();
    assert!(
        old.lines().chain(std::fs::read_to_string(path).unwrap().lines()).all(|line| serde_json::from_str::<ExportTraceServiceRequest>(line).is_ok())
    );
}

#[tokio::test]
async fn a_receiver_that_is_down_for_a_while_gets_everything_in_the_end() {
    let (over_http, over_grpc) = (receiver::http().await, receiver::grpc().await);
    for (received, exporter) in [(over_http.0, http(&over_http.1)), (over_grpc.0, grpc(&over_grpc.1))] {
        let store = Arc::<MemoryStore>::default();
        let telemetry = start(&store, vec![exporter]).await;
        received.refuse(3);
        show(&telemetry, &completed(1).transitions).await;
        assert!(telemetry.flush(LONG).await);
        assert_eq!(names(&received.spans()), ORDER);
        let health = telemetry.health().exporters.remove(0);
        assert_eq!((health.ok, health.exports_failed, health.spans_lost), (true, 3, 0));
    }
}

#[tokio::test]
async fn spans_that_were_not_exported_are_exported_by_the_next_process() {
    let (received, url) = receiver::http().await;
    let store = Arc::<MemoryStore>::default();
    let history = completed(1);
    received.refuse(u64::MAX);
    let telemetry = start(&store, vec![http(&url)]).await;
    show(&telemetry, &history.transitions).await;
    assert!(!telemetry.shutdown(Duration::from_millis(100)).await, "nobody took the spans");
    assert_eq!(store.cursor("telemetry.spans.main"), 0);
    received.refuse(0);
    let telemetry = start(&store, vec![http(&url)]).await;
    show(&telemetry, &history.transitions).await;
    assert!(telemetry.flush(LONG).await);
    assert_eq!(names(&received.spans()), ORDER);
}

#[tokio::test]
async fn spans_that_are_exported_again_are_the_same_byte_for_byte() {
    let (received, url) = receiver::http().await;
    let history = completed(1);
    for _ in 0..2 {
        // The second process finds no saved cursor.
        let telemetry = start(&Arc::default(), vec![http(&url)]).await;
        show(&telemetry, &history.transitions).await;
        assert!(telemetry.flush(LONG).await);
    }
    let spans = received.spans();
    assert_eq!(spans.len(), 14);
    assert_eq!(spans[..7], spans[7..]);
}

#[tokio::test]
async fn a_batch_that_nobody_takes_is_given_up_and_counted() {
    let (received, url) = receiver::http().await;
    let store = Arc::<MemoryStore>::default();
    received.refuse(u64::MAX);
    let mut options = options(&store, vec![http(&url)]);
    options.delivery.give_up_after = Duration::from_millis(30);
    let telemetry = Telemetry::start(options).await.unwrap();
    let history = completed(1);
    show(&telemetry, &history.transitions).await;
    assert!(telemetry.flush(LONG).await);
    assert_eq!(store.cursor("telemetry.spans.main"), history.transitions.len() as u64);
    let health = telemetry.health().exporters.remove(0);
    assert_eq!((health.ok, health.spans_exported, health.spans_lost), (false, 0, 7));
    assert!(health.last_error.is_some());
    assert!(telemetry.metrics_text().contains(r#"otel_sdk_exporter_span_exported_total{error_type="_OTHER",otel_component_name="main",otel_component_type="otlp-http",otel_scope_name="jackfield.host"} 7"#));
}

#[tokio::test]
async fn while_a_receiver_is_down_memory_is_bounded_and_the_feed_waits() {
    let (received, url) = receiver::http().await;
    received.refuse(u64::MAX);
    let mut options = options(&Arc::default(), vec![http(&url)]);
    options.delivery.max_batch = 7;
    let telemetry = Telemetry::start(options).await.unwrap();
    let observer = telemetry.observers().remove(0);
    let history = completed(1);
    let shown = Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = shown.clone();
    let feed = tokio::spawn(async move {
        for _ in 0..100 {
            observer.observe(&history.transitions).await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    // The feed stands still when the batch in hand and the queue are full.
    let mut before = u64::MAX;
    while before != shown.load(Ordering::SeqCst) || before == 0 {
        before = shown.load(Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(before < 12, "{before} orders are in memory");
    received.refuse(0);
    feed.await.unwrap();
    assert!(telemetry.flush(LONG).await);
    assert_eq!(received.spans().len(), 700);
}

#[tokio::test]
async fn nothing_leaves_the_process_without_exporters() {
    let telemetry = start(&Arc::default(), Vec::new()).await;
    show(&telemetry, &completed(1).transitions).await;
    assert!(telemetry.flush(LONG).await);
    assert!(telemetry.health().exporters.is_empty());
    assert!(telemetry.metrics_text().contains("bss_order_count_total"));
}

#[tokio::test]
async fn two_exporters_of_one_name_are_refused() {
    let error = Telemetry::start(options(&Arc::default(), vec![http("http://127.0.0.1:1"), grpc("http://127.0.0.1:1")])).await.unwrap_err();
    assert_eq!(error.to_string(), "two exporters are called `main`; their names must differ because each keeps its own place");
}

#[tokio::test]
async fn an_attempt_lost_by_an_earlier_process_ends_at_the_same_time_whenever_it_is_projected() {
    use pipeline::{Epoch, Event, StepName, Timestamp, testing};
    let mut history = History::start(&common::definition::order(), 1, common::history::two_items());
    let item = pipeline::ScheduledItem { label: String::new(), request: Arc::new(serde_json::json!({})), pin: None };
    history.push(10, testing::scheduled(StepName::new("decompose").unwrap(), 1, vec![item]));
    let lost = Event::AttemptLost { attempt: common::history::attempt("decompose", 0, 1), started_at: Timestamp(1_010_000) };
    let mut record = testing::record(history.run(), 9_000_000, lost);
    record.epoch = Epoch(2);
    history.append(record);
    let (received, url) = receiver::http().await;
    let store = Arc::<MemoryStore>::default();
    for (epoch, life) in [(2, 4_000_000), (3, 9_500_000)] {
        let mut options = options(&store, vec![http(&url)]);
        (options.epoch, options.last_sign_of_life) = (Epoch(epoch), Timestamp(life));
        let telemetry = Telemetry::start(options).await.unwrap();
        telemetry.observers()[0].observe(&history.transitions[2..]).await.unwrap();
        assert!(telemetry.flush(LONG).await);
    }
    let ends: Vec<_> = received.spans().iter().map(|span| span.end_time_unix_nano).collect();
    assert_eq!(ends, [4_000_000_000, 4_000_000_000]);
}
