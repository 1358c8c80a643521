//! Metrics: durable counters, histograms with the contract's boundaries, observed figures, names and units.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use common::{history::completed, options, receiver, store::MemoryStore};
use engine::port::RunState;
use expect_test::expect;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, Metric, metric::Data, number_data_point::Value};
use pipeline::{Measurement, PipelineName};
use telemetry::{Census, ExporterOptions, Target, Telemetry, Units};

const LONG: Duration = Duration::from_secs(30);

/// Lines of `/metrics` that contain `part`.
fn lines(telemetry: &Telemetry, part: &str) -> Vec<String> {
    telemetry.metrics_text().lines().filter(|line| line.contains(part) && !line.starts_with('#')).map(str::to_owned).collect()
}

async fn observe(telemetry: &Telemetry, number: u64) {
    let observers = telemetry.observers();
    let metrics = observers.iter().find(|observer| observer.name() == "telemetry.metrics").unwrap();
    let history = completed(number);
    let mut transitions = history.transitions;
    let base = (number - 1) * 100;
    transitions.iter_mut().for_each(|transition| transition.position.0 += base);
    metrics.observe(&transitions).await.unwrap();
}

#[tokio::test]
async fn counters_equal_the_store_and_go_on_over_restarts() {
    let store = Arc::<MemoryStore>::default();
    let counted = |telemetry: &Telemetry| lines(telemetry, "bss_order_count_total");
    let telemetry = Telemetry::start(options(&store, Vec::new())).await.unwrap();
    let zero = r#"bss_order_count_total{otel_scope_name="bss.order_management",status="completed",type="add"} 0"#;
    assert_eq!(counted(&telemetry), [zero], "a series that was declared is there before anything happened");
    observe(&telemetry, 1).await;
    assert!(telemetry.shutdown(LONG).await);
    let telemetry = Telemetry::start(options(&store, Vec::new())).await.unwrap();
    observe(&telemetry, 2).await;
    assert!(telemetry.flush(LONG).await);
    let expected = |status, count| format!(r#"bss_order_count_total{{otel_scope_name="bss.order_management",status="{status}",type="add"}} {count}"#);
    assert_eq!(counted(&telemetry), [expected("completed", 2), expected("submitted", 2)]);
    let stored: f64 = store.tallies.lock().unwrap().iter().filter(|((name, _), _)| name == "bss.order.count").map(|(_, value)| value).sum();
    assert!((stored - 4.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn what_is_shown_twice_counts_once_and_nothing_runs_ahead_of_the_store() {
    let store = Arc::<MemoryStore>::default();
    let telemetry = Telemetry::start(options(&store, Vec::new())).await.unwrap();
    store.full.store(true, Ordering::SeqCst);
    observe(&telemetry, 1).await;
    assert!(telemetry.flush(LONG).await);
    assert!(lines(&telemetry, "bss_order_count_total").iter().all(|line| line.ends_with(" 0")), "the store does not have it yet");
    store.full.store(false, Ordering::SeqCst);
    observe(&telemetry, 1).await;
    assert!(telemetry.flush(LONG).await);
    assert!(lines(&telemetry, "bss_order_count_total").iter().all(|line| line.ends_with(" 1")));
    assert_eq!(lines(&telemetry, "bss_order_duration_seconds_count").len(), 1);
    assert!(lines(&telemetry, "bss_order_duration_seconds_count")[0].ends_with(" 1"));
}

#[tokio::test]
async fn the_count_of_a_histogram_that_was_declared_is_there_before_anything_was_recorded() {
    let mut options = options(&Arc::default(), Vec::new());
    options.zero_series.push(Measurement { instrument: "bss.order.duration", value: 0.0, labels: vec![("type", "add".to_owned())] });
    let telemetry = Telemetry::start(options).await.unwrap();
    let counted = |count| format!(r#"bss_order_duration_seconds_count{{otel_scope_name="bss.order_management",type="add"}} {count}"#);
    assert_eq!(lines(&telemetry, "bss_order_duration_seconds_count"), [counted(0)]);
    observe(&telemetry, 1).await;
    assert_eq!(lines(&telemetry, "bss_order_duration_seconds_count"), [counted(1)]);
}

#[tokio::test]
async fn figures_in_progress_are_observed() {
    let telemetry = Telemetry::start(options(&Arc::default(), Vec::new())).await.unwrap();
    expect![[r#"
        [
            "bss_order_in_progress{otel_scope_name=\"bss.order_management\",state=\"fallout\"} 1",
            "bss_order_in_progress{otel_scope_name=\"bss.order_management\",state=\"submitted\"} 2",
        ]
    "#]]
    .assert_debug_eq(&lines(&telemetry, "bss_order_in_progress"));
    assert_eq!(lines(&telemetry, "pipeline_run_active").len(), 6);
}

#[tokio::test]
async fn a_figure_that_is_kept_in_memory_is_told_as_it_is_now() {
    let telemetry = Telemetry::start(options(&Arc::default(), Vec::new())).await.unwrap();
    let sessions = || ["cpe_provision_active_sessions", "cpe_provision_session_limit"].map(|name| lines(&telemetry, name)).concat();
    // Runs of devices that wait for their next session are no sessions.
    assert!(sessions().is_empty(), "nobody has told it yet: {:?}", sessions());
    let open = Arc::new(AtomicU64::new(0));
    let counted = open.clone();
    telemetry.observe("cpe.provision.active_sessions", Arc::new(move || counted.load(Ordering::SeqCst)));
    telemetry.observe("cpe.provision.session.limit", Arc::new(|| 10_000));
    for count in [0, 3, 1] {
        open.store(count, Ordering::SeqCst);
        let scope = "{otel_scope_name=\"cpe.acs\"}";
        assert_eq!(sessions(), [format!("cpe_provision_active_sessions{scope} {count}"), format!("cpe_provision_session_limit{scope} 10000")]);
    }
}

/// A census that fails in the worst way.
#[derive(Debug)]
struct Broken;

impl Census for Broken {
    fn runs(&self) -> Option<Vec<(PipelineName, RunState, u64)>> {
        panic!("the census is broken")
    }
}

#[tokio::test]
async fn a_census_that_panics_does_not_stop_the_other_metrics() {
    let mut options = options(&Arc::default(), Vec::new());
    options.census = Arc::new(Broken);
    let telemetry = Telemetry::start(options).await.unwrap();
    telemetry.observe("cpe.provision.session.limit", Arc::new(|| panic!("the gauge is broken")));
    assert!(lines(&telemetry, "cpe_provision_session_limit").is_empty());
    assert!(lines(&telemetry, "bss_order_in_progress").is_empty());
    assert_eq!(lines(&telemetry, "bss_order_count_total").len(), 1);
}

#[tokio::test]
async fn the_profile_semconv_changes_units_and_values() {
    for (units, sum, bound) in [
        (Units::Seed, "bss_order_step_duration_milliseconds_sum", "le=\"3600000\""),
        (Units::Semconv, "bss_order_step_duration_seconds_sum", "le=\"3600\""),
    ] {
        let mut options = options(&Arc::default(), Vec::new());
        options.units = units;
        let telemetry = Telemetry::start(options).await.unwrap();
        observe(&telemetry, 1).await;
        let line = lines(&telemetry, sum).remove(0);
        let value: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
        // The step took 5 ms.
        assert!((value - if units == Units::Seed { 5.0 } else { 0.005 }).abs() < 1e-9, "{line}");
        assert_eq!(lines(&telemetry, "bss_order_step_duration").iter().filter(|line| line.contains(bound)).count(), 1);
    }
}

#[tokio::test]
async fn too_many_label_values_become_one_series() {
    let store = Arc::<MemoryStore>::default();
    let mut options = options(&store, Vec::new());
    options.delivery.max_series = 1;
    let telemetry = Telemetry::start(options).await.unwrap();
    observe(&telemetry, 1).await;
    assert!(telemetry.flush(LONG).await);
    assert_eq!(lines(&telemetry, "bss_order_count_total").len(), 2);
    assert_eq!(lines(&telemetry, "otel_metric_overflow=\"true\"").len(), 1);
}

#[tokio::test]
async fn what_is_pushed_has_the_contracts_names_units_and_kinds() {
    let (received, url) = receiver::http().await;
    let telemetry =
        Telemetry::start(options(&Arc::default(), vec![ExporterOptions::new("main", Target::OtlpHttp { endpoint: Some(url) })])).await.unwrap();
    observe(&telemetry, 1).await;
    assert!(telemetry.flush(LONG).await);
    let request = received.metrics().pop().unwrap();
    let metric = |name: &str| -> Metric {
        let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        scopes.flat_map(|scope| &scope.metrics).find(|metric| metric.name == name).unwrap().clone()
    };
    let count = metric("bss.order.count");
    assert_eq!((count.unit.as_str(), count.description.as_str()), ("{order}", "Number of orders by type and status"));
    let Some(Data::Sum(sum)) = count.data else { panic!("a counter is a sum") };
    assert!(sum.is_monotonic && sum.aggregation_temporality == AggregationTemporality::Cumulative as i32);
    // The protocol has signed integers only.
    assert!(sum.data_points.iter().all(|point| point.value == Some(Value::AsInt(1))));
    let Some(Data::Histogram(duration)) = metric("bss.order.duration").data else { panic!("a duration is a histogram") };
    assert_eq!(duration.data_points[0].explicit_bounds.len(), 15);
    assert_eq!(duration.data_points[0].explicit_bounds[11], 86_400.0);
    let Some(Data::Sum(progress)) = metric("bss.order.in_progress").data else { panic!("an up-down counter is a sum") };
    assert!(!progress.is_monotonic);
}

#[tokio::test]
async fn the_page_for_prometheus() {
    let telemetry = Telemetry::start(options(&Arc::default(), Vec::new())).await.unwrap();
    observe(&telemetry, 1).await;
    assert!(telemetry.flush(LONG).await);
    let text = telemetry.metrics_text();
    let order: Vec<_> = text.lines().filter(|line| line.contains("bss_order_duration") || line.contains("bss_order_count")).collect();
    expect![[r##"
        # HELP bss_order_count_total Number of orders by type and status
        # TYPE bss_order_count_total counter
        bss_order_count_total{otel_scope_name="bss.order_management",status="completed",type="add"} 1
        bss_order_count_total{otel_scope_name="bss.order_management",status="submitted",type="add"} 1
        # HELP bss_order_duration_seconds End-to-end order fulfillment duration
        # TYPE bss_order_duration_seconds histogram
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="60"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="300"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="900"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="1800"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="3600"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="7200"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="14400"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="28800"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="43200"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="57600"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="72000"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="86400"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="172800"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="259200"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="604800"} 1
        bss_order_duration_seconds_bucket{otel_scope_name="bss.order_management",type="add",le="+Inf"} 1
        bss_order_duration_seconds_sum{otel_scope_name="bss.order_management",type="add"} 0.08
        bss_order_duration_seconds_count{otel_scope_name="bss.order_management",type="add"} 1"##]]
    .assert_eq(&order.join("\n"));
}
