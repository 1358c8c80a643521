//! Back ends that fail in every way: the order comes to rest in the right state, `run show` says why, and a person gets it going again.

use end_to_end_tests::harness::{Host, Lab, until};
use serde_json::{Value, json};

use super::{each_step, order, post, setup};

/// Submits an order that is held, and checks what `run show` says of it.
#[track_caller]
fn held(host: &Host, parts: &[&str]) -> String {
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["held", "completed"]);
    host.type_in(&["run", "show", &id]).good(&[&["state       held"], parts].concat());
    id
}

/// The back ends are well again, and so is the order.
fn repaired(lab: &Lab, host: &Host, back_end: &str, id: &str) {
    lab.switch(back_end, "reset", json!({}));
    host.type_in(&["run", "resolve", id, "retry", "--by", "ann", "--note", "the back end is well again"]).good(&[]);
    host.wait(id, &["completed"]);
}

#[test]
fn a_back_end_that_answers_500_holds_the_order_where_it_is_in_doubt() {
    let lab = Lab::start();
    let host = each_step(setup(&lab), "retry_initial_ms = 10\nmax_attempts = 2").start();
    // Nothing can be in doubt while the catalogue is only read.
    lab.switch("catalogue", "fail", json!({"status": 500, "count": 0}));
    let id = held(&host, &["reason      decomposition_failed", "step        decompose", "bad_catalog (unavailable): ", "answered 500: "]);
    repaired(&lab, &host, "catalogue", &id);

    lab.switch("element", "fail", json!({"method": "PUT", "status": 500, "count": 0}));
    let id = held(&host, &["reason      provisioning_failed", "step        provision", "config_refused (unknown): ", "answered 500: "]);
    assert_eq!(lab.effects("element", "deleted"), 0, "what may have been done is not guessed");
    repaired(&lab, &host, "element", &id);

    lab.switch("activation", "fail", json!({"method": "POST", "status": 500, "count": 0}));
    let id = held(&host, &["reason      activation_failed", "step        activate", "(unknown): ", "answered 500: "]);
    repaired(&lab, &host, "activation", &id);

    lab.switch("billing", "fail", json!({"method": "POST", "status": 500, "count": 0}));
    let id = held(&host, &["reason      billing_failed", "step        billing_setup", "billing_failed (unknown): ", "answered 500: "]);
    repaired(&lab, &host, "billing", &id);
}

/// How long after its failed attempts of a step a run tried again, in microseconds, as its journal has it.
fn pauses(host: &Host, id: &str, step: &str) -> Vec<u64> {
    let records = host.run(id)["records"].clone();
    let failed = records.as_array().unwrap().iter().filter(|record| record["event"]["attempt"]["step"] == step);
    failed.filter_map(|record| Some(record["event"]["retry_at"].as_u64()? - record["event"]["started_at"].as_u64()?)).collect()
}

#[test]
fn a_back_end_that_asks_to_be_left_alone_is() {
    let lab = Lab::start();
    let host = each_step(setup(&lab), "retry_initial_ms = 10\nmax_attempts = 3").start();
    for (back_end, method, step) in [("catalogue", "GET", "decompose"), ("element", "PUT", "provision"), ("billing", "POST", "billing_setup")] {
        lab.switch(back_end, "fail", json!({"method": method, "status": 429, "headers": {"retry-after": "1"}}));
        let id = host.submit(&order("fibre-100"));
        host.wait(&id, &["completed"]);
        let pauses = pauses(&host, &id, step);
        assert_eq!(pauses.len(), 1, "{step}: {:#}", host.run(&id)["records"]);
        assert!(pauses[0] >= 1_000_000, "{step} was tried again after {} us", pauses[0]);
    }
    // One that never has time: the order is held as soon as the attempts are used up, with what it said.
    lab.switch("billing", "fail", json!({"method": "POST", "status": 429, "headers": {"retry-after": "1"}, "count": 0}));
    let id = held(&host, &["reason      billing_failed", "billing_failed (unavailable): ", "answered 429: "]);
    repaired(&lab, &host, "billing", &id);
}

#[test]
fn a_back_end_that_answers_garbage_or_too_much_holds_the_order() {
    let lab = Lab::start();
    let host = each_step(setup(&lab), "retry_initial_ms = 10\nmax_attempts = 2").start();
    let all = 100 << 20;
    let (unread, too_long) = ("does not read back as it was written", "the answer is longer than 1048576 bytes");
    for (answer, of_the_element) in [(json!({"answer": "<html>"}), unread), (json!({"bytes": all}), too_long), (json!({"answer": ""}), unread)] {
        let says = |method: &str| {
            let mut switch = json!({"method": method, "status": 200, "count": 0});
            switch.as_object_mut().unwrap().extend(answer.as_object().unwrap().clone());
            switch
        };
        lab.switch("catalogue", "fail", says("GET"));
        let id = held(&host, &["reason      decomposition_failed", "bad_answer (unavailable): "]);
        repaired(&lab, &host, "catalogue", &id);

        // The account may be there: nobody guesses, and the next attempt asks.
        lab.switch("billing", "fail", says("POST"));
        let id = held(&host, &["reason      billing_failed", "bad_answer (unknown): "]);
        assert!(lab.asked("billing", "GET") > 0);
        repaired(&lab, &host, "billing", &id);

        // The element says that it did something, which is not so.
        lab.switch("element", "fail", says("PUT"));
        let id = held(&host, &["reason      provisioning_failed", "(unknown): ", of_the_element]);
        repaired(&lab, &host, "element", &id);
    }
    assert_eq!(host.request("GET", "/healthz", &[], "").status, 200);
}

#[test]
fn a_back_end_that_says_nothing_costs_its_order_the_time_of_its_step() {
    let lab = Lab::start();
    let host = each_step(setup(&lab), "retry_initial_ms = 10\nmax_attempts = 2\ntimeout_ms = 1500").start();
    let silent = |back_end: &str, method: &str| lab.switch(back_end, "delay", json!({"method": method, "ms": 3_600_000, "count": 0}));
    silent("catalogue", "GET");
    let id = held(&host, &["reason      timeout", "step        decompose", "plugin.timeout (unavailable): "]);
    repaired(&lab, &host, "catalogue", &id);
    silent("element", "PUT");
    let id = held(&host, &["reason      timeout", "step        provision", "plugin.timeout (unknown): "]);
    repaired(&lab, &host, "element", &id);
    silent("activation", "POST");
    let id = held(&host, &["reason      activation_failed", "step        activate", "plugin.timeout (unknown): "]);
    repaired(&lab, &host, "activation", &id);
    assert_eq!(lab.effects("activation", "created"), 1);
    silent("billing", "POST");
    let id = held(&host, &["reason      billing_failed", "step        billing_setup", "plugin.timeout (unknown): "]);
    repaired(&lab, &host, "billing", &id);
    assert_eq!(lab.effects("billing", "created"), 1);
}

#[test]
fn a_back_end_that_keeps_every_run_busy_makes_intake_say_so() {
    let lab = Lab::start();
    let host = setup(&lab).config("[engine]\nmax_driven = 2").start();
    lab.switch("activation", "delay", json!({"method": "POST", "ms": 20_000}));
    lab.switch("activation", "delay", json!({"method": "POST", "ms": 20_000}));
    let busy = [(); 2].map(|()| host.submit(&order("fibre-100")));
    until("the two calls", || lab.asked("activation", "POST") == 2);
    let refused = post(&host, &order("fibre-100"));
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")), "{}", refused.body);
    assert!(refused.body["message"].as_str().unwrap().ends_with("as many runs are being driven as may be in memory"), "{}", refused.body);
    for id in &busy {
        host.wait(id, &["completed"]);
    }
    host.wait(&host.submit(&order("fibre-100")), &["completed"]);
}

/// What the list of plugins says of an endpoint, and how many endpoints are left alone as everybody may know.
fn left_alone(host: &Host, url: &str) -> (Value, u64) {
    let list = host.type_in(&["plugin", "list", "--json"]).json();
    let endpoint = list["endpoints"].as_array().unwrap().iter().find(|endpoint| endpoint["endpoint"] == url).unwrap().clone();
    let health: Value = serde_json::from_str(&host.text("/healthz")).unwrap();
    assert!(health["plugins"].as_array().unwrap().iter().all(|plugin| plugin["breaker"] == "closed"), "{health:#}");
    (endpoint, health["endpoints_left_alone"].as_u64().unwrap())
}

#[test]
fn a_back_end_that_is_not_there_is_waited_for() {
    let lab = Lab::start();
    // A port that nobody listens on.
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let host =
        each_step(setup(&lab), "retry_initial_ms = 10\nmax_attempts = 2").runtime("endpoint_breaker = { consecutive = 1, open_ms = 1 }").start();
    let text = std::fs::read_to_string(host.directory().join("jackfield.toml")).unwrap();
    let mut host = host;
    host.terminate();
    std::fs::write(host.directory().join("jackfield.toml"), text.replace(lab.url("billing"), &format!("http://{nowhere}"))).unwrap();
    host.restart();
    let id = held(&host, &["reason      billing_failed", "unreachable (unavailable): "]);
    let (endpoint, alone) = left_alone(&host, &format!("http://{nowhere}"));
    assert!(endpoint["breaker"] != "closed" && endpoint["opened"].as_u64() >= Some(1) && alone == 1, "{endpoint:#}");
    host.type_in(&["plugin", "list"]).good(&[&format!("the breaker of http://{nowhere} is "), " failures in a row"]);
    // The run keeps the address it began with; when the system is back there, it goes on.
    let billing = Lab::start_with(&["--ports", &format!("0,0,0,{},0", nowhere.port())]);
    host.type_in(&["run", "resolve", &id, "retry", "--by", "ann", "--note", "it is back"]).good(&[]);
    host.wait(&id, &["completed"]);
    until("the account", || billing.effects("billing", "created") == 1);
    let (endpoint, alone) = left_alone(&host, &format!("http://{nowhere}"));
    assert_eq!((&endpoint["breaker"], alone), (&json!("closed"), 0));
}
