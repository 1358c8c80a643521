//! The Prometheus text format (version 0.0.4), with the names that Prometheus itself gives when it takes the same metrics over OTLP.

use std::fmt::{Display, Write};

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, Histogram, Metric, MetricData, ResourceMetrics, Sum};

/// The content type of [`text`].
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All metrics as text. Gauges and exponential histograms are not in the registry and are left out.
pub(crate) fn text(metrics: &ResourceMetrics) -> String {
    let mut out = String::new();
    for scope in metrics.scope_metrics() {
        let name = scope.scope().name();
        for metric in scope.metrics() {
            match metric.data() {
                AggregatedMetrics::F64(data) => family(&mut out, name, metric, data),
                AggregatedMetrics::U64(data) => family(&mut out, name, metric, data),
                AggregatedMetrics::I64(data) => family(&mut out, name, metric, data),
            }
        }
    }
    out
}

fn family<T: Display + Copy>(out: &mut String, scope: &str, metric: &Metric, data: &MetricData<T>) {
    match data {
        MetricData::Sum(sum) => self::sum(out, scope, metric, sum),
        MetricData::Histogram(histogram) => self::histogram(out, scope, metric, histogram),
        MetricData::Gauge(_) | MetricData::ExponentialHistogram(_) => {}
    }
}

fn sum<T: Display + Copy>(out: &mut String, scope: &str, metric: &Metric, sum: &Sum<T>) {
    let name = format!("{}{}", name(metric), if sum.is_monotonic() { "_total" } else { "" });
    head(out, metric, &name, if sum.is_monotonic() { "counter" } else { "gauge" });
    let mut lines: Vec<String> =
        sum.data_points().map(|point| format!("{name}{} {}\n", labels(scope, point.attributes(), None), point.value())).collect();
    lines.sort();
    out.extend(lines);
}

fn histogram<T: Display + Copy>(out: &mut String, scope: &str, metric: &Metric, histogram: &Histogram<T>) {
    let name = name(metric);
    head(out, metric, &name, "histogram");
    for point in histogram.data_points() {
        let mut below = 0;
        for (bound, count) in point.bounds().map(|bound| bound.to_string()).chain(["+Inf".to_owned()]).zip(point.bucket_counts()) {
            below += count;
            line(out, &format!("{name}_bucket{} {below}", labels(scope, point.attributes(), Some(&bound))));
        }
        let labels = labels(scope, point.attributes(), None);
        line(out, &format!("{name}_sum{labels} {}", point.sum()));
        line(out, &format!("{name}_count{labels} {}", point.count()));
    }
}

fn head(out: &mut String, metric: &Metric, name: &str, kind: &str) {
    line(out, &format!("# HELP {name} {}", metric.description().replace('\\', "\\\\").replace('\n', "\\n")));
    line(out, &format!("# TYPE {name} {kind}"));
}

fn line(out: &mut String, text: &str) {
    writeln!(out, "{text}").expect("a string can be written to");
}

/// Dots become underscores and a known unit becomes a suffix, unless the name has it already.
fn name(metric: &Metric) -> String {
    let name = identifier(metric.name());
    let unit = match metric.unit() {
        "s" | "seconds" => "seconds",
        "ms" => "milliseconds",
        "By" => "bytes",
        // Units in braces are annotations, and `1` says nothing on a counter.
        _ => return name,
    };
    if name.split('_').any(|part| part == unit) { name } else { format!("{name}_{unit}") }
}

fn labels<'a>(scope: &str, attributes: impl Iterator<Item = &'a KeyValue>, bound: Option<&str>) -> String {
    let mut pairs: Vec<(String, String)> = attributes.map(|pair| (identifier(pair.key.as_str()), pair.value.as_str().into_owned())).collect();
    pairs.push(("otel_scope_name".to_owned(), scope.to_owned()));
    pairs.sort();
    pairs.extend(bound.map(|bound| ("le".to_owned(), bound.to_owned())));
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}=\"{}\"", escape(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn identifier(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
