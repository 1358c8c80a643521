//! What an operator decides about telemetry, by configuration and environment, as it is seen outside of the real binary.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;

use end_to_end_tests::harness::{
    Host, Lab, Receiver, Setup,
    orders::{all_plugins, order},
};
use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{KeyValue, any_value::Value as Any},
    trace::v1::Span,
};
use package::hex;
use prost::Message;
use serde_json::{Value, json};
use telemetry::{
    Names,
    checker::{Capture, check_traces_named, decode_traces},
};

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// A host that sends its telemetry to a receiver.
fn setup(lab: &Lab, receiver: &Receiver, config: &str) -> Setup {
    let pools = json!({
        "port": {"element": "olt-1", "count": 8}, "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/28"}, "equipment": {"element": "warehouse", "count": 2},
    });
    all_plugins(lab, &pools).config(&format!("[telemetry]\notlp = {:?}\n{config}", receiver.url("http")))
}

/// An order of somebody who has a trace and baggage; everything is delivered when the host has ended.
fn play(setup: Setup) -> (Host, String) {
    let mut host = setup.start();
    let headers = [("traceparent", CALLER), ("tracestate", "vendor=1"), ("baggage", "customer=C-42")];
    let id = host.submit_with(&order("fibre-100"), &headers);
    host.wait(&id, &["completed"]);
    assert_eq!(host.terminate(), Some(0));
    (host, id)
}

fn traces(receiver: &Receiver) -> Vec<ExportTraceServiceRequest> {
    receiver.requests("traces").iter().map(|request| decode_traces(request).unwrap()).collect()
}

fn spans(receiver: &Receiver) -> Vec<Span> {
    let resources = traces(receiver).into_iter().flat_map(|request| request.resource_spans);
    resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
}

fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value.as_ref()?;
    let Any::StringValue(text) = value else { panic!("{key} is {value:?}") };
    Some(text)
}

/// What back ends were sent as `traceparent`.
fn outbound(lab: &Lab) -> Vec<Value> {
    let requests = ["catalogue", "element", "activation", "billing"].map(|back_end| lab.requests(back_end));
    requests.iter().flat_map(|requests| requests.as_array().unwrap()).map(|request| request["traceparent"].clone()).collect()
}

#[test]
fn a_callers_trace_is_joined_and_handed_on() {
    let (lab, receiver) = (Lab::start(), Receiver::start());
    play(setup(&lab, &receiver, ""));
    let traces: BTreeSet<String> = spans(&receiver).iter().map(|span| hex(&span.trace_id)).collect();
    assert_eq!(traces.into_iter().collect::<Vec<_>>(), [&CALLER[3..35]]);
    let outbound = outbound(&lab);
    assert!(outbound.len() > 5);
    assert!(outbound.iter().all(|header| header.as_str().is_some_and(|header| header.starts_with(&CALLER[..35]))), "{outbound:?}");
}

#[test]
fn without_the_propagator_a_caller_has_no_trace_and_back_ends_are_sent_none() {
    let (lab, receiver) = (Lab::start(), Receiver::start());
    play(setup(&lab, &receiver, "").environment("OTEL_PROPAGATORS", "baggage"));
    let spans = spans(&receiver);
    let root = spans.iter().find(|span| span.name == "bss.order.lifecycle").unwrap();
    assert!(root.parent_span_id.is_empty() && root.trace_state.is_empty(), "{root:?}");
    assert!(spans.len() > 10 && spans.iter().all(|span| span.trace_id == root.trace_id && hex(&span.trace_id) != CALLER[3..35]));
    let outbound = outbound(&lab);
    assert!(outbound.len() > 5 && outbound.iter().all(Value::is_null), "{outbound:?}");
}

#[test]
fn names_of_the_semantic_conventions_are_added_on_request() {
    let (lab, receiver) = (Lab::start(), Receiver::start());
    let (_, id) = play(setup(&lab, &receiver, "names = \"seed+semconv\""));
    let found: Vec<_> = check_traces_named(&traces(&receiver), Capture::Whole, Names::SeedAndSemconv).iter().map(ToString::to_string).collect();
    // The caller's own span is not ours to capture.
    assert_eq!(found, [""; 0]);
    for span in spans(&receiver).iter().filter(|span| span.name.starts_with("bss.") && !span.name.starts_with("bss.order.compensate")) {
        assert_eq!((text(&span.attributes, "bss.order_id"), text(&span.attributes, "bss.order.id")), (Some(id.as_str()), Some(id.as_str())));
    }
}

#[test]
fn orders_are_counted_by_channel_and_offering_on_request() {
    let lab = Lab::start();
    let pools = json!({"port": {"element": "olt-1", "count": 8}, "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/28"}});
    let config = "[telemetry.labels]\nchannel = [\"web\", \"retail\"]\nproduct_offering = [\"fibre-100\"]";
    let host = all_plugins(&lab, &pools).config(config).start();
    let counted = |channel: &str, offering: &str, status: &str| {
        let labels =
            format!(r#"{{channel="{channel}",otel_scope_name="bss.order_management",product_offering="{offering}",status="{status}",type="add"}}"#);
        let text = host.text("/metrics");
        let line =
            text.lines().find_map(|line| line.strip_prefix("bss_order_count_total")?.strip_prefix(&labels)).map(|value| value.trim().to_owned());
        line.unwrap_or_else(|| panic!("{labels} is not among\n{text}"))
    };
    assert_eq!(counted("retail", "_other", "cancelled"), "0", "every series is there before the first order");
    let mut by_pigeon = order("fibre-100");
    by_pigeon["channel"] = json!([{"id": "1", "name": "carrier pigeon"}]);
    for order in [by_pigeon, order("fibre-100")] {
        host.wait(&host.submit(&order), &["completed"]);
    }
    // A counter is shown once the store has it.
    while counted("web", "fibre-100", "completed") == "0" || counted("_other", "fibre-100", "completed") == "0" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for (channel, offering, count) in [("web", "fibre-100", "1"), ("_other", "fibre-100", "1"), ("retail", "fibre-100", "0"), ("web", "_other", "0")]
    {
        assert_eq!(counted(channel, offering, "submitted"), count, "{channel} {offering}");
    }
}

/// The bodies of log records, with the target that the host logged them under.
fn logged(receiver: &Receiver) -> Vec<(String, String)> {
    let requests = receiver.requests("logs").into_iter().map(|request| ExportLogsServiceRequest::decode(request.as_slice()).unwrap());
    let scopes = requests.flat_map(|request| request.resource_logs).flat_map(|resource| resource.scope_logs);
    let records = scopes.flat_map(|scope| {
        let target = scope.scope.unwrap_or_default().name;
        scope.log_records.into_iter().map(move |record| (target.clone(), record))
    });
    let body = |record: &opentelemetry_proto::tonic::logs::v1::LogRecord| match record.body.as_ref().and_then(|body| body.value.as_ref()) {
        Some(Any::StringValue(text)) => text.clone(),
        other => panic!("{other:?}"),
    };
    records.map(|(target, record)| (target, body(&record))).collect()
}

#[test]
fn the_hosts_own_log_goes_where_the_telemetry_goes_and_not_the_log_of_sending_it() {
    let (lab, receiver) = (Lab::start(), Receiver::start());
    let setup = setup(&lab, &receiver, "").environment("JACKFIELD_LOG", "trace").environment("OTEL_BLRP_SCHEDULE_DELAY", "50");
    let (_host, _) = play(setup);
    let logged = logged(&receiver);
    assert!(logged.iter().any(|(target, body)| target.starts_with("jackfield") && body.starts_with("serving on http://")), "{logged:?}");
    let exporting = ["opentelemetry", "telemetry", "hyper", "h2", "tonic", "tower", "reqwest", "rustls"];
    let looped: Vec<_> = logged.iter().filter(|(target, _)| exporting.iter().any(|name| target.starts_with(name))).collect();
    assert!(looped.is_empty(), "{looped:?}");
}

#[test]
fn log_records_stay_at_home_when_the_environment_says_so() {
    for (name, value) in [("OTEL_LOGS_EXPORTER", "none"), ("OTEL_SDK_DISABLED", "true")] {
        let (lab, receiver) = (Lab::start(), Receiver::start());
        let (host, _) = play(setup(&lab, &receiver, "").environment(name, value));
        assert_eq!(receiver.requests("logs"), Vec::<Vec<u8>>::new(), "{name}");
        assert_eq!(receiver.requests("traces").is_empty(), name == "OTEL_SDK_DISABLED", "{name}");
        assert!(host.log().contains("serving on http://"), "standard error has it all the same");
    }
}
