//! The host dies and comes back: every order that was accepted is there and ends, and no effect is made twice.

use std::time::Duration;

use end_to_end_tests::harness::Lab;
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
