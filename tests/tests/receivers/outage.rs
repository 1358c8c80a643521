//! A receiver that refuses, that is gone, that comes back: orders do not wait for it, spans do, and what is lost is counted.

use std::collections::BTreeSet;

use end_to_end_tests::harness::{Answers, orders::order};
use serde_json::{Value, json};

use crate::{
    Stage,
    capture::{self, Arrived},
    journal::Store,
    until,
};

#[test]
fn a_receiver_over_http_that_is_away_delays_no_order_and_misses_no_span() {
    away_and_back("http");
}

#[test]
fn a_receiver_over_grpc_that_is_away_delays_no_order_and_misses_no_span() {
    away_and_back("grpc");
}

fn away_and_back(protocol: &str) {
    let pools = json!({"port": {"element": "olt-1", "count": 32}, "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/27"}});
    let mut stage = Stage::start(protocol, &pools, "");
    complete(&stage);
    let healthy = until("the first order arrives", || exporter(&stage).filter(|exporter| exporter["spans_exported"].as_u64() > Some(0)));
    assert_eq!((&healthy["ok"], &healthy["spans_lost"], &healthy["kind"]), (&json!(true), &json!(0), &json!(format!("otlp-{protocol}"))));

    stage.receiver.answer(Answers::Refuse);
    complete(&stage);
    assert_loss_is_seen(&stage, 0);
    let refused = lost(&stage);
    // While it was refusing, it dies.
    stage.receiver.kill();
    complete(&stage);
    assert_loss_is_seen(&stage, refused);

    stage.receiver.restart();
    assert_all_arrive(&stage);
    until("the exporter is well again", || exporter(&stage).filter(|exporter| exporter["ok"] == true));
    assert_each_live_span_is_received_or_counted_as_lost(&stage);

    // What could not be exported before the host ended is exported by the next one.
    stage.receiver.answer(Answers::Refuse);
    complete(&stage);
    stage.host.kill_and_restart();
    stage.receiver.answer(Answers::Accept);
    assert_all_arrive(&stage);
}

/// An order that goes its way, whatever becomes of its telemetry.
fn complete(stage: &Stage) {
    let id = stage.host.submit(&order("fibre-100"));
    assert_eq!(stage.rest(&id), "completed");
}

/// How delivery goes, as `/healthz` tells.
fn exporter(stage: &Stage) -> Option<Value> {
    let health: Value = serde_json::from_str(&stage.host.text("/healthz")).unwrap();
    assert_eq!(health["status"], "ok", "a receiver that is away does not make the host ill");
    health["telemetry"]["exporters"].get(0).cloned()
}

fn lost(stage: &Stage) -> u64 {
    exporter(stage).unwrap()["spans_lost"].as_u64().unwrap()
}

/// Live spans are given up soon, those of the journal are not.
fn assert_loss_is_seen(stage: &Stage, before: u64) {
    let exporter = until("losses are counted", || exporter(stage).filter(|exporter| exporter["spans_lost"].as_u64() > Some(before)));
    assert!(exporter["ok"] == false && exporter["exports_failed"].as_u64() > Some(0) && exporter["last_error"].is_string(), "{exporter}");
}

fn assert_all_arrive(stage: &Stage) {
    let owed: BTreeSet<String> = Store::open(&stage.host).spans().into_keys().collect();
    until("every span of the journal arrives", || {
        let projected = capture::spans(&stage.receiver).into_iter().filter(|arrived| !arrived.is_live());
        (projected.map(|arrived| arrived.id()).collect::<BTreeSet<_>>() == owed).then_some(())
    });
}

/// Every call is measured and every live span is counted before it is sent, so what did not arrive is known by number.
fn assert_each_live_span_is_received_or_counted_as_lost(stage: &Stage) {
    let arrived = || {
        let live = capture::spans(&stage.receiver).into_iter().filter(Arrived::is_live);
        live.map(|arrived| arrived.id()).collect::<BTreeSet<_>>().len() as u64
    };
    let calls = || scraped(stage, "plugin_call_duration_seconds_count{");
    let sent = || scraped(stage, "otel_sdk_processor_span_processed_total{");
    // Each call has a span of its own beside those below it.
    until("every span of a call was sent", || (sent() > calls()).then_some(()));
    until("every span that was sent has arrived or is counted as lost", || (arrived() + lost(stage) == sent()).then_some(()));
    assert!(arrived() > 0 && lost(stage) > 0, "{} of {} spans arrived", arrived(), sent());
}

/// The sum of all series of a counter that begin so.
fn scraped(stage: &Stage, series: &str) -> u64 {
    let text = stage.host.text("/metrics");
    text.lines().filter(|line| line.starts_with(series)).map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum()
}
