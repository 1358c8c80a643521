//! Spans as a person reads them.

use std::fmt::Write;

use pipeline::{AttributeValue, Timestamp};
use telemetry::projection::{ProjectedSpan, SpanStatus};

/// One span per line: parent, name, time, attributes, status, links, events. Ids are shown as the names of the spans they belong to.
pub fn render(spans: &[ProjectedSpan]) -> String {
    let named = |id: &str| spans.iter().find(|span| span.span_id == id).map_or("?", |span| span.name.as_str());
    let mut out = String::new();
    for span in spans {
        let parent = span
            .parent
            .as_ref()
            .map_or("-".to_owned(), |parent| format!("{}{}", named(&parent.span_id), if parent.remote { " (remote)" } else { "" }));
        let ms = |at: Timestamp| at.0.saturating_sub(1_000_000) / 1000;
        writeln!(out, "{} <- {parent} {:?} {}..{}", span.name, span.kind, ms(span.start), ms(span.end)).unwrap();
        for (key, value) in &span.attributes {
            writeln!(out, "    {key} = {}", show(value)).unwrap();
        }
        match &span.status {
            SpanStatus::Unset => {}
            SpanStatus::Ok => writeln!(out, "    status OK").unwrap(),
            SpanStatus::Error(text) => writeln!(out, "    status ERROR {text}").unwrap(),
        }
        for event in &span.events {
            let attributes: Vec<_> = event.attributes.iter().map(|(key, value)| format!("{key}={}", show(value))).collect();
            writeln!(out, "    event {} at {} {}", event.name, ms(event.at), attributes.join(" ")).unwrap();
        }
        for link in &span.links {
            writeln!(out, "    link {} {}", named(&link.span_id), show(&link.attributes[0].1)).unwrap();
        }
    }
    out
}

pub fn show(value: &AttributeValue) -> String {
    match value {
        AttributeValue::Flag(flag) => flag.to_string(),
        AttributeValue::Int(number) => number.to_string(),
        AttributeValue::Float(number) => number.to_string(),
        AttributeValue::Text(text) => format!("{text:?}"),
        AttributeValue::Texts(texts) => format!("{texts:?}"),
    }
}
