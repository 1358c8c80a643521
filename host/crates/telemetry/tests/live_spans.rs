//! Spans that packs record themselves: where they hang, what is left out, and that what is said of them is as the registry says.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{options, receiver};
use engine::port::{LiveSpan, LiveSpans, SpanContext};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use pipeline::{PipelineName, Timestamp};
use telemetry::{
    ExporterOptions, Target, Telemetry,
    checker::{Capture, check_traces},
    policy::{Pii, Policy},
};

async fn started(pii: Pii) -> (Telemetry, receiver::Received) {
    let (received, url) = receiver::http().await;
    let exporters = vec![ExporterOptions::new("main", Target::OtlpHttp { endpoint: Some(url) })];
    let options = telemetry::Options { policy: Policy { pii, ..Policy::default() }, ..options(&Arc::default(), exporters) };
    (Telemetry::start(options).await.unwrap(), received)
}

fn live(telemetry: &Telemetry, sampled: bool) -> Arc<dyn LiveSpans> {
    telemetry.live_spans(Arc::new(move |_, _| sampled))
}

fn inform(context: &SpanContext) -> LiveSpan {
    LiveSpan {
        scope: "cpe.acs",
        name: "cpe.inform".to_owned(),
        client: false,
        context: Some(context.clone()),
        parent: None,
        links: Vec::new(),
        started: Timestamp(1_000_000),
        ended: Timestamp(3_000_000),
        attributes: vec![("cpe.serial_number".to_owned(), "SN-42".into()), ("cpe.oui".to_owned(), "00D09E".into())],
        error: None,
    }
}

fn rpc(parent: &SpanContext) -> LiveSpan {
    LiveSpan {
        name: "cwmp SetParameterValues".to_owned(),
        client: true,
        context: None,
        parent: Some(parent.clone()),
        attributes: vec![("cpe.rpc.method".to_owned(), "SetParameterValues".into()), ("cpe.fault_code".to_owned(), "9007".into())],
        error: Some(("cwmp.fault".to_owned(), "Invalid parameter value".to_owned())),
        // The clock stepped back meanwhile.
        ended: Timestamp(500_000),
        ..inform(parent)
    }
}

fn cpe() -> PipelineName {
    PipelineName::new("cpe").unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn what_a_pack_records_hangs_where_it_says_and_is_as_the_registry_says() {
    let (telemetry, received) = started(Pii::Emit).await;
    let live = live(&telemetry, true);
    let (run, session) = (live.root(&cpe()), live.root(&cpe()));
    live.record(rpc(&session));
    live.record(inform(&run));
    live.record(LiveSpan { links: vec![(run.clone(), "session_of")], ..inform(&session) });
    assert!(telemetry.flush(Duration::from_secs(30)).await);

    let spans = received.spans();
    let of = |context: &SpanContext| spans.iter().find(|span| hex(&span.span_id) == context.span_id).unwrap();
    let rpc = spans.iter().find(|span| span.name == "cwmp SetParameterValues").unwrap();
    assert_eq!((hex(&rpc.parent_span_id), hex(&rpc.trace_id), rpc.kind()), (session.span_id.clone(), session.trace_id.clone(), SpanKind::Client));
    let status = rpc.status.clone().unwrap();
    assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "Invalid parameter value"));
    assert_eq!(rpc.start_time_unix_nano, rpc.end_time_unix_nano);
    let link = |span: &Span| span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect::<Vec<_>>();
    assert_eq!(link(of(&session)), [(run.trace_id.clone(), run.span_id.clone())]);
    assert!(link(of(&run)).is_empty() && of(&run).parent_span_id.is_empty());
    assert_eq!(check_traces(&received.traces(), Capture::Whole), []);
}

#[tokio::test]
async fn links_beyond_the_most_of_a_span_are_counted_as_dropped() {
    let (telemetry, received) = started(Pii::Emit).await;
    let live = live(&telemetry, true);
    for count in [128, 130] {
        let links = (0..count).map(|_| (live.root(&cpe()), "session_of")).collect();
        live.record(LiveSpan { links, ..inform(&live.root(&cpe())) });
    }
    assert!(telemetry.flush(Duration::from_secs(30)).await);
    let mut links: Vec<_> = received.spans().iter().map(|span| (span.links.len(), span.dropped_links_count)).collect();
    links.sort_unstable();
    assert_eq!(links, [(128, 0), (128, 2)]);
}

#[tokio::test]
async fn a_trace_that_is_not_sampled_leaves_no_span_and_personal_values_stay_where_the_operator_wants_them() {
    let (telemetry, received) = started(Pii::Drop).await;
    let (silent, loud) = (live(&telemetry, false), live(&telemetry, true));
    let (unsampled, sampled) = (silent.root(&cpe()), loud.root(&cpe()));
    assert!(!silent.child(&unsampled).sampled);
    silent.record(rpc(&unsampled));
    silent.record(inform(&unsampled));
    loud.record(inform(&sampled));
    assert!(telemetry.flush(Duration::from_secs(30)).await);
    let spans = received.spans();
    let keys: Vec<_> = spans.iter().map(|span| span.attributes.iter().map(|attribute| attribute.key.as_str()).collect::<Vec<_>>()).collect();
    assert_eq!(keys, [["cpe.oui"]], "the serial number is personal");
}
