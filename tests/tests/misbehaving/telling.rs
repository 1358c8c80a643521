//! Spans, measurements and log lines beyond every limit: cut or dropped, counted, and nobody else's trace is disturbed.

use end_to_end_tests::runtime::{Bench, Child, receipt};
use engine::port::{CallReport, ChildKind, SpanItem};
use plugin_runtime::{Grant, Limits, Options};

use crate::{MEMORY, element::Element, floods::dropped, grant, misbehave, options, works};

/// What one call said.
struct Said {
    report: CallReport,
    items: Vec<SpanItem>,
    children: Vec<Child>,
}

/// Makes a call that comes back, between two of a neighbour.
async fn told(behaviour: &str) -> Said {
    let _shared = MEMORY.read().await;
    let element = Element::start();
    let bench = Bench::new(Options { limits: Limits { cpu_ms: 120_000, ..options().limits }, ..options() });
    let bad = bench.load_built("misbehaving", &grant(&element)).await;
    let neighbour = bench.load_built("noop", &Grant::default()).await;
    works(&bench, &neighbour).await;
    drop((bench.spans.take_items(), bench.spans.take_children()));
    let report = bench.call(misbehave(&bad, behaviour, false)).await;
    let said = Said { report, items: bench.spans.take_items(), children: bench.spans.take_children() };
    works(&bench, &neighbour).await;
    said
}

#[tokio::test]
async fn of_a_hundred_thousand_spans_a_few_are_kept_and_none_is_deeper_than_eight() {
    let Said { report, items, children } = told("spans").await;
    receipt(&report);
    assert_eq!(children.len(), 64);
    let depth = |child: &Child| {
        let above = std::iter::successors(Some(child), |below| children.iter().find(|other| other.id == below.parent));
        above.count()
    };
    assert_eq!(children.iter().map(depth).max(), Some(8));
    assert_eq!(children.iter().filter(|child| child.name == "fixture.nested").count(), 8);
    assert!(children.iter().all(|child| child.kind == ChildKind::Guest && child.failed.is_none()));
    assert_eq!(dropped(&items), [("spans", "depth", 42), ("spans", "limit", 100_000 - 56)]);
}

#[tokio::test]
async fn a_span_is_below_the_innermost_and_one_that_is_left_open_is_unfinished() {
    let Said { report, items, children } = told("open-span").await;
    receipt(&report);
    let [inner, outer] = children.as_slice() else { panic!("{children:?}") };
    assert_eq!((inner.name.as_str(), inner.parent.as_str(), outer.name.as_str()), ("fixture.inner", outer.id.as_str(), "fixture.outer"));
    assert_eq!(inner.failed, Some(("declared".to_owned(), "as it should".to_owned())));
    assert_eq!(inner.events, [("fixture.happened".to_owned(), Vec::new())]);
    assert_eq!(outer.failed, Some(("_OTHER".to_owned(), "unfinished".to_owned())));
    assert_eq!(outer.attributes, [("fixture.number".to_owned(), 7_i64.into())]);
    assert_eq!(dropped(&items), []);
}

#[tokio::test]
async fn names_and_texts_of_spans_are_bounded() {
    let Said { report, items, children } = told("span-texts").await;
    receipt(&report);
    let (texts, unnamed): (Vec<_>, Vec<_>) = children.iter().partition(|child| child.name == "fixture.texts");
    assert_eq!(unnamed.len(), 43);
    assert!(unnamed.iter().all(|child| child.name == "plugin.span"));
    let [texts] = texts.as_slice() else { panic!("{texts:?}") };
    assert_eq!(texts.attributes, [("fixture.long".to_owned(), "a".repeat(1_024).as_str().into())]);
    assert!(texts.events.is_empty());
    assert_eq!(dropped(&items), [("events", "undeclared", 1), ("spans", "name", 43), ("spans", "reserved_key", 2)]);
}

#[tokio::test]
async fn ten_thousand_values_of_a_label_are_one_series() {
    let Said { report, items, .. } = told("labels").await;
    receipt(&report);
    let measured: Vec<_> = items.iter().filter_map(|item| if let SpanItem::Measured(it) = item { Some(it) } else { None }).collect();
    assert_eq!(measured.len(), 1_000);
    assert!(measured.iter().all(|it| it.labels == [("way".to_owned(), "_other".to_owned())] && it.counter));
    let expected = [("metrics", "kind", 1), ("metrics", "limit", 9_000), ("metrics", "undeclared", 1), ("metrics", "value", 1)];
    assert_eq!(dropped(&items), expected);
}

#[tokio::test]
async fn measurements_that_are_declared_arrive_with_their_labels() {
    let Said { report, items, .. } = told("measured").await;
    receipt(&report);
    let measured: Vec<_> = items
        .iter()
        .filter_map(|item| if let SpanItem::Measured(it) = item { Some((it.name.as_str(), it.counter, it.value, it.unit.as_str())) } else { None })
        .collect();
    assert_eq!(measured, [("fixture.tried", true, 2.0, "{try}"), ("fixture.took", false, 0.25, "s")]);
    assert_eq!(dropped(&items), []);
}

#[tokio::test]
async fn a_log_record_is_one_line() {
    let Said { report, items, .. } = told("lines").await;
    receipt(&report);
    let lines: Vec<_> =
        items.iter().filter_map(|item| if let SpanItem::Log { message, .. } = item { Some(message.as_str()) } else { None }).collect();
    assert_eq!(lines, ["oneERROR two[31mthree"]);
}

#[tokio::test]
async fn requests_and_keys_have_spans_of_the_host_s() {
    let Said { children, .. } = told("requests").await;
    let gets: Vec<_> = children.iter().filter(|child| child.kind == ChildKind::Client).collect();
    // The one after them was denied, because the call had made as many as it may.
    assert_eq!(gets.len(), 256);
    let value = |child: &Child, key: &str| child.attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
    assert_eq!((gets[0].name.as_str(), gets[0].parent.as_str()), ("GET", "00f067aa0ba902b7"));
    assert_eq!((value(gets[0], "http.request.method"), value(gets[0], "http.response.status_code")), (Some("GET".into()), Some(204_i64.into())));
    assert_eq!(value(gets[0], "server.address"), Some("127.0.0.1".into()));
    assert!(gets.iter().all(|get| get.failed.is_none()));

    let Said { children, items, .. } = told("keys").await;
    let sets = children.iter().filter(|child| child.name == "keyvalue.set" && child.kind == ChildKind::Host).count();
    assert_eq!((sets, children.len()), (64, 64));
    assert_eq!(dropped(&items).iter().map(|(signal, reason, _)| (*signal, *reason)).collect::<Vec<_>>(), [("spans", "host_limit")]);
}
