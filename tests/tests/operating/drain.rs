//! SIGTERM: intake stops, calls finish or run out of time, nothing is lost; a second signal makes it short.

use std::time::Duration;

use end_to_end_tests::harness::{Host, Lab, until};
use rustix::process::Signal;
use serde_json::{Value, json};

use super::{order, setup};

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

/// Submits an order and waits until its activation is being asked for, which takes so long.
fn in_a_call(lab: &Lab, host: &Host, ms: u64) -> String {
    lab.switch("activation", "delay", json!({"method": "POST", "ms": ms}));
    let asked = lab.asked("activation", "POST");
    let id = host.submit(&order("fibre-100"));
    until("the call", || lab.asked("activation", "POST") > asked);
    id
}

/// The kinds of a run's events.
fn kinds(host: &Host, id: &str) -> Vec<Value> {
    host.run(id)["records"].as_array().unwrap().iter().map(|record| record["event"]["kind"].clone()).collect()
}

#[test]
fn a_drain_finishes_what_is_being_called_and_takes_no_new_work() {
    let lab = Lab::start();
    let mut host = setup(&lab).http("drain_ms = 60000").start();
    let id = in_a_call(&lab, &host, 3_000);
    host.signal(Signal::TERM);
    // The interface answers to the end: what is there is shown, what is new is refused for now.
    until("the drain", || host.request("GET", "/readyz", &[], "").body["status"] == "draining");
    let refused = host.request("POST", ORDERS, &[("content-type", "application/json")], &order("fibre-100").to_string());
    assert_eq!((refused.status, refused.header("retry-after"), &refused.body["code"]), (503, Some("5"), &json!("5")));
    assert!(refused.body["message"].as_str().unwrap().contains("the host is stopping"), "{}", refused.body);
    assert_eq!((host.request("GET", "/readyz", &[], "").status, host.order(&id)["state"].as_str()), (503, Some("inProgress")));
    assert_eq!(host.exit(), Some(0), "{}", host.log());
    assert!(host.log().contains("SIGTERM: draining"), "{}", host.log());

    host.restart();
    host.wait(&id, &["completed"]);
    assert!(!kinds(&host, &id).contains(&json!("attempt-lost")), "the call was finished and recorded");
    assert_eq!((lab.asked("activation", "POST"), lab.effects("billing", "created")), (1, 1));
}

#[test]
fn a_drain_that_runs_out_of_time_says_so_and_the_call_is_observed_at_the_next_start() {
    let lab = Lab::start();
    let mut host = setup(&lab).http("drain_ms = 200").start();
    let id = in_a_call(&lab, &host, 600_000);
    assert_eq!(host.terminate(), Some(3), "{}", host.log());
    assert!(host.log().contains("calls were still being made after 200 ms"), "{}", host.log());
    host.restart();
    host.wait(&id, &["completed"]);
    // The connection was cut while the back end slept, so it did nothing: it was asked, and then told again.
    assert_eq!((lab.effects("activation", "created"), lab.effects("billing", "created")), (1, 1));
}

#[test]
fn a_second_signal_ends_the_drain() {
    let lab = Lab::start();
    let mut host = setup(&lab).http("drain_ms = 3600000").start();
    for (first, second, name) in
        [(Signal::TERM, Signal::TERM, "SIGTERM"), (Signal::INT, Signal::INT, "SIGINT"), (Signal::TERM, Signal::INT, "SIGINT")]
    {
        let id = in_a_call(&lab, &host, 600_000);
        host.signal(first);
        until("the drain", || host.request("GET", "/readyz", &[], "").status == 503);
        std::thread::sleep(Duration::from_millis(50));
        assert!(host.is_alive(), "one signal is a drain");
        host.signal(second);
        assert_eq!(host.exit(), Some(3), "{}", host.log());
        assert!(host.log().contains(&format!("calls were still being made when a second signal came ({name})")), "{}", host.log());
        host.restart();
        host.wait(&id, &["completed"]);
    }
    assert_eq!(lab.effects("billing", "created"), 3);
}
