//! The host is killed at several moments while orders are in flight: in the end every span is at the receiver, and what was sent twice is the same.

use std::collections::{BTreeMap, BTreeSet};

use end_to_end_tests::harness::{Answers, orders::order};
use package::hex;
use serde_json::{Value, json};
use telemetry::checker::{Capture, check_traces};

use crate::{
    Stage,
    capture::{self, Arrived},
    journal::Store,
    until,
};

#[test]
fn no_span_is_missing_over_http_after_kills_and_repeats_are_byte_identical() {
    nothing_is_missing("http");
}

#[test]
fn no_span_is_missing_over_grpc_after_kills_and_repeats_are_byte_identical() {
    nothing_is_missing("grpc");
}

fn nothing_is_missing(protocol: &str) {
    let pools = json!({
        "port": {"element": "olt-1", "count": 32},
        "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/27"},
        "ipv6": {"cidr": "2001:db8:100::/40", "prefix": 56},
        "vlan": {"element": "olt-1", "from": 100, "to": 199},
        "equipment": {"element": "warehouse", "count": 2},
    });
    // Retries come slowly enough for a kill between two of them.
    let retries = "[orders.billing_setup]\nretry_initial_ms = 2000\nretry_max_ms = 2000\nmax_attempts = 20";
    let mut stage = Stage::start(protocol, &pools, retries);
    let orders = fly(&mut stage);
    for id in &orders {
        if stage.rest(id) == "held" {
            // Each of the ends that a person can choose.
            let decision = if id == &orders[0] { "cancel" } else { "fail" };
            stage.resolve(id, &[decision]);
        }
    }
    assert_all_arrived(&mut stage);
}

/// Sends varied orders and kills the host while they are in flight.
fn fly(stage: &mut Stage) -> Vec<String> {
    let send = |stage: &Stage, offering: &str| stage.host.submit(&order(offering));
    // Steps under way: the element does not answer.
    stage.lab.switch("element", "delay", json!({"method": "PUT", "ms": 600_000, "count": 0}));
    let mut orders: Vec<_> = ["fibre-100", "home", "unheard-of", "tv", "voice"].map(|offering| send(stage, offering)).into();
    orders.push(stage.host.submit(&two_items()));
    stage.asked("element", "PUT");
    stage.host.kill();
    stage.reset("element");

    // The receiver has the spans, and the host dies before it learns of it.
    stage.receiver.answer(Answers::Withhold);
    stage.host.restart();
    until("an attempt that was lost is exported", || {
        capture::spans(&stage.receiver).iter().any(|arrived| arrived.text("error.type") == Some("host.restarted")).then_some(())
    });
    stage.host.kill();
    stage.receiver.answer(Answers::Accept);

    // Pending activations.
    stage.lab.switch("activation", "outcome", json!({"ms": 3000, "count": 0}));
    stage.host.restart();
    orders.push(send(stage, "fibre-1000"));
    until("an activation is pending", || orders.iter().any(|id| is_pending(&stage.host.run(id))).then_some(()));
    stage.host.kill();
    stage.reset("activation");

    // Between retries.
    stage.lab.switch("billing", "fail", json!({"method": "POST", "count": 0}));
    stage.host.restart();
    until("an order waits for its next attempt", || orders.iter().any(|id| waits_for_retry(stage, id)).then_some(()));
    stage.host.kill();
    stage.reset("billing");

    // While everything is taken back.
    stage.lab.switch("element", "fail", json!({"method": "PUT", "status": 400, "body": "ipv6"}));
    stage.lab.switch("element", "delay", json!({"method": "DELETE", "ms": 600_000, "count": 0}));
    stage.host.restart();
    orders.insert(0, send(stage, "fibre-business"));
    stage.asked("element", "DELETE");
    stage.host.kill();
    stage.reset("element");
    stage.host.restart();
    orders
}

fn two_items() -> Value {
    let mut two = order("fibre-100");
    let mut second = order("fibre-1000")["productOrderItem"][0].clone();
    second["id"] = json!("2");
    two["productOrderItem"].as_array_mut().unwrap().push(second);
    two
}

fn is_pending(run: &Value) -> bool {
    let events = run["records"].as_array().unwrap().iter().map(|record| &record["event"]);
    events.rev().find(|event| event["attempt"]["step"] == "activate").is_some_and(|event| event["kind"] == "attempt-pended")
}

fn waits_for_retry(stage: &Stage, id: &str) -> bool {
    let summary = stage.host.request("GET", &format!("/api/v1/runs/{id}/summary"), &[], "").body;
    summary["waits_for"].as_array().is_some_and(|waits| waits.iter().any(|wait| wait["for"] == "retry" && wait["step"] == "billing_setup"))
}

fn assert_all_arrived(stage: &mut Stage) {
    let owed = Store::open(&stage.host).spans();
    until("every span arrives", || {
        let arrived: BTreeSet<String> = capture::spans(&stage.receiver).iter().map(Arrived::id).collect();
        owed.keys().all(|id| arrived.contains(id)).then_some(())
    });
    assert_eq!(stage.host.terminate(), Some(0));
    let (store, arrived) = (Store::open(&stage.host), capture::spans(&stage.receiver));
    assert_eq!(store.spans(), owed, "all runs were at rest");
    // The kills met what they were meant to meet.
    let kinds = ["attempt-lost", "attempt-pended", "undo-scheduled"].map(|kind| (kind, store.count(kind)));
    assert!(kinds.iter().all(|(_, count)| *count > 0) && store.epochs() >= 6, "{kinds:?}, {} epochs", store.epochs());

    let projected = arrived.iter().filter(|arrived| !arrived.is_live());
    let found: BTreeMap<String, String> = projected.clone().map(|arrived| (arrived.id(), hex(&arrived.span.trace_id))).collect();
    let expected: BTreeMap<String, String> = owed.iter().map(|(id, owed)| (id.clone(), owed.trace_id.clone())).collect();
    assert_eq!(found, expected, "{owed:#?}");
    for span in arrived.iter().filter(|arrived| !arrived.is_below_a_call()) {
        let parent = hex(&span.span.parent_span_id);
        let known = owed.get(&parent).map(|owed| owed.trace_id.clone());
        let is_root = !span.is_live() && owed[&span.id()].is_root();
        assert!(if is_root { parent.is_empty() } else { known == Some(hex(&span.span.trace_id)) }, "{} has the parent {parent}", span.span.name);
    }
    assert_repeats_are_identical(&arrived);
    let violations: Vec<_> = check_traces(&capture::traces(&stage.receiver), Capture::Killed).iter().map(ToString::to_string).collect();
    assert_eq!(violations, [""; 0]);
}

fn assert_repeats_are_identical(arrived: &[Arrived]) {
    let mut first: BTreeMap<String, &Arrived> = BTreeMap::new();
    let mut repeated = Vec::new();
    for arrived in arrived {
        let Some(first) = first.get(&arrived.id()) else {
            first.insert(arrived.id(), arrived);
            continue;
        };
        assert_eq!((&first.bytes, &first.scope), (&arrived.bytes, &arrived.scope), "{:#?}\n{:#?}", first.span, arrived.span);
        repeated.push(arrived);
    }
    assert!(repeated.iter().any(|arrived| arrived.text("error.type") == Some("host.restarted")), "a lost attempt is among what was sent twice");
}
