//! Log records: what plugins log, and exceptions where the operator wants them so.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{history::unwound, options, receiver};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use telemetry::{ExporterOptions, Target, Telemetry, policy::Exceptions};

const LONG: Duration = Duration::from_secs(30);

/// The exceptions of an order that fails, as events of spans and as log records.
async fn exceptions(mode: Exceptions) -> (usize, usize) {
    let directory = tempfile::tempdir().unwrap();
    let (received, url) = receiver::http().await;
    let logs = directory.path().join("logs.jsonl");
    let file = Target::File { traces: directory.path().join("spans.jsonl"), metrics: None, logs: Some(logs.clone()), max_bytes: 1 << 20 };
    let mut http = ExporterOptions::new("http", Target::OtlpHttp { endpoint: Some(url) });
    http.logs = false;
    let mut options = options(&Arc::default(), vec![http, ExporterOptions::new("file", file)]);
    options.policy.exceptions = mode;
    let telemetry = Telemetry::start(options).await.unwrap();
    for observer in telemetry.observers() {
        observer.observe(&unwound(1).transitions).await.unwrap();
    }
    assert!(telemetry.flush(LONG).await);
    let events = received.spans().iter().map(|span| span.events.len()).sum();
    let text = std::fs::read_to_string(logs).unwrap();
    let requests: Vec<ExportLogsServiceRequest> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let records =
        requests.iter().flat_map(|request| &request.resource_logs).flat_map(|resource| &resource.scope_logs).flat_map(|scope| &scope.log_records);
    let failed: Vec<_> = received.spans().into_iter().filter(|span| span.name == "bss.inventory.allocate.vlan").collect();
    let mut count = 0;
    for record in records {
        assert_eq!((record.event_name.as_str(), &record.span_id, &record.trace_id), ("exception", &failed[0].span_id, &failed[0].trace_id));
        let mut keys: Vec<_> = record.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["exception.message", "exception.stacktrace", "exception.type"]);
        count += 1;
    }
    (events, count)
}

#[tokio::test]
async fn a_failure_has_one_exception_where_the_operator_wants_it() {
    assert_eq!(exceptions(Exceptions::SpanEvents).await, (1, 0));
    assert_eq!(exceptions(Exceptions::Logs).await, (0, 1));
    assert_eq!(exceptions(Exceptions::Both).await, (1, 1));
}
