//! Every metric that this release has, the SDK's own among them: there, in its scope, with its unit, its labels and its buckets. A process of its own:
//! the SDK counts through the one global provider of meters.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use common::{
    call::{call, end},
    history::{completed, unwound},
    options, receiver,
};
use engine::port::SpanItem;
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    metrics::v1::{Metric, metric::Data, number_data_point::Value},
};
use pipeline::Measurement;
use telemetry::{
    ExporterOptions, Target, Telemetry, Units,
    checker::check_metrics,
    registry::{self, Instrument},
};

const LONG: Duration = Duration::from_secs(60);

/// What the last export brought: scope and metric.
fn last(requests: &[ExportMetricsServiceRequest]) -> Vec<(String, Metric)> {
    let scopes = requests.last().unwrap().resource_metrics.iter().flat_map(|resource| resource.scope_metrics.clone());
    scopes.flat_map(|scope| scope.metrics.into_iter().map(move |metric| (scope.scope.clone().unwrap_or_default().name, metric))).collect()
}

fn find<'a>(metrics: &'a [(String, Metric)], name: &str) -> &'a (String, Metric) {
    metrics.iter().find(|(_, metric)| metric.name == name).unwrap_or_else(|| panic!("{name} is missing"))
}

fn labels(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> BTreeSet<&str> {
    attributes.iter().map(|attribute| attribute.key.as_str()).collect()
}

/// The sum of the points of a counter that have this `error.type`, or none.
fn sum(metric: &Metric, error_type: Option<&str>) -> i64 {
    let Some(Data::Sum(sum)) = &metric.data else { panic!("{} is no sum", metric.name) };
    let points = sum.data_points.iter().filter(|point| {
        let found = point.attributes.iter().find(|attribute| attribute.key == "error.type").and_then(|attribute| attribute.value.clone()?.value);
        match (found, error_type) {
            (None, None) => true,
            (Some(opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(found)), Some(expected)) => found == expected,
            (Some(_), _) | (None, Some(_)) => false,
        }
    });
    points.map(|point| if let Some(Value::AsInt(value)) = point.value { value } else { 0 }).sum()
}

#[tokio::test]
async fn every_metric_of_this_release_is_there_as_the_contract_has_it() {
    let (received, url) = receiver::http().await;
    let mut options = options(&Arc::default(), vec![ExporterOptions::new("main", Target::OtlpHttp { endpoint: Some(url) })]);
    options.zero_series.push(Measurement { instrument: "bss.order.fallout", value: 0.0, labels: vec![("reason", "no_inventory".to_owned())] });
    // So short a queue that it overflows.
    (options.delivery.live_queue, options.delivery.max_batch) = (4, 4);
    let telemetry = Telemetry::start(options).await.unwrap();
    let losses = telemetry
        .metrics_text()
        .lines()
        .filter(|line| line.starts_with("otel_sdk_processor_span_processed_total{error_type=\"queue_full\""))
        .map(|line| line.ends_with(" 0"))
        .collect::<Vec<_>>();
    assert_eq!(losses, [true], "the first loss can be seen as one");
    for (number, mut history) in [completed(1), unwound(2)].into_iter().enumerate() {
        history.transitions.iter_mut().for_each(|transition| transition.position.0 += 100 * number as u64);
        for observer in telemetry.observers() {
            observer.observe(&history.transitions).await.unwrap();
        }
    }
    let calls = 20_000;
    for number in 0..calls {
        let mut span = telemetry.calls().begin(&call(true));
        if number == 0 {
            span.record(SpanItem::Attributes(vec![("plugin.name".to_owned(), "forged".into())]));
        }
        span.end(end((number % 2 == 1).then_some("plugin.trap")));
    }
    let open = telemetry.calls().begin(&call(true));
    assert!(telemetry.flush(LONG).await);
    assert!(telemetry.flush(LONG).await, "the second export tells of the first one's spans");
    drop(open);

    let requests = received.metrics();
    let found: Vec<_> = check_metrics(&requests, Units::Seed).iter().map(ToString::to_string).collect();
    assert_eq!(found, [""; 0]);
    let metrics = last(&requests);
    // Those of pipelines that this release does not have are declared and have no points.
    for row in registry::metrics().iter().filter(|row| !row.name.starts_with("cpe.") && !row.name.starts_with("tenant.")) {
        let (scope, metric) = find(&metrics, row.name);
        assert_eq!((scope.as_str(), metric.unit.as_str(), metric.description.as_str()), (row.scope, row.unit, row.brief));
        let required: BTreeSet<&str> = row.required.iter().copied().collect();
        let points: Vec<BTreeSet<&str>> = match metric.data.as_ref().unwrap() {
            Data::Sum(sum) => sum.data_points.iter().map(|point| labels(&point.attributes)).collect(),
            Data::Histogram(histogram) => {
                assert!(histogram.data_points.iter().all(|point| point.explicit_bounds == row.boundaries), "{}", row.name);
                histogram.data_points.iter().map(|point| labels(&point.attributes)).collect()
            }
            Data::Gauge(_) | Data::ExponentialHistogram(_) | Data::Summary(_) => panic!("{} is of another kind", row.name),
        };
        assert!(!points.is_empty() && points.iter().all(|labels| labels.is_superset(&required)), "{}: {points:?}", row.name);
    }
    let calls_row = registry::metric("plugin.call.duration").unwrap();
    assert_eq!((calls_row.instrument, calls_row.boundaries.first(), calls_row.boundaries.last()), (Instrument::Histogram, Some(&1e-6), Some(&10.0)));
    assert_eq!(sum(&find(&metrics, "plugin.call.active").1, None), 1);

    let (scope, processed) = find(&metrics, "otel.sdk.processor.span.processed");
    assert_eq!((scope.as_str(), processed.unit.as_str()), ("otel.sdk", "{span}"));
    let (kept, lost) = (sum(processed, None), sum(processed, Some("queue_full")));
    assert!(kept > 0 && lost > 0, "{kept} spans were processed, {lost} found the queue full");
    assert_eq!(kept + lost, calls);
    assert_eq!(received.spans().iter().filter(|span| span.name.starts_with("plugin.call")).count() as i64, kept);
}
