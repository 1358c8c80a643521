//! The spans of a trace as text: everything of them but what differs from run to run.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{
        Span, SpanFlags,
        span::{Event, SpanKind},
        status::StatusCode,
    },
};
use package::hex;

use crate::capture::Arrived;

/// Values that are drawn, measured, or depend on what happened before; what is shown in their place.
const VARYING: [(&str, &str); 13] = [
    ("bss.order_id", "ORDER"),
    ("pipeline.run.id", "ORDER"),
    ("bss.resource_id", "RESOURCE"),
    ("bss.billing.account_id", "ACCOUNT"),
    ("bss.billing.effective_date", "DATE"),
    ("plugin.digest", "DIGEST"),
    ("plugin.version", "VERSION"),
    ("plugin.cpu.time", "SECONDS"),
    ("plugin.memory.peak", "BYTES"),
    ("inventory_pool.probes", "PROBES"),
    ("restconf.path", "PATH"),
    ("server.port", "PORT"),
    ("url.full", "URL"),
];

/// The spans of items that are looked up beside each other: they are in the order of what they say.
const PARALLEL: &str = "bss.order.decompose";

/// A request has the time of its call: which of the two is over first is a matter of chance.
const CALL_OVER: &str = "\"the call ended before the answer came\" {error.type=\"host.cancelled\"";
const REQUEST_OVER: &str = "\"ConnectionReadTimeout\" {error.type=\"_OTHER\"";

/// The spans of a trace, children below their parents. A span that arrived twice is there once.
pub(crate) fn tree(arrived: &[Arrived], trace_id: &str, words: &[(String, &str)]) -> String {
    let mut spans: BTreeMap<String, &Arrived> = BTreeMap::new();
    // Which keys a plugin reads depends on what others did before.
    let shown = |arrived: &&Arrived| hex(&arrived.span.trace_id) == trace_id && !arrived.span.name.starts_with("keyvalue.");
    for span in arrived.iter().filter(shown) {
        spans.entry(span.id()).or_insert(span);
    }
    let drawing = Drawing { words: resources(&spans).chain(words.iter().cloned()).collect(), spans };
    let roots = drawing.spans.values().filter(|span| !drawing.spans.contains_key(&hex(&span.span.parent_span_id)));
    let drawn: Vec<String> = roots.map(|root| drawing.draw(root, 0)).collect();
    drawn.concat().replace(CALL_OVER, REQUEST_OVER)
}

/// Resources as they are named in the texts of failures, the longest first: one may be the beginning of another.
fn resources<'a>(spans: &BTreeMap<String, &Arrived>) -> impl Iterator<Item = (String, &'a str)> + use<'a> {
    let ids: BTreeSet<&str> = spans.values().filter_map(|arrived| arrived.text("bss.resource_id")).collect();
    let mut ids: Vec<_> = ids.into_iter().map(|id| (id.replace('/', "%2F"), "RESOURCE")).collect();
    ids.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
    ids.into_iter()
}

struct Drawing<'a> {
    spans: BTreeMap<String, &'a Arrived>,
    /// Texts that differ from run to run, and what is shown in their place.
    words: Vec<(String, &'a str)>,
}

impl Drawing<'_> {
    fn draw(&self, arrived: &Arrived, depth: usize) -> String {
        let line = format!("{}{}\n", "  ".repeat(depth), self.line(arrived));
        let below = self.spans.values().filter(|span| span.span.parent_span_id == arrived.span.span_id);
        let mut below: Vec<(u64, &str, String)> =
            below.map(|span| (span.span.start_time_unix_nano, span.span.name.as_str(), self.draw(span, depth + 1))).collect();
        let first = below.iter().filter(|(_, name, _)| *name == PARALLEL).map(|(start, ..)| *start).min();
        below.iter_mut().filter(|(_, name, _)| *name == PARALLEL).for_each(|(start, ..)| *start = first.unwrap_or(*start));
        below.sort();
        below.into_iter().fold(line, |line, (_, _, drawn)| line + &drawn)
    }

    fn line(&self, arrived: &Arrived) -> String {
        let Arrived { scope, span, .. } = arrived;
        let status = span.status.clone().unwrap_or_default();
        let status = match status.code() {
            StatusCode::Unset => "unset".to_owned(),
            StatusCode::Ok => "OK".to_owned(),
            StatusCode::Error => format!("ERROR {:?}", self.plain(&status.message)),
        };
        let kind = match span.kind() {
            SpanKind::Internal => "",
            SpanKind::Server => "SERVER ",
            SpanKind::Client => "CLIENT ",
            other => panic!("{other:?}"),
        };
        let remote = span.flags & SpanFlags::ContextIsRemoteMask as u32 != 0;
        let remote = if remote { "(under a remote span) " } else { "" };
        let (events, links) = (span.events.iter().map(|event| self.event(event)), self.links(span));
        format!(
            "{} [{}] {kind}{remote}{status} {{{}}}{}{links}",
            span.name,
            scope.name,
            self.attributes(&span.attributes),
            events.collect::<String>()
        )
    }

    fn event(&self, event: &Event) -> String {
        format!(" event {} {{{}}}", event.name, self.attributes(&event.attributes))
    }

    /// A link is shown by what it leads to: which one of the spans of that name, by their beginnings.
    fn links(&self, span: &Span) -> String {
        let shown = span.links.iter().map(|link| {
            assert_eq!(link.trace_id, span.trace_id, "links stay within a trace");
            let target = self.spans.get(&hex(&link.span_id)).map_or_else(|| "nothing".to_owned(), |target| self.place(&target.span));
            format!(" link {{{}}} to {target}", self.attributes(&link.attributes))
        });
        shown.collect()
    }

    fn place(&self, span: &Span) -> String {
        let same = self.spans.values().filter(|other| other.span.name == span.name && other.span.parent_span_id == span.parent_span_id);
        let earlier = same.filter(|other| other.span.start_time_unix_nano < span.start_time_unix_nano).count();
        format!("{} #{}", span.name, earlier + 1)
    }

    fn attributes(&self, attributes: &[KeyValue]) -> String {
        // A backtrace is there when the guest was stopped by its own engine, which is a matter of chance.
        let certain = attributes.iter().filter(|pair| pair.key != "exception.stacktrace");
        let mut shown: Vec<String> = certain.map(|pair| format!("{}={}", pair.key, self.value(&pair.key, pair.value.as_ref()))).collect();
        shown.sort();
        shown.join(" ")
    }

    /// The type is seen by the form: texts are quoted, doubles have a point.
    fn value(&self, key: &str, value: Option<&AnyValue>) -> String {
        let varying = VARYING.iter().find(|(known, _)| *known == key).map(|(_, shown)| *shown);
        match (value.and_then(|AnyValue { value }| value.as_ref()), varying) {
            (Some(Value::StringValue(_)), Some(shown)) => format!("{shown:?}"),
            (Some(Value::StringValue(text)), None) => format!("{:?}", self.plain(text)),
            (Some(Value::IntValue(_)), Some(shown)) => shown.to_owned(),
            (Some(Value::IntValue(number)), None) => number.to_string(),
            (Some(Value::DoubleValue(_)), Some(shown)) => format!("{shown}.0"),
            (Some(Value::DoubleValue(number)), None) => format!("{number:?}"),
            (Some(Value::BoolValue(flag)), _) => flag.to_string(),
            (Some(Value::ArrayValue(array)), _) => {
                format!("[{}]", array.values.iter().map(|value| self.value(key, Some(value))).collect::<Vec<_>>().join(", "))
            }
            (other, _) => panic!("{key}: {other:?}"),
        }
    }

    fn plain(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}
