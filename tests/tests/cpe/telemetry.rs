//! What a receiver is told of devices: every span and every point as the registry says.

use std::collections::BTreeSet;

use ::telemetry::checker::{Capture, check_traces};
use end_to_end_tests::harness::{Host, Lab, Receiver, until};
use lab::device::{Lie, Model};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    trace::v1::{Span, span::SpanKind, status::StatusCode},
};
use prost::Message;
use serde_yaml_ng::Value;

use super::support::{counts, device, session, settled, setup};

fn traces(receiver: &Receiver) -> Vec<ExportTraceServiceRequest> {
    receiver.requests("traces").iter().map(|bytes| ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap()).collect()
}

fn spans(receiver: &Receiver) -> Vec<Span> {
    let scopes = traces(receiver).into_iter().flat_map(|request| request.resource_spans).flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

/// The spans of that name.
fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

fn failed(span: &Span) -> Option<&str> {
    span.status.as_ref().filter(|status| status.code() == StatusCode::Error).map(|status| status.message.as_str())
}

fn told(lab: &Lab, receiver: &Receiver) -> Host {
    let more = format!(
        "[cpe.provisioning]\nallow_unproven = true\non_verify_failure = \"fail\"\nverify = {{ max_attempts = 1 }}\n[telemetry]\notlp = \"{}\"\nsampling = {{ cpe_periodic = 0.0 }}",
        receiver.url("http")
    );
    setup(lab, "auth = \"none\"", &more).start()
}

#[test]
fn every_span_of_a_device_is_as_the_registry_says_and_no_secret_is_in_any() {
    let (lab, receiver) = (Lab::start(), Receiver::start());
    let host = told(&lab, &receiver);
    let router = device(&host, Model::Tr181Router, "R0000002", |_| {});
    let liar = device(&host, Model::Tr098Ont, "F0000001", |options| options.faults.lie = Some(Lie::Everything));
    let stranger = device(&host, Model::Tr181Router, "R9999999", |_| {});
    for device in [&router, &liar, &stranger] {
        session(device, &["0 BOOTSTRAP", "1 BOOT"]);
    }
    // Nobody wants to hear of the first; the second has something to tell.
    session(&router, &["2 PERIODIC"]);
    session(&router, &["2 PERIODIC", "4 VALUE CHANGE"]);
    settled(&host);
    let results = ["success", "unknown_device", "verification_failed"];
    let counted = || counts(&host).into_iter().filter(|(_, count)| *count > 0.0).map(|(result, _)| result).collect::<Vec<_>>();
    until("the results", || counted().len() == results.len());
    assert_eq!(counted(), results);

    until("the spans", || named(&spans(&receiver), "cpe.inform").len() == 4 && named(&spans(&receiver), "cpe.provision.verify").len() == 2);
    let spans = spans(&receiver);
    let rpcs: Vec<&Span> = spans.iter().filter(|span| span.name.starts_with("cwmp ")).collect();
    assert!(rpcs.len() >= 4 && rpcs.iter().all(|span| span.kind() == SpanKind::Client), "{rpcs:#?}");
    let mut roots: Vec<Option<&str>> = named(&spans, "cpe.inform").into_iter().map(failed).collect();
    roots.sort_unstable();
    assert_eq!(roots.iter().filter(|root| root.is_none()).count(), 2, "{roots:?}");
    assert_eq!(named(&spans, "cpe.provision.authenticate").into_iter().filter_map(failed).collect::<Vec<_>>(), ["Device not in inventory"]);
    let verified: Vec<_> = named(&spans, "cpe.provision.verify").into_iter().filter_map(failed).collect();
    assert_eq!(verified, ["Config verification failed"]);
    assert_eq!(check_traces(&traces(&receiver), Capture::Whole).iter().map(ToString::to_string).collect::<Vec<_>>(), Vec::<String>::new());

    let secret = router.value("Device.WiFi.AccessPoint.1.Security.KeyPassphrase").unwrap();
    let signals = ["traces", "metrics", "logs"].map(|signal| receiver.requests(signal)).concat();
    assert!(signals.iter().all(|request| !request.windows(secret.len()).any(|window| window == secret.as_bytes())));
}

/// What the configuration in the source document of this pipeline got wrong: its filter stood in no pipeline.
#[test]
fn the_sample_for_a_collector_uses_everything_that_it_defines() {
    let sample: Value = serde_yaml_ng::from_str(include_str!("../../../host/docs/telemetry/collector-cpe.yaml")).unwrap();
    let pipelines = sample["service"]["pipelines"].as_mapping().unwrap();
    for kind in ["receivers", "processors", "exporters"] {
        let defined: BTreeSet<&str> = sample[kind].as_mapping().unwrap().keys().map(|name| name.as_str().unwrap()).collect();
        let used = pipelines.values().flat_map(|pipeline| pipeline[kind].as_sequence().unwrap()).map(|name| name.as_str().unwrap());
        assert_eq!(used.collect::<BTreeSet<_>>(), defined, "{kind}");
    }
    // Whole traces are judged, and what failed is kept.
    assert_eq!(sample["service"]["pipelines"]["traces"]["processors"][0], "tail_sampling");
    let policies = sample["processors"]["tail_sampling"]["policies"].as_sequence().unwrap();
    assert!(policies.iter().any(|policy| policy["status_code"]["status_codes"][0] == "ERROR"));
}
