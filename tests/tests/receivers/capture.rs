//! What a receiver has, taken apart: every span with the very bytes that were sent, every point of every metric.

use std::collections::BTreeMap;

use end_to_end_tests::harness::Receiver;
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    metrics::v1::{Metric, metric::Data, number_data_point},
    resource::v1::Resource,
    trace::v1::Span,
};
use package::hex;
use prost::Message;

/// The scope of what is measured while it happens. Everything else is projected from the journal.
pub(crate) const LIVE: &str = "jackfield.host";

/// A request with spans, decoded no further than to the bytes of each span.
#[derive(Clone, PartialEq, Message)]
struct RawRequest {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<RawResource>,
}

#[derive(Clone, PartialEq, Message)]
struct RawResource {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<RawScope>,
}

#[derive(Clone, PartialEq, Message)]
struct RawScope {
    #[prost(message, optional, tag = "1")]
    scope: Option<InstrumentationScope>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    spans: Vec<Vec<u8>>,
}

/// A span as it arrived, once for each time it did.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    pub(crate) scope: InstrumentationScope,
    /// What was sent.
    pub(crate) bytes: Vec<u8>,
    pub(crate) span: Span,
}

impl Arrived {
    pub(crate) fn id(&self) -> String {
        hex(&self.span.span_id)
    }

    pub(crate) fn is_live(&self) -> bool {
        self.scope.name == LIVE
    }

    /// Whether it is below the span of a plugin call, which a kill may cost.
    pub(crate) fn is_below_a_call(&self) -> bool {
        self.is_live() && !self.span.name.starts_with("plugin.call ")
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        text(&self.span.attributes, key)
    }
}

/// Every span, in the order in which they came.
pub(crate) fn spans(receiver: &Receiver) -> Vec<Arrived> {
    let requests = receiver.requests("traces").into_iter().map(|request| RawRequest::decode(request.as_slice()).unwrap());
    let scopes = requests.flat_map(|request| request.resources).flat_map(|resource| resource.scopes);
    let spans = scopes.flat_map(|RawScope { scope, spans }| {
        let scope = scope.unwrap_or_default();
        spans.into_iter().map(move |bytes| Arrived { scope: scope.clone(), span: Span::decode(bytes.as_slice()).unwrap(), bytes })
    });
    spans.collect()
}

/// All requests with spans.
pub(crate) fn traces(receiver: &Receiver) -> Vec<ExportTraceServiceRequest> {
    receiver.requests("traces").iter().map(|request| telemetry::checker::decode_traces(request).unwrap()).collect()
}

/// All requests with metrics.
pub(crate) fn metrics(receiver: &Receiver) -> Vec<ExportMetricsServiceRequest> {
    receiver.requests("metrics").iter().map(|request| telemetry::checker::decode_metrics(request).unwrap()).collect()
}

/// The points of the last collection of metrics, by series; of a histogram its count.
pub(crate) fn last_figures(receiver: &Receiver) -> Figures {
    let Some(last) = metrics(receiver).pop() else { return Figures::new() };
    let scopes = last.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    scopes.flat_map(|scope| scope.metrics).flat_map(points).collect()
}

/// Values by series: the metric's name and its labels.
pub(crate) type Figures = BTreeMap<Series, i64>;

/// A metric's name with its labels in order.
pub(crate) type Series = (String, Vec<(String, String)>);

fn points(metric: Metric) -> Vec<(Series, i64)> {
    let series = |attributes: &[KeyValue]| {
        let mut labels: Vec<_> = attributes.iter().map(|pair| (pair.key.clone(), text(attributes, &pair.key).unwrap().to_owned())).collect();
        labels.sort();
        (metric.name.clone(), labels)
    };
    match &metric.data {
        Some(Data::Sum(sum)) => sum
            .data_points
            .iter()
            .map(|point| match point.value {
                Some(number_data_point::Value::AsInt(value)) => (series(&point.attributes), value),
                ref other => panic!("{}: {other:?}", metric.name),
            })
            .collect(),
        Some(Data::Histogram(histogram)) => {
            histogram.data_points.iter().map(|point| (series(&point.attributes), i64::try_from(point.count).unwrap())).collect()
        }
        other => panic!("{}: {other:?}", metric.name),
    }
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match attributes.iter().find(|pair| pair.key == key)?.value.as_ref()? {
        AnyValue { value: Some(any_value::Value::StringValue(text)) } => Some(text),
        _ => None,
    }
}
