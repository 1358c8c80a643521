//! The plugin against a scripted RESTCONF server.

use jackfield_plugin_sdk::{
    Characteristic, Failure, Observed, Outcome, Provisioning as _, Resource, ServiceSpec,
    provisioning::{Receipt, Request},
    testing::{self, Http, Reply},
};
use serde_json::{Value, json};

use crate::Restconf;

const PATH: &str = "/restconf/data/jackfield-service:services/service=olt-1%2Fport%2F7";
const URL: &str = "http://element/restconf/data/jackfield-service:services/service=olt-1%2Fport%2F7";

fn request() -> Request {
    let service = ServiceSpec {
        name: "access".into(),
        resource_type: "port".into(),
        characteristics: vec![Characteristic::new("speed", "100"), Characteristic::new("port", "?")],
    };
    let resource = Resource {
        id: "olt-1/port/7".into(),
        resource_type: "port".into(),
        service: "access".into(),
        network_element: "olt-1".into(),
        characteristics: vec![Characteristic::new("port", "7")],
    };
    Request { order: "4711".into(), location: None, service, resource }
}

fn entry(owner: &str, speed: &str) -> Value {
    json!({ "jackfield-service:service": [{
        "id": "olt-1/port/7", "owner": owner, "order": "4711", "name": "access", "resource-type": "port",
        "network-element": "olt-1", "parameter": [{ "name": "port", "value": "7" }, { "name": "speed", "value": speed }],
    }] })
}

fn there(owner: &str, speed: &str) -> Reply {
    Reply::json(200, &entry(owner, speed).to_string()).header("ETag", "\"v1\"")
}

fn receipt() -> Receipt {
    Receipt { configuration: format!("{PATH}#key"), network_element: "olt-1".into(), result: "configured".into() }
}

fn apply() -> Result<Outcome<Receipt>, Failure> {
    testing::begin_call();
    Restconf::apply(&testing::call("key"), request())
}

fn observe() -> Result<Observed<Receipt>, Failure> {
    Restconf::observe(&testing::call("key"), request())
}

fn undo() -> Result<Outcome<Receipt>, Failure> {
    testing::begin_call();
    Restconf::undo(&testing::call("undo-key"), receipt())
}

#[test]
fn apply_writes_and_reads_back() {
    Http::on("GET", URL, Reply::status(404));
    Http::on("PUT", URL, Reply::status(201));
    Http::on("GET", URL, there("key", "100"));
    assert_eq!(apply(), Ok(Outcome::Done(receipt())));
    Http::assert_finished();
    let put = &Http::sent()[1];
    assert_eq!(put.header("content-type"), Some("application/yang-data+json"));
    assert_eq!(put.header("if-none-match"), Some("*"));
    assert_eq!(put.json(), entry("key", "100"));
}

#[test]
fn a_repetition_writes_nothing() {
    Http::on("GET", URL, there("key", "100"));
    assert_eq!(apply(), Ok(Outcome::Done(receipt())));
    Http::assert_finished();
}

#[test]
fn what_is_ours_but_drifted_is_replaced_under_its_tag() {
    Http::on("GET", URL, there("key", "50"));
    Http::on("PUT", URL, Reply::status(204));
    Http::on("GET", URL, there("key", "100"));
    assert_eq!(apply(), Ok(Outcome::Done(receipt())));
    assert_eq!(Http::sent()[1].header("if-match"), Some("\"v1\""));
    Http::on("GET", URL, Reply::json(200, &entry("key", "50").to_string()));
    Http::on("PUT", URL, Reply::status(204));
    Http::on("GET", URL, there("key", "100"));
    assert_eq!(apply(), Ok(Outcome::Done(receipt())));
    assert_eq!((Http::sent()[4].header("if-match"), Http::sent()[4].header("if-none-match")), (None, None));
}

#[test]
fn what_belongs_to_somebody_else_is_never_overwritten() {
    Http::on("GET", URL, there("other", "100"));
    let message = format!("{PATH} belongs to order \"4711\"");
    assert_eq!(apply(), Err(Failure::rejected("foreign_configuration", message)));
    Http::on("GET", URL, Reply::status(404));
    Http::on("PUT", URL, Reply::status(412));
    let message = format!("{PATH} was written by somebody else meanwhile");
    assert_eq!(apply(), Err(Failure::rejected("foreign_configuration", message)));
    Http::assert_finished();
}

#[test]
fn what_does_not_read_back_is_an_unknown_outcome() {
    for back in [there("key", "99"), Reply::status(404), Reply::status(500), Reply::no_answer(), Reply::json(200, "{}")] {
        Http::on("GET", URL, Reply::status(404));
        Http::on("PUT", URL, Reply::status(201));
        Http::on("GET", URL, back);
        assert!(matches!(apply(), Err(Failure::UnknownOutcome(_))));
    }
}

#[test]
fn refusals_are_rejected_and_locks_are_tried_again() {
    let error = |tag: &str| {
        let error = json!({ "error-type": "application", "error-tag": tag, "error-message": "no" });
        Reply::json(409, &json!({ "ietf-restconf:errors": { "error": [error] } }).to_string())
    };
    let check = |reply: Reply, kind: &str| {
        Http::on("GET", URL, Reply::status(404));
        Http::on("PUT", URL, reply);
        let failure = apply().unwrap_err().to_string();
        assert!(failure.starts_with(kind), "expected {kind}, got {failure}");
    };
    check(Reply::status(400), "rejected (config_refused): PUT http://element/restconf");
    check(error("data-exists"), "rejected (config_refused)");
    check(error("lock-denied"), "unavailable (config_refused)");
    check(error("in-use"), "unavailable (config_refused)");
    check(Reply::status(503), "unavailable (config_refused)");
    check(Reply::status(500), "unknown outcome (config_refused)");
    check(Reply::no_answer(), "unknown outcome (no_answer)");
    check(Reply::refused(), "unavailable (unreachable)");
}

#[test]
fn observe_tells_all_cases_apart() {
    Http::on("GET", URL, Reply::status(404));
    assert_eq!(observe(), Ok(Observed::Absent));
    Http::on("GET", URL, there("key", "100"));
    assert_eq!(observe(), Ok(Observed::Ours(receipt())));
    Http::on("GET", URL, there("key", "50"));
    assert_eq!(observe(), Ok(Observed::Drifted(receipt())));
    Http::on("GET", URL, there("other", "100"));
    assert_eq!(observe(), Ok(Observed::Foreign("order \"4711\" (owner \"other\")".into())));
}

#[test]
fn undo_deletes_what_is_ours_and_only_that() {
    Http::on("GET", URL, there("key", "100"));
    Http::on("DELETE", URL, Reply::status(204));
    assert_eq!(undo(), Ok(Outcome::Undone));
    assert_eq!(Http::sent()[1].header("if-match"), Some("\"v1\""));
    Http::on("GET", URL, Reply::status(404));
    assert_eq!(undo(), Ok(Outcome::Undone));
    Http::on("GET", URL, there("other", "100"));
    assert_eq!(undo(), Ok(Outcome::Undone));
    Http::on("GET", URL, there("key", "100"));
    Http::on("DELETE", URL, Reply::status(404));
    assert_eq!(undo(), Ok(Outcome::Undone));
    Http::assert_finished();
}

#[test]
fn a_foreign_receipt_is_refused() {
    let receipt = Receipt { configuration: PATH.into(), ..receipt() };
    let failure = Restconf::undo(&testing::call("undo-key"), receipt).unwrap_err();
    assert_eq!(failure.reason().code, "bad_receipt");
}
