//! One order's trace as a tree, read from the file that the host exported.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// A span of the file.
#[derive(Debug, Clone)]
struct Span {
    id: String,
    parent: String,
    name: String,
    start: u64,
    end: u64,
    failed: bool,
}

/// The tree of a trace; empty when the file has no span of it yet.
pub(crate) fn render(file: &Path, trace: &str) -> Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let mut spans: Vec<Span> = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).with_context(|| format!("{} holds a line that is no JSON", file.display()))?;
        for span in read(&line, trace) {
            // Delivery is at least once: a repeated span has the same id.
            if !spans.iter().any(|known| known.id == span.id) {
                spans.push(span);
            }
        }
    }
    spans.sort_by_key(|span| (span.start, span.end));
    let is_root = |span: &&Span| !spans.iter().any(|other| other.id == span.parent);
    let mut text = String::new();
    spans.iter().filter(is_root).for_each(|root| branch(&spans, root, 0, &mut text));
    Ok(text)
}

fn branch(spans: &[Span], span: &Span, depth: usize, text: &mut String) {
    let milliseconds = (span.end.saturating_sub(span.start)) as f64 / 1e6;
    let mark = if span.failed { "  ERROR" } else { "" };
    text.push_str(&format!("{}{}  {milliseconds:.1} ms{mark}\n", "  ".repeat(depth), span.name));
    spans.iter().filter(|child| child.parent == span.id).for_each(|child| branch(spans, child, depth + 1, text));
}

fn read(line: &Value, trace: &str) -> Vec<Span> {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let scopes = list(line, "resourceSpans").into_iter().flat_map(|resource| list(&resource, "scopeSpans"));
    let spans = scopes.flat_map(|scope| list(&scope, "spans")).filter(|span| span["traceId"] == trace);
    let text = |span: &Value, key: &str| span[key].as_str().unwrap_or_default().to_owned();
    let time = |span: &Value, key: &str| text(span, key).parse().ok().or(span[key].as_u64()).unwrap_or(0);
    spans
        .map(|span| Span {
            id: text(&span, "spanId"),
            parent: text(&span, "parentSpanId"),
            name: text(&span, "name"),
            start: time(&span, "startTimeUnixNano"),
            end: time(&span, "endTimeUnixNano"),
            failed: span["status"]["code"] == 2 || span["status"]["code"] == "STATUS_CODE_ERROR",
        })
        .collect()
}
