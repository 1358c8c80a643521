//! A hostile guest's telemetry.

use std::sync::{Arc, Mutex};

use engine::port::{CallEnd, SpanContext};

use super::*;

struct Span(SpanContext, Arc<Mutex<Vec<SpanItem>>>);

impl CallSpan for Span {
    fn context(&self) -> &SpanContext {
        &self.0
    }

    fn record(&mut self, item: SpanItem) {
        self.1.lock().unwrap().push(item);
    }

    fn end(self: Box<Self>, _end: CallEnd) {}
}

fn guest() -> (GuestTelemetry, Arc<Mutex<Vec<SpanItem>>>) {
    let items = Arc::new(Mutex::new(Vec::new()));
    let context = SpanContext { trace_id: "1".repeat(32), span_id: "2".repeat(16), sampled: true, trace_state: String::new() };
    (GuestTelemetry::new(Box::new(Span(context, Arc::clone(&items))), &Limits::default()), items)
}

fn attribute(key: &str, value: Value) -> Attribute {
    Attribute { key: key.to_owned(), value }
}

fn dropped(items: &Mutex<Vec<SpanItem>>) -> Vec<(&'static str, &'static str, u64)> {
    let items = items.lock().unwrap();
    let one = |item: &SpanItem| match item {
        SpanItem::Dropped { signal, reason, count } => Some((*signal, *reason, *count)),
        SpanItem::Attributes(_) | SpanItem::Event { .. } | SpanItem::Log { .. } | SpanItem::Measured(_) => None,
    };
    items.iter().filter_map(one).collect()
}

#[test]
fn attributes_are_kept_once_and_the_last_value_counts() {
    let (mut guest, items) = guest();
    guest.annotate(vec![attribute("acme.port", Value::Int(1)), attribute("acme.level", Value::Float(0.5))]);
    guest.annotate(vec![attribute("acme.port", Value::Int(2))]);
    guest.flush();
    let expected = vec![("acme.port".to_owned(), AttributeValue::Int(2)), ("acme.level".to_owned(), AttributeValue::Float(0.5))];
    assert_eq!(*items.lock().unwrap(), [SpanItem::Attributes(expected)]);
}

#[test]
fn what_a_guest_may_not_say_is_dropped_and_counted() {
    let (mut guest, items) = guest();
    let keys = ["plugin.name", "error.type", "Acme.Port", "", "acme port", &"k".repeat(65)];
    guest.annotate(keys.iter().map(|key| attribute(key, Value::Int(1))).collect());
    guest.annotate(vec![attribute("acme.level", Value::Float(f64::NAN))]);
    guest.annotate((0..70).map(|index| attribute(&format!("acme.n{index}"), Value::Flag(true))).collect());
    for _ in 0..100 {
        guest.event("happened".to_owned(), Vec::new());
    }
    for _ in 0..1000 {
        guest.log(LogLevel::Info, "line", Vec::new());
    }
    guest.flush();
    let expected = [
        ("attributes", "reserved_key", 2),
        ("attributes", "invalid_key", 4),
        ("attributes", "not_finite", 1),
        ("attributes", "limit", 6),
        ("events", "limit", 36),
        ("logs", "limit", 744),
    ];
    assert_eq!(dropped(&items), expected);
    assert_eq!(guest.attributes.len(), 64);
}

#[test]
fn texts_are_cut_and_lose_control_characters() {
    assert_eq!(printable("one\ntwo\u{1b}[31m", 100), "onetwo[31m");
    assert_eq!(printable(&"ä".repeat(600), 1024).len(), 1024);
    assert_eq!(printable(&format!("a{}", "ä".repeat(600)), 1024).len(), 1023);
    assert_eq!(converted(Value::Ints(vec![1, 2])), Some(AttributeValue::Texts(vec!["1".to_owned(), "2".to_owned()])));
    let Some(AttributeValue::Texts(texts)) = converted(Value::Flags(vec![true; 100])) else { panic!("expected texts") };
    assert_eq!(texts.len(), 64);
}
