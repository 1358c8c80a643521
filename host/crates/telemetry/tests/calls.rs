//! Plugin calls: every one is measured, sampled ones have a span, guests stay within their limits.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{
    call::{call, end},
    options, receiver,
};
use engine::port::SpanItem;
use opentelemetry_proto::tonic::trace::v1::Span;
use pipeline::{AttributeValue, Provider};
use telemetry::{ExporterOptions, Target, Telemetry};

const LONG: Duration = Duration::from_secs(30);

async fn started() -> (Telemetry, receiver::Received) {
    let (received, url) = receiver::http().await;
    let telemetry =
        Telemetry::start(options(&Arc::default(), vec![ExporterOptions::new("main", Target::OtlpHttp { endpoint: Some(url) })])).await.unwrap();
    (telemetry, received)
}

fn keys(span: &Span) -> Vec<&str> {
    let mut keys: Vec<_> = span.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    keys.sort_unstable();
    keys
}

fn lines(telemetry: &Telemetry, part: &str) -> Vec<String> {
    telemetry.metrics_text().lines().filter(|line| line.contains(part) && !line.starts_with('#')).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_sampled_call_has_a_span_under_its_attempt() {
    let (telemetry, received) = started().await;
    let call = call(true);
    let span = telemetry.calls().begin(&call);
    let context = span.context().clone();
    assert_eq!((&context.trace_id, context.sampled), (&call.span.trace_id, true));
    assert_ne!(context.span_id, call.span.span_id);
    assert_eq!(span.outbound(), Some(&context), "requests of the call name it as their parent");
    assert_eq!(lines(&telemetry, "plugin_call_active"), [r#"plugin_call_active{otel_scope_name="jackfield.host",plugin_name="inventory-pool"} 1"#]);
    span.end(end(None));
    assert!(telemetry.flush(LONG).await);
    let span = received.spans().remove(0);
    assert_eq!(span.name, "plugin.call inventory-pool/apply");
    assert_eq!(span.parent_span_id, 0x00f0_67aa_0ba9_02b7_u64.to_be_bytes());
    assert_eq!(format!("{:016x}", u64::from_be_bytes(span.span_id.clone().try_into().unwrap())), context.span_id);
    let expected = [
        "pipeline.attempt",
        "pipeline.name",
        "pipeline.run.id",
        "pipeline.step.name",
        "plugin.cpu.time",
        "plugin.digest",
        "plugin.function",
        "plugin.memory.peak",
        "plugin.name",
        "plugin.outcome",
        "plugin.version",
    ];
    assert_eq!(keys(&span), expected);
    assert!(lines(&telemetry, "plugin_call_active")[0].ends_with(" 0"));
}

#[tokio::test]
async fn a_call_of_a_run_that_is_not_sampled_is_measured_and_hands_its_parent_on() {
    let (telemetry, received) = started().await;
    let call = call(false);
    let mut span = telemetry.calls().begin(&call);
    assert_eq!(span.context(), &call.span);
    span.record(SpanItem::Attributes(vec![("acme.port".to_owned(), AttributeValue::Int(1))]));
    span.end(end(None));
    assert!(telemetry.flush(LONG).await);
    assert!(received.spans().is_empty());
    let counted = r#"plugin_call_duration_seconds_count{otel_scope_name="jackfield.host",plugin_function="apply",plugin_name="inventory-pool"} 1"#;
    assert!(lines(&telemetry, "plugin_call_duration_seconds_count").contains(&counted.to_owned()));
}

#[tokio::test]
async fn a_failed_call_says_why_and_tells_no_exception_of_its_own() {
    let (telemetry, received) = started().await;
    telemetry.calls().begin(&call(true)).end(end(Some("plugin.trap")));
    telemetry.calls().begin(&call(true)).end(end(Some("not declared!")));
    drop(telemetry.calls().begin(&call(true)));
    assert!(telemetry.flush(LONG).await);
    let spans = received.spans();
    let status = spans[0].status.clone().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "unreachable executed"));
    assert!(spans.iter().all(|span| span.events.is_empty()));
    let counts = lines(&telemetry, "plugin_call_duration_seconds_count");
    for code in ["plugin.trap", "_OTHER", "host.cancelled"] {
        assert_eq!(
            counts.iter().filter(|line| line.contains(&format!("error_type=\"{code}\"")) && line.ends_with(" 1")).count(),
            1,
            "{code}: {counts:?}"
        );
    }
}

#[tokio::test]
async fn a_guest_adds_attributes_and_events_and_what_it_may_not_say_is_counted() {
    let (telemetry, received) = started().await;
    let mut span = telemetry.calls().begin(&call(true));
    span.record(SpanItem::Attributes(vec![("acme.port".to_owned(), 7_i64.into()), ("plugin.name".to_owned(), "forged".into())]));
    span.record(SpanItem::Attributes(vec![("acme.port".to_owned(), 8_i64.into())]));
    span.record(SpanItem::Event { name: "acme.locked".to_owned(), attributes: vec![("acme.big".to_owned(), "x".repeat(5000).into())] });
    for _ in 0..100_000 {
        span.record(SpanItem::Event { name: "flood".to_owned(), attributes: Vec::new() });
    }
    span.record(SpanItem::Dropped { signal: "attributes", reason: "type", count: 3 });
    span.end(end(None));
    assert!(telemetry.flush(LONG).await);
    let span = received.spans().remove(0);
    let ports: Vec<_> = span.attributes.iter().filter(|attribute| attribute.key == "acme.port").collect();
    assert_eq!(ports.len(), 1, "a key is set once");
    assert_eq!(span.events.len(), 64);
    assert_eq!(
        lines(&telemetry, "plugin_telemetry_dropped_total"),
        [
            r#"plugin_telemetry_dropped_total{otel_scope_name="jackfield.host",plugin_name="inventory-pool",reason="cut",signal="attributes"} 1"#,
            r#"plugin_telemetry_dropped_total{otel_scope_name="jackfield.host",plugin_name="inventory-pool",reason="key",signal="attributes"} 1"#,
            r#"plugin_telemetry_dropped_total{otel_scope_name="jackfield.host",plugin_name="inventory-pool",reason="limit",signal="events"} 99937"#,
            r#"plugin_telemetry_dropped_total{otel_scope_name="jackfield.host",plugin_name="inventory-pool",reason="type",signal="attributes"} 3"#,
        ]
    );
    assert_eq!(telemetry.health().guest_items_dropped, 1 + 1 + 99_937 + 3);
}

#[tokio::test]
async fn where_the_operator_lets_no_trace_context_out_requests_carry_none() {
    let mut options = options(&Arc::default(), Vec::new());
    options.propagates = false;
    let telemetry = Telemetry::start(options).await.unwrap();
    assert!(!telemetry.propagates());
    let (plugin, mut native) = (call(true), call(true));
    Arc::make_mut(&mut native.pin).provider = Provider::Native { name: "echo".to_owned() };
    for call in [plugin, native] {
        let span = telemetry.calls().begin(&call);
        assert_eq!((span.outbound(), span.context()), (None, &call.span));
        span.end(end(None));
    }
}

#[tokio::test]
async fn what_a_plugin_logs_keeps_personal_values_as_the_operator_wants_them() {
    use engine::port::LogLevel;
    let (received, url) = receiver::http().await;
    let mut options = options(&Arc::default(), vec![ExporterOptions::new("main", Target::OtlpHttp { endpoint: Some(url) })]);
    options.policy.pii = telemetry::policy::Pii::Drop;
    let telemetry = Telemetry::start(options).await.unwrap();
    let mut span = telemetry.calls().begin(&call(true));
    let attributes = vec![("bss.customer_id".to_owned(), "C-42".into()), ("acme.port".to_owned(), 7_i64.into())];
    span.record(SpanItem::Log { level: LogLevel::Info, message: "looked up".to_owned(), attributes: attributes.clone() });
    span.record(SpanItem::Event { name: "acme.looked_up".to_owned(), attributes: attributes.clone() });
    span.record(SpanItem::Attributes(attributes));
    span.end(end(None));
    assert!(telemetry.flush(LONG).await);
    let (log, span) = (received.logs().remove(0), received.spans().remove(0));
    for attributes in [&log.attributes, &span.events[0].attributes, &span.attributes] {
        assert!(attributes.iter().any(|attribute| attribute.key == "acme.port"));
        assert!(attributes.iter().all(|attribute| attribute.key != "bss.customer_id"));
    }
}

#[tokio::test]
async fn a_provider_inside_the_host_has_no_span_of_its_own() {
    let (telemetry, received) = started().await;
    let mut call = call(true);
    Arc::make_mut(&mut call.pin).provider = Provider::Native { name: "echo".to_owned() };
    let span = telemetry.calls().begin(&call);
    assert_eq!(span.context(), &call.span);
    span.end(end(None));
    assert!(telemetry.flush(LONG).await);
    assert!(received.spans().is_empty());
}

#[tokio::test]
async fn what_a_plugin_logs_arrives_under_its_span_over_both_protocols() {
    use engine::port::LogLevel;
    let (over_http, over_grpc) = (receiver::http().await, receiver::grpc().await);
    let targets = [(over_http.0, Target::OtlpHttp { endpoint: Some(over_http.1) }), (over_grpc.0, Target::OtlpGrpc { endpoint: Some(over_grpc.1) })];
    for (received, target) in targets {
        let telemetry = Telemetry::start(options(&Arc::default(), vec![ExporterOptions::new("main", target)])).await.unwrap();
        let mut span = telemetry.calls().begin(&call(true));
        for _ in 0..1000 {
            span.record(SpanItem::Log {
                level: LogLevel::Warn,
                message: "one\nforged line".to_owned(),
                attributes: vec![("acme.port".to_owned(), 7_i64.into())],
            });
        }
        span.end(end(None));
        assert!(telemetry.flush(LONG).await);
        let (logs, span) = (received.logs(), received.spans().remove(0));
        assert_eq!(logs.len(), 256);
        assert!(logs.iter().all(|log| log.span_id == span.span_id && log.trace_id == span.trace_id && log.severity_text == "WARN"));
        let body = logs[0].body.clone().unwrap();
        assert_eq!(body, "one forged line".to_owned().into_body());
        assert_eq!(telemetry.health().guest_items_dropped, 1000 - 256);
    }
}

trait IntoBody {
    fn into_body(self) -> opentelemetry_proto::tonic::common::v1::AnyValue;
}

impl IntoBody for String {
    fn into_body(self) -> opentelemetry_proto::tonic::common::v1::AnyValue {
        opentelemetry_proto::tonic::common::v1::AnyValue { value: Some(opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(self)) }
    }
}
