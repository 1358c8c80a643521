//! The host's own log on its way to the exporters. A process of its own: the exporters' threads must log to the same subscriber.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::{sync::Arc, time::Duration};

use common::{call, options, receiver};
use engine::port::{LogLevel, SpanItem};
use opentelemetry_proto::tonic::{common::v1::any_value::Value, logs::v1::LogRecord};
use telemetry::{ExporterOptions, HostLog, Target, Telemetry};
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};

const LONG: Duration = Duration::from_secs(30);

fn body(record: &LogRecord) -> &str {
    match record.body.as_ref().and_then(|body| body.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_own_log_is_exported_once_and_sending_it_makes_no_more_of_it() {
    let log = HostLog::default();
    // Everything that anybody logs, on every thread: without the filter of ours this never comes to rest.
    tracing_subscriber::registry().with(LevelFilter::TRACE).with(log.clone()).init();
    let (http, grpc) = (receiver::http().await, receiver::grpc().await);
    let exporters = vec![
        ExporterOptions::new("http", Target::OtlpHttp { endpoint: Some(http.1) }),
        ExporterOptions::new("grpc", Target::OtlpGrpc { endpoint: Some(grpc.1) }),
    ];
    let telemetry = Telemetry::start(options(&Arc::default(), exporters)).await.unwrap();
    tracing::warn!("nobody takes this yet");
    telemetry.export_log(&log);
    tracing::warn!(order = "ORD-1", attempts = 3, "the element does not answer");
    let mut span = telemetry.calls().begin(&call::call(true));
    span.record(SpanItem::Log { level: LogLevel::Info, message: "the guest's own".to_owned(), attributes: Vec::new() });
    span.end(call::end(None));
    for _ in 0..5 {
        assert!(telemetry.flush(LONG).await);
    }
    for received in [http.0, grpc.0] {
        let mut logs = received.logs();
        logs.sort_by(|a, b| body(a).cmp(body(b)));
        let bodies: Vec<_> = logs.iter().map(|record| (record.severity_text.as_str(), body(record))).collect();
        assert_eq!(bodies, [("WARN", "the element does not answer"), ("INFO", "the guest's own")]);
        let keys: Vec<_> = logs[0].attributes.iter().map(|attribute| attribute.key.as_str()).collect();
        assert_eq!(keys, ["order", "attempts"]);
        assert!(logs[0].time_unix_nano > 0 || logs[0].observed_time_unix_nano > 0);
    }
}

#[tokio::test]
async fn an_exporter_that_takes_no_log_records_gets_none() {
    let (received, url) = receiver::http().await;
    let exporter = ExporterOptions { logs: false, ..ExporterOptions::new("http", Target::OtlpHttp { endpoint: Some(url) }) };
    let telemetry = Telemetry::start(options(&Arc::default(), vec![exporter])).await.unwrap();
    let log = HostLog::default();
    telemetry.export_log(&log);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(log), || tracing::warn!("a secret"));
    assert!(telemetry.flush(LONG).await);
    assert!(received.logs().is_empty());
}
