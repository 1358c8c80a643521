//! Metrics against the registry.

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{InstrumentationScope, KeyValue},
    metrics::v1::{AggregationTemporality, HistogramDataPoint, Metric, NumberDataPoint, metric::Data, number_data_point::Value},
};

use super::{Rule, Violation, attributes};
use crate::{
    labels::Labels,
    options::Units,
    registry::{self, Instrument, MetricRow, Number},
};

/// The scope of the SDK's own metrics, which the registry does not define.
const SDK_SCOPE: &str = "otel.sdk";

/// Everything about captured metrics that is not as the registry says in this profile of units. Each finding is told once.
pub fn check_metrics(requests: &[ExportMetricsServiceRequest], units: Units) -> Vec<Violation> {
    check_metrics_labelled(requests, units, &Labels::default())
}

/// The same with labels that the operator turned on.
pub fn check_metrics_labelled(requests: &[ExportMetricsServiceRequest], units: Units, wanted: &Labels) -> Vec<Violation> {
    let scopes = requests.iter().flat_map(|request| &request.resource_metrics).flat_map(|resource| &resource.scope_metrics);
    let metrics = scopes.flat_map(|scope| scope.metrics.iter().map(move |metric| (scope.scope.as_ref(), metric)));
    let mut violations: Vec<Violation> = metrics.flat_map(|(scope, metric)| one(scope, metric, units, wanted)).collect();
    violations.sort_by(|a, b| (&a.subject, a.rule, &a.detail).cmp(&(&b.subject, b.rule, &b.detail)));
    violations.dedup();
    violations
}

type Wrong = Vec<(Rule, String)>;

fn one(scope: Option<&InstrumentationScope>, metric: &Metric, units: Units, wanted: &Labels) -> Vec<Violation> {
    let wrong = match registry::metric(&metric.name) {
        None if scope.is_some_and(|scope| scope.name == SDK_SCOPE) => Wrong::new(),
        None => vec![(Rule::Name, "the registry has no such metric".to_owned())],
        Some(row) => [identity(scope, metric, row, units), data(metric, row, units, wanted)].concat(),
    };
    wrong.into_iter().map(|(rule, detail)| Violation { subject: metric.name.clone(), rule, detail }).collect()
}

fn identity(scope: Option<&InstrumentationScope>, metric: &Metric, row: &MetricRow, units: Units) -> Wrong {
    let mut wrong = Wrong::new();
    let unit = crate::metrics::instruments::unit(row, units);
    if metric.unit != unit {
        wrong.push((Rule::Unit, format!("`{}`, expected `{unit}`", metric.unit)));
    }
    if metric.description != row.brief {
        wrong.push((Rule::Description, format!("`{}`, expected `{}`", metric.description, row.brief)));
    }
    match scope {
        Some(scope) if scope.name == row.scope && !scope.version.is_empty() => {}
        scope => wrong.push((Rule::Scope, format!("{scope:?}, expected `{}` with a version", row.scope))),
    }
    wrong
}

fn data(metric: &Metric, row: &MetricRow, units: Units, wanted: &Labels) -> Wrong {
    match (&metric.data, row.instrument) {
        (Some(Data::Sum(sum)), Instrument::Counter | Instrument::UpDownCounter) => {
            let mut wrong = temporality(sum.aggregation_temporality);
            if sum.is_monotonic != (row.instrument == Instrument::Counter) {
                wrong.push((Rule::Kind, format!("monotonic: {}, expected {:?}", sum.is_monotonic, row.instrument)));
            }
            wrong.extend(sum.data_points.iter().flat_map(|point| number(point, row, wanted)));
            wrong
        }
        (Some(Data::Histogram(histogram)), Instrument::Histogram) => {
            let mut wrong = temporality(histogram.aggregation_temporality);
            wrong.extend(histogram.data_points.iter().flat_map(|point| bounds(point, row, units, wanted)));
            wrong
        }
        (data, instrument) => vec![(Rule::Kind, format!("{}, expected {instrument:?}", name(data.as_ref())))],
    }
}

fn temporality(temporality: i32) -> Wrong {
    if temporality == AggregationTemporality::Cumulative as i32 {
        return Wrong::new();
    }
    vec![(Rule::Temporality, "expected sums since the start".to_owned())]
}

fn number(point: &NumberDataPoint, row: &MetricRow, wanted: &Labels) -> Wrong {
    let mut wrong = labels(&point.attributes, row, wanted);
    match (point.value, row.number) {
        (Some(Value::AsInt(value)), Number::U64) if value >= 0 => {}
        (Some(Value::AsInt(_)), Number::I64) | (Some(Value::AsDouble(_)), Number::F64) => {}
        (value, expected) => wrong.push((Rule::Type, format!("{value:?}, expected {expected:?}"))),
    }
    wrong
}

fn bounds(point: &HistogramDataPoint, row: &MetricRow, units: Units, wanted: &Labels) -> Wrong {
    let mut wrong = labels(&point.attributes, row, wanted);
    let expected = crate::metrics::instruments::boundaries(row, units);
    if point.explicit_bounds != expected {
        wrong.push((Rule::Boundaries, format!("{:?}, expected {expected:?}", point.explicit_bounds)));
    }
    wrong
}

fn labels(given: &[KeyValue], row: &MetricRow, wanted: &Labels) -> Wrong {
    if given.iter().any(|label| label.key == "otel.metric.overflow") {
        return Wrong::new();
    }
    let mut wrong = attributes::check(given);
    let wanted = || row.opt_in.iter().filter(|key| wanted.has(key));
    for key in row.required.iter().chain(wanted()).filter(|key| !given.iter().any(|label| label.key == **key)) {
        wrong.push((Rule::MissingAttribute, format!("label `{key}` is missing")));
    }
    let known = row.required.iter().chain(row.optional).chain(wanted());
    for label in given.iter().filter(|label| !known.clone().any(|key| *key == label.key)) {
        wrong.push((Rule::UnknownAttribute, format!("the registry has no label `{}` here", label.key)));
    }
    wrong
}

fn name(data: Option<&Data>) -> &'static str {
    match data {
        Some(Data::Gauge(_)) => "gauge",
        Some(Data::Sum(_)) => "sum",
        Some(Data::Histogram(_)) => "histogram",
        Some(Data::ExponentialHistogram(_)) => "exponential histogram",
        Some(Data::Summary(_)) => "summary",
        None => "nothing",
    }
}
