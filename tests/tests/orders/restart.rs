//! The host dies and comes back: every order that was accepted is there and ends, and no effect is made twice.

use std::time::{Duration, Instant};

use end_to_end_tests::harness::{Host, Lab};
use serde_json::json;

use super::{effects, order, setup};

#[test]
fn orders_survive_kill_9_at_any_moment() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    lab.switch("activation", "outcome", json!({"result": "active", "ms": 500, "count": 0}));
    let orders: Vec<String> = (0..6).map(|_| host.submit(&order("fibre-100"))).collect();
    for pause in [30, 150, 400] {
        std::thread::sleep(Duration::from_millis(pause));
        host.kill_and_restart();
    }
    for id in &orders {
        host.wait(id, &["completed"]);
    }
    assert_eq!(effects(&lab, "billing", "created"), 6);
    assert_eq!(effects(&lab, "activation", "created"), 6, "a service for each order and no more");
}

#[test]
fn an_activation_under_way_when_the_host_dies_is_waited_for_and_not_begun_again() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    lab.switch("activation", "outcome", json!({"result": "active", "ms": 600_000}));
    // The work is done and its answer is still on the way: nothing is recorded when the host dies.
    lab.switch("activation", "delay-answer", json!({"method": "POST", "ms": 600_000}));
    let id = host.submit(&order("fibre-100"));
    until(|| effects(&lab, "activation", "created") == 1);
    host.kill_and_restart();
    until(|| kinds(&host, &id).contains(&"attempt-pended".to_owned()));
    lab.switch("activation", "finish", json!({}));
    host.wait(&id, &["completed"]);
    let kinds = kinds(&host, &id);
    let lost = kinds.iter().position(|kind| kind == "attempt-lost").unwrap();
    assert_eq!(kinds[lost + 1], "attempt-pended", "{kinds:?}");
    assert!(!kinds.contains(&"fallout-opened".to_owned()), "{kinds:?}");
    assert_eq!((effects(&lab, "activation", "created"), effects(&lab, "activation", "deleted")), (1, 0));
}

/// The kinds of a run's events, in order.
fn kinds(host: &Host, id: &str) -> Vec<String> {
    let records = host.run(id)["records"].as_array().cloned().unwrap_or_default();
    records.iter().map(|record| record["event"]["kind"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Waits until something holds; the patience is for a stuck host, not a measure of speed.
fn until(holds: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(120);
    while !holds() {
        assert!(Instant::now() < patience, "it does not come to hold");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_drain_ends_with_success_and_loses_nothing() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let id = host.submit(&order("fibre-100"));
    assert_eq!(host.terminate(), Some(0));
    host.restart();
    host.wait(&id, &["completed"]);
}

#[test]
fn a_run_keeps_its_plugins_when_the_configuration_moves_on() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    lab.switch("billing", "fail", json!({"method": "POST", "status": 503, "count": 2}));
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["inProgress", "held", "completed"]);
    host.terminate();
    // The new configuration has no plugin at all; the run finds its own in the store.
    std::fs::write(host.directory().join("jackfield.toml"), "[http]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    host.restart();
    let order = host.wait(&id, &["completed", "held"]);
    assert_eq!(order["state"], "completed", "{:#}", host.run(&id));
}
