//! Spans below a call, and metrics of plugins: where they arrive, under which names, and that nothing of the host's can be imitated.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{
    call::{call, end},
    options, receiver,
};
use engine::port::{CallSpan, ChildKind, GuestMeasurement, NewSpan, SpanContext, SpanItem};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};
use telemetry::{
    ExporterOptions, Target, Telemetry,
    checker::{Capture, check_traces},
};

const LONG: Duration = Duration::from_secs(30);

async fn started() -> (Telemetry, receiver::Received) {
    let (received, url) = receiver::http().await;
    let telemetry =
        Telemetry::start(options(&Arc::default(), vec![ExporterOptions::new("main", Target::OtlpHttp { endpoint: Some(url) })])).await.unwrap();
    (telemetry, received)
}

fn begin(call: &dyn CallSpan, under: &SpanContext, name: &'static str, kind: ChildKind) -> Box<dyn engine::port::ChildSpan> {
    call.children().unwrap().begin(under, NewSpan { name: name.into(), kind, attributes: Vec::new() })
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span `{name}`"))
}

#[tokio::test]
async fn spans_below_a_call_are_below_each_other_and_in_their_scopes() {
    let (telemetry, received) = started().await;
    let span = telemetry.calls().begin(&call(true));
    let own = span.context().clone();
    let mut guest = begin(&*span, &own, "acme.lookup", ChildKind::Guest);
    guest.record(SpanItem::Attributes(vec![("acme.port".to_owned(), 1_i64.into())]));
    guest.record(SpanItem::Attributes(vec![("acme.port".to_owned(), 2_i64.into())]));
    guest.record(SpanItem::Event { name: "acme.found".to_owned(), attributes: Vec::new() });
    let mut client = begin(&*span, guest.context(), "GET", ChildKind::Client);
    client.record(SpanItem::Attributes(vec![("http.request.method".to_owned(), "GET".into())]));
    let outbound = client.context().clone();
    client.end(Some(("plugin.denied".to_owned(), "not allowed".to_owned())));
    drop(begin(&*span, guest.context(), "keyvalue.get", ChildKind::Host));
    let parent = guest.context().clone();
    guest.end(Some(("no_port".to_owned(), "none is free".to_owned())));
    // A name of the host's own is not for plugins.
    drop(begin(&*span, &own, "bss.order.lifecycle", ChildKind::Guest));
    span.end(end(None));
    assert!(telemetry.flush(LONG).await);

    let spans = received.spans();
    let id = |span: &Span| span.span_id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let above = |span: &Span| span.parent_span_id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (guest, client) = (named(&spans, "acme.lookup"), named(&spans, "GET"));
    assert_eq!((above(guest), id(guest)), (own.span_id.clone(), parent.span_id.clone()));
    assert_eq!((above(client), id(client), client.kind()), (parent.span_id.clone(), outbound.span_id, SpanKind::Client));
    assert_eq!(above(named(&spans, "keyvalue.get")), parent.span_id);
    assert_eq!(above(named(&spans, "plugin.span")), own.span_id);
    assert!(spans.iter().all(|span| span.trace_id == spans[0].trace_id && span.name != "bss.order.lifecycle"));
    assert_eq!((guest.attributes.len(), guest.events.len(), guest.status.clone().unwrap().message.as_str()), (3, 1, "none is free"));
    // Every one of them is as the registry says.
    assert_eq!(check_traces(&received.traces(), Capture::Partial), []);
    // Only a host that was killed leaves what it did for a call without what that is below.
    let mut orphans = received.traces();
    let scopes = orphans.iter_mut().flat_map(|request| &mut request.resource_spans).flat_map(|resource| &mut resource.scope_spans);
    scopes.for_each(|scope| scope.spans.retain(|span| span.name != "acme.lookup"));
    let missing = |capture| check_traces(&orphans, capture).into_iter().map(|violation| violation.subject).collect::<Vec<_>>();
    let attempts = "plugin.call inventory-pool/apply";
    assert_eq!(missing(Capture::Whole), ["GET", "keyvalue.get", attempts]);
    assert_eq!(missing(Capture::Killed), [attempts], "its attempt is no part of this");
}

#[tokio::test]
async fn a_run_that_is_not_sampled_has_no_spans_below_its_calls() {
    let (telemetry, _received) = started().await;
    let span = telemetry.calls().begin(&call(false));
    assert!(span.children().is_none());
    span.end(end(None));
}

#[tokio::test]
async fn metrics_of_plugins_carry_their_name_and_cannot_be_the_host_s() {
    let (telemetry, _received) = started().await;
    let measured = |name: &str, counter: bool, value: f64| {
        SpanItem::Measured(GuestMeasurement {
            name: name.to_owned(),
            counter,
            unit: "{port}".to_owned(),
            description: "Ports".to_owned(),
            value,
            labels: vec![("speed".to_owned(), "10g".to_owned())],
        })
    };
    // Measured whether the run is sampled or not.
    for sampled in [true, false] {
        let mut span = telemetry.calls().begin(&call(sampled));
        span.record(measured("acme.ports", true, 2.0));
        span.record(measured("acme.took", false, 0.5));
        span.record(measured("bss.order.count", true, 1_000.0));
        span.end(end(None));
    }
    let text = telemetry.metrics_text();
    let line = |part: &str| text.lines().find(|line| line.starts_with(part)).unwrap_or_else(|| panic!("no `{part}` in\n{text}"));
    let ports = line("acme_ports");
    assert!(ports.ends_with(" 4") && ports.contains(r#"plugin_name="inventory-pool""#) && ports.contains(r#"speed="10g""#), "{ports}");
    assert!(text.lines().any(|line| line.starts_with("acme_took") && line.contains("_count{") && line.ends_with(" 2")), "{text}");
    assert!(!text.lines().any(|line| line.starts_with("bss_order_count") && line.ends_with("000")));
    assert_eq!(telemetry.health().guest_items_dropped, 2);
}
