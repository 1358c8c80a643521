//! The checker accepts what we export and catches every single deviation.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{
    history::{History, completed, unwound},
    options,
};
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    metrics::v1::metric::Data,
    trace::v1::{
        Span,
        span::{Event, SpanKind},
    },
};
use telemetry::{
    ExporterOptions, Labels, Names, Options, Target, Telemetry, Units,
    checker::{
        Capture, ExportTraceServiceRequest, Rule, check_metrics, check_metrics_labelled, check_traces, check_traces_named, parse_metrics,
        parse_traces,
    },
};

/// What is written to a file for some histories: spans and metrics.
async fn captured(histories: &[History]) -> (String, String) {
    captured_with(histories, options(&Arc::default(), Vec::new())).await
}

/// The same with other options.
async fn captured_with(histories: &[History], mut options: Options) -> (String, String) {
    let directory = tempfile::tempdir().unwrap();
    let (traces, metrics) = (directory.path().join("spans.jsonl"), directory.path().join("metrics.jsonl"));
    let target = Target::File { traces: traces.clone(), metrics: Some(metrics.clone()), logs: None, max_bytes: 1 << 24 };
    options.exporters = vec![ExporterOptions::new("file", target)];
    let telemetry = Telemetry::start(options).await.unwrap();
    let mut position = 0;
    for history in histories {
        let mut transitions = history.transitions.clone();
        for transition in &mut transitions {
            position += 1;
            transition.position.0 = position;
        }
        for observer in telemetry.observers() {
            observer.observe(&transitions).await.unwrap();
        }
    }
    assert!(telemetry.flush(Duration::from_secs(30)).await);
    (std::fs::read_to_string(traces).unwrap(), std::fs::read_to_string(metrics).unwrap())
}

async fn completed_order() -> Vec<ExportTraceServiceRequest> {
    parse_traces(&captured(&[completed(1)]).await.0).unwrap()
}

fn span<'a>(requests: &'a mut [ExportTraceServiceRequest], name: &str) -> &'a mut Span {
    let scopes = requests.iter_mut().flat_map(|request| &mut request.resource_spans).flat_map(|resource| &mut resource.scope_spans);
    scopes.flat_map(|scope| &mut scope.spans).find(|span| span.name == name).unwrap()
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) }), ..KeyValue::default() }
}

#[tokio::test]
async fn what_we_export_is_as_the_registry_says() {
    let (traces, metrics) = captured(&[completed(1), unwound(2)]).await;
    let found = check_traces(&parse_traces(&traces).unwrap(), Capture::Whole);
    let found: Vec<_> = found.iter().map(ToString::to_string).collect();
    assert_eq!(found, [""; 0]);
    let found: Vec<_> = check_metrics(&parse_metrics(&metrics).unwrap(), Units::Seed).iter().map(ToString::to_string).collect();
    assert_eq!(found, [""; 0]);
}

type Change = fn(&mut Vec<ExportTraceServiceRequest>);

/// Each changes one thing of a flawless capture and names the rule that must catch it.
const CHANGES: &[(&str, Rule, Change)] = &[
    ("an unknown attribute", Rule::UnknownAttribute, |r| span(r, "bss.order.decompose").attributes.push(text("bss.surprise", "x"))),
    ("an attribute of another span", Rule::UnknownAttribute, |r| span(r, "bss.order.decompose").attributes.push(text("bss.channel", "web"))),
    ("a required attribute less", Rule::MissingAttribute, |r| {
        span(r, "bss.order.decompose").attributes.retain(|a| a.key != "bss.decomposition.services")
    }),
    ("another type", Rule::Type, |r| {
        let attribute = span(r, "bss.order.decompose").attributes.iter_mut().find(|a| a.key == "bss.decomposition.service_count").unwrap();
        attribute.value = text("", "2").value;
    }),
    ("an attribute twice", Rule::RepeatedAttribute, |r| span(r, "bss.order.decompose").attributes.push(text("bss.order_id", "ORD-1"))),
    ("a failure's attribute on a success", Rule::MisplacedAttribute, |r| {
        span(r, "bss.order.activate").attributes.push(text("error.type", "timeout"))
    }),
    ("a success's attribute on a failure", Rule::MisplacedAttribute, |r| fail(span(r, "bss.inventory.allocate.port"), "no_inventory")),
    ("an error type that is not one", Rule::ErrorType, |r| fail(span(r, "bss.order.activate"), "It Broke")),
    ("a failure without a type", Rule::MissingAttribute, |r| {
        fail(span(r, "bss.order.activate"), "timeout");
        span(r, "bss.order.activate").attributes.retain(|a| a.key != "error.type");
    }),
    ("another kind", Rule::Kind, |r| span(r, "bss.order.activate").set_kind(SpanKind::Client)),
    ("a status that nobody asked for", Rule::Status, |r| span(r, "bss.order.activate").status.as_mut().unwrap().code = 1),
    ("an order that is not OK", Rule::Status, |r| span(r, "bss.order.lifecycle").status.as_mut().unwrap().code = 0),
    ("another scope", Rule::Scope, |r| r[0].resource_spans[0].scope_spans[0].scope.as_mut().unwrap().name = "other".to_owned()),
    ("a name that is not in the registry", Rule::Name, |r| span(r, "bss.order.activate").name = "bss.order.activated".to_owned()),
    ("another parent", Rule::Parent, |r| {
        let root = span(r, "bss.order.lifecycle").span_id.clone();
        span(r, "bss.inventory.allocate.port").parent_span_id = root;
    }),
    ("a parent that is missing", Rule::Parent, |r| span(r, "bss.inventory.allocate.port").parent_span_id = vec![9; 8]),
    ("two roots", Rule::Parent, |r| span(r, "bss.order.activate").parent_span_id = Vec::new()),
    ("an event that nobody asked for", Rule::Event, |r| {
        span(r, "bss.order.activate").events.push(Event { name: "surprise".to_owned(), ..Event::default() })
    }),
    ("an exception on a success", Rule::Event, |r| {
        span(r, "bss.order.activate").events.push(Event { name: "exception".to_owned(), ..Event::default() })
    }),
    ("a link without a reason", Rule::Link, |r| {
        span(r, "bss.order.activate").links.push(opentelemetry_proto::tonic::trace::v1::span::Link::default())
    }),
    ("a value that is too long", Rule::Length, |r| span(r, "bss.order.activate").attributes[0] = text("bss.order_id", &"x".repeat(2000))),
    ("an end before the start", Rule::Time, |r| span(r, "bss.order.activate").end_time_unix_nano = 1),
    ("a repeat that differs", Rule::Repeat, |r| {
        let mut again = r[0].clone();
        span(std::slice::from_mut(&mut again), "bss.order.activate").end_time_unix_nano += 1;
        r.push(again);
    }),
];

fn fail(span: &mut Span, code: &str) {
    let status = span.status.as_mut().unwrap();
    (status.code, status.message) = (2, "it failed".to_owned());
    span.attributes.push(text("error.type", code));
}

#[tokio::test]
async fn every_single_deviation_is_caught() {
    let flawless = completed_order().await;
    assert_eq!(check_traces(&flawless, Capture::Whole), []);
    for (what, rule, change) in CHANGES {
        let mut changed = flawless.clone();
        change(&mut changed);
        let found = check_traces(&changed, Capture::Whole);
        assert!(found.iter().any(|violation| violation.rule == *rule), "{what}: {found:?}");
    }
}

#[tokio::test]
async fn a_repeat_that_does_not_differ_is_fine_and_a_live_order_may_lack_its_root() {
    let mut requests = completed_order().await;
    requests.push(requests[0].clone());
    assert_eq!(check_traces(&requests, Capture::Whole), []);
    let mut live = completed_order().await;
    live[0].resource_spans[0].scope_spans[0].spans.retain(|span| span.name != "bss.order.lifecycle");
    assert_eq!(check_traces(&live, Capture::Partial), []);
    assert!(!check_traces(&live, Capture::Whole).is_empty());
}

#[tokio::test]
async fn deviations_of_metrics_are_caught() {
    let flawless = parse_metrics(&captured(&[completed(1)]).await.1).unwrap();
    assert_eq!(check_metrics(&flawless, Units::Seed), []);
    assert!(check_metrics(&flawless, Units::Semconv).iter().any(|violation| violation.rule == Rule::Unit));
    let metric = |name: &str, change: fn(&mut opentelemetry_proto::tonic::metrics::v1::Metric)| {
        let mut changed = flawless.clone();
        let scopes = changed.iter_mut().flat_map(|request| &mut request.resource_metrics).flat_map(|resource| &mut resource.scope_metrics);
        change(scopes.flat_map(|scope| &mut scope.metrics).find(|metric| metric.name == name).unwrap());
        check_metrics(&changed, Units::Seed).into_iter().map(|violation| violation.rule).collect::<Vec<_>>()
    };
    assert_eq!(metric("bss.order.count", |metric| metric.name = "bss.orders".to_owned()), [Rule::Name]);
    assert_eq!(metric("bss.order.count", |metric| metric.description.clear()), [Rule::Description]);
    assert_eq!(metric("bss.order.duration", |metric| metric.unit = "ms".to_owned()), [Rule::Unit]);
    for (rule, change) in [
        (
            Rule::UnknownAttribute,
            (|sum| sum.data_points[0].attributes.push(text("bss.order_id", "ORD-1"))) as fn(&mut opentelemetry_proto::tonic::metrics::v1::Sum),
        ),
        (Rule::MissingAttribute, |sum| sum.data_points[0].attributes.clear()),
        (Rule::Kind, |sum| sum.is_monotonic = false),
        (Rule::Temporality, |sum| sum.aggregation_temporality = 1),
    ] {
        let mut changed = flawless.clone();
        let scopes = changed.iter_mut().flat_map(|request| &mut request.resource_metrics).flat_map(|resource| &mut resource.scope_metrics);
        match &mut scopes.flat_map(|scope| &mut scope.metrics).find(|metric| metric.name == "bss.order.count").unwrap().data {
            Some(Data::Sum(sum)) => change(sum),
            other => panic!("{other:?}"),
        }
        assert!(check_metrics(&changed, Units::Seed).iter().any(|violation| violation.rule == rule), "{rule:?}");
    }
}

#[tokio::test]
async fn the_profile_of_names_adds_and_takes_nothing_away() {
    let named = |names| async move {
        let mut options = options(&Arc::default(), Vec::new());
        options.policy.names = names;
        parse_traces(&captured_with(&[completed(1), unwound(2)], options).await.0).unwrap()
    };
    let (seed, both) = (named(Names::Seed).await, named(Names::SeedAndSemconv).await);
    assert_eq!(check_traces_named(&both, Capture::Whole, Names::SeedAndSemconv), []);
    // Under the other profile each is wrong: what was added is unknown, what is missing is missed.
    assert!(check_traces(&both, Capture::Whole).iter().all(|violation| violation.rule == Rule::UnknownAttribute));
    assert!(check_traces_named(&seed, Capture::Whole, Names::SeedAndSemconv).iter().all(|violation| violation.rule == Rule::MissingAttribute));
    let mut added = std::collections::BTreeSet::new();
    for (seed, both) in spans(&seed).zip(spans(&both)) {
        let (kept, new): (Vec<_>, Vec<_>) = both.attributes.iter().cloned().partition(|attribute| seed.attributes.contains(attribute));
        assert_eq!(kept, seed.attributes, "{}", seed.name);
        added.extend(new.into_iter().map(|attribute| attribute.key));
        assert_eq!(Span { attributes: Vec::new(), ..seed.clone() }, Span { attributes: Vec::new(), ..both.clone() });
    }
    assert_eq!(added.into_iter().collect::<Vec<_>>(), ["bss.decomposition.service_names", "bss.order.id"]);
}

fn spans(requests: &[ExportTraceServiceRequest]) -> impl Iterator<Item = &Span> {
    requests.iter().flat_map(|request| &request.resource_spans).flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans)
}

#[tokio::test]
async fn labels_are_there_when_the_operator_wants_them() {
    let labels = || Labels::new([("channel".to_owned(), vec!["web".to_owned()])].into()).unwrap();
    let mut wanted = options(&Arc::default(), Vec::new());
    wanted.labels = labels();
    let with = parse_metrics(&captured_with(&[completed(1)], wanted).await.1).unwrap();
    let without = parse_metrics(&captured(&[completed(1)]).await.1).unwrap();
    assert_eq!(check_metrics_labelled(&with, Units::Seed, &labels()), []);
    assert!(check_metrics(&with, Units::Seed).iter().all(|violation| violation.rule == Rule::UnknownAttribute));
    assert!(check_metrics_labelled(&without, Units::Seed, &labels()).iter().all(|violation| violation.rule == Rule::MissingAttribute));
    assert!(!check_metrics(&with, Units::Seed).is_empty() && !check_metrics_labelled(&without, Units::Seed, &labels()).is_empty());
}

#[test]
fn a_line_that_is_not_otlp_is_named() {
    assert!(parse_traces("{\"resourceSpans\":[]}\nnonsense").unwrap_err().to_string().starts_with("request 2 of the capture is not OTLP"));
}
