//! The checker's own test on what the real binary sent: each single change to it is caught.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, KeyValue, any_value::Value},
    metrics::v1::{HistogramDataPoint, Metric, NumberDataPoint, metric::Data, number_data_point},
    trace::v1::{ResourceSpans, ScopeSpans, Span, span::SpanKind, status::StatusCode},
};
use telemetry::{
    Units,
    checker::{Capture, Rule, check_metrics, check_traces},
    registry::{self, When},
};

use crate::{capture::Arrived, play::PLAYED};

/// One span of each name, with all spans of its trace.
struct Specimen {
    trace: Vec<Arrived>,
    at: usize,
}

fn specimens() -> Vec<Specimen> {
    let mut seen = BTreeMap::new();
    for arrived in &PLAYED.arrived {
        seen.entry((arrived.span.name.clone(), is_failed(&arrived.span))).or_insert(arrived);
    }
    let specimens = seen.into_values().map(|arrived| {
        let trace: Vec<Arrived> = PLAYED.arrived.iter().filter(|other| other.span.trace_id == arrived.span.trace_id).cloned().collect();
        let at = trace.iter().position(|other| other.span.span_id == arrived.span.span_id).unwrap();
        Specimen { trace, at }
    });
    specimens.collect()
}

fn is_failed(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error)
}

impl Specimen {
    fn span(&self) -> &Span {
        &self.trace[self.at].span
    }

    /// The trace with this change is caught under the rule, at this span.
    fn caught(&self, rule: Rule, what: &str, change: impl FnOnce(&mut Span)) {
        let mut trace = self.trace.clone();
        change(&mut trace[self.at].span);
        let found = check_traces(&[request(trace)], Capture::Whole);
        let span = self.span();
        assert!(found.iter().any(|violation| violation.rule == rule && violation.subject == span.name), "{what} of {span:#?}: {found:?}");
    }
}

pub(crate) fn request(trace: Vec<Arrived>) -> ExportTraceServiceRequest {
    let scopes = trace.into_iter().map(|Arrived { scope, span, .. }| ScopeSpans { scope: Some(scope), spans: vec![span], ..ScopeSpans::default() });
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans: scopes.collect(), ..ResourceSpans::default() }] }
}

#[test]
fn an_unknown_attribute_on_any_span_is_caught() {
    for specimen in specimens() {
        specimen.caught(Rule::UnknownAttribute, "an unknown attribute", |span| span.attributes.push(text("plugin.surprise", "x")));
    }
}

#[test]
fn a_required_attribute_that_is_missing_on_any_span_is_caught() {
    let mut dropped = 0;
    for specimen in specimens() {
        let row = registry::span(&specimen.span().name).unwrap();
        let required = row.attributes.iter().filter(|(_, when)| match when {
            When::Always => true,
            When::Success | When::After => !is_failed(specimen.span()),
            When::Failure => is_failed(specimen.span()),
            When::Optional => false,
        });
        for (key, _) in required {
            dropped += 1;
            specimen.caught(Rule::MissingAttribute, key, |span| span.attributes.retain(|attribute| attribute.key != *key));
        }
    }
    assert!(dropped > 100, "{dropped}");
}

#[test]
fn another_type_of_any_attribute_is_caught() {
    for specimen in specimens() {
        let known = specimen.span().attributes.iter().enumerate().filter(|(_, attribute)| registry::attribute(&attribute.key).is_some());
        for (place, attribute) in known {
            specimen.caught(Rule::Type, &attribute.key, |span| span.attributes[place].value = Some(of_another_type(&attribute.value)));
        }
    }
}

#[test]
fn another_kind_status_scope_or_parent_of_any_span_is_caught() {
    for mut specimen in specimens() {
        specimen.caught(Rule::Kind, "another kind", |span| span.set_kind(SpanKind::Producer));
        specimen.caught(Rule::Status, "a status that nobody asked for", |span| {
            let status = span.status.get_or_insert_default();
            // A failure without a word, or a word without a failure.
            status.message = if status.code() == StatusCode::Error { String::new() } else { "fine".to_owned() };
        });
        specimen.caught(Rule::Time, "an end before the start", |span| span.end_time_unix_nano = span.start_time_unix_nano - 1);
        if specimen.span().name != "bss.order.lifecycle" {
            specimen.caught(Rule::Parent, "a parent that is not there", |span| span.parent_span_id = vec![9; 8]);
            specimen.caught(Rule::Parent, "no parent", |span| span.parent_span_id.clear());
        }
        if !specimen.span().links.is_empty() {
            specimen.caught(Rule::Link, "a link without a reason", |span| span.links[0].attributes.clear());
            specimen.caught(Rule::Link, "a link to nothing", |span| span.links[0].span_id = vec![9; 8]);
        }
        if !specimen.span().events.is_empty() && specimen.span().name.starts_with("bss.") {
            specimen.caught(Rule::Event, "an exception without a type", |span| span.events[0].attributes.retain(|pair| pair.key != "exception.type"));
        }
        let (at, mut changed) = (specimen.at, specimen.trace.clone());
        changed[at].scope.name = "other".to_owned();
        specimen.trace = changed;
        specimen.caught(Rule::Scope, "another scope", |_| ());
    }
}

#[test]
fn a_span_that_arrives_again_and_differs_is_caught() {
    let specimen = &specimens()[0];
    let mut again = specimen.trace.clone();
    again[specimen.at].span.end_time_unix_nano += 1;
    let found = check_traces(&[request(specimen.trace.clone()), request(again)], Capture::Whole);
    assert!(found.iter().any(|violation| violation.rule == Rule::Repeat), "{found:?}");
}

type Change = (Rule, fn(&mut Metric));

const OF_ANY_METRIC: &[Change] = &[
    (Rule::Name, |metric| metric.name.push_str(".more")),
    (Rule::Unit, |metric| metric.unit.push('x')),
    (Rule::Description, |metric| metric.description.push('x')),
    (Rule::UnknownAttribute, |metric| labels(metric).push(text("bss.order_id", "ORD-1"))),
    (Rule::Temporality, |metric| match metric.data.as_mut().unwrap() {
        Data::Sum(sum) => sum.aggregation_temporality = 1,
        Data::Histogram(histogram) => histogram.aggregation_temporality = 1,
        other => panic!("{other:?}"),
    }),
];
const OF_SUMS: &[Change] = &[
    (Rule::Kind, |metric| sum(metric).is_monotonic ^= true),
    (Rule::Type, |metric| sum(metric).data_points[0].value = Some(number_data_point::Value::AsDouble(1.0))),
];
const OF_HISTOGRAMS: &[Change] = &[
    (Rule::Boundaries, |metric| histogram(metric).explicit_bounds[0] += 1.0),
    (Rule::Kind, |metric| metric.data = Some(Data::Gauge(opentelemetry_proto::tonic::metrics::v1::Gauge::default()))),
];

#[test]
fn every_change_of_any_metric_is_caught() {
    let last = PLAYED.metrics.last().unwrap();
    let scopes = last.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    let metrics = scopes.flat_map(|scope| scope.metrics.iter().map(move |metric| (scope, metric)));
    let mut names = Vec::new();
    for (scope, metric) in metrics.filter(|(_, metric)| registry::metric(&metric.name).is_some()) {
        names.push(metric.name.as_str());
        let caught = |rule: Rule, change: &dyn Fn(&mut Metric)| {
            let mut changed = metric.clone();
            change(&mut changed);
            let mut request = ExportMetricsServiceRequest { resource_metrics: last.resource_metrics[..1].to_vec() };
            let mut scope = scope.clone();
            scope.metrics = vec![changed];
            request.resource_metrics[0].scope_metrics = vec![scope];
            let found = check_metrics(&[request], Units::Seed);
            assert!(found.iter().any(|violation| violation.rule == rule), "{rule:?} of {metric:#?}: {found:?}");
        };
        let of_its_kind = if matches!(metric.data, Some(Data::Sum(_))) { OF_SUMS } else { OF_HISTOGRAMS };
        OF_ANY_METRIC.iter().chain(of_its_kind).for_each(|(rule, change)| caught(*rule, change));
        for key in registry::metric(&metric.name).unwrap().required {
            caught(Rule::MissingAttribute, &|metric| labels(metric).retain(|label| label.key != *key));
        }
    }
    names.sort_unstable();
    let expected = [
        "bss.order.count",
        "bss.order.duration",
        "bss.order.fallout",
        "bss.order.in_progress",
        "bss.order.step_duration",
        "otel.sdk.exporter.span.exported",
        "pipeline.run.active",
        "pipeline.run.duration",
        "plugin.call.active",
        "plugin.call.duration",
    ];
    assert_eq!(names, expected, "what orders measure, and what section of the contract they share with all pipelines");
}

fn sum(metric: &mut Metric) -> &mut opentelemetry_proto::tonic::metrics::v1::Sum {
    match metric.data.as_mut() {
        Some(Data::Sum(sum)) => sum,
        other => panic!("{other:?}"),
    }
}

fn histogram(metric: &mut Metric) -> &mut HistogramDataPoint {
    match metric.data.as_mut() {
        Some(Data::Histogram(histogram)) => &mut histogram.data_points[0],
        other => panic!("{other:?}"),
    }
}

/// The labels of the first point.
fn labels(metric: &mut Metric) -> &mut Vec<KeyValue> {
    match metric.data.as_mut() {
        Some(Data::Sum(sum)) => {
            let point: &mut NumberDataPoint = &mut sum.data_points[0];
            &mut point.attributes
        }
        Some(Data::Histogram(histogram)) => &mut histogram.data_points[0].attributes,
        other => panic!("{other:?}"),
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) }), ..KeyValue::default() }
}

fn of_another_type(value: &Option<AnyValue>) -> AnyValue {
    let is_text = matches!(value, Some(AnyValue { value: Some(Value::StringValue(_)) }));
    AnyValue { value: Some(if is_text { Value::IntValue(1) } else { Value::StringValue("1".to_owned()) }) }
}
