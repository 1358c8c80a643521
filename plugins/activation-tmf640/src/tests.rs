//! The plugin against a scripted TMF640 server.

use jackfield_plugin_sdk::{
    Activation as _, Characteristic, Failure, Observed, Outcome, Pending, Resource, ServiceSpec, Signal,
    activation::{Receipt, Request},
    testing::{self, Config, Http, Reply},
};
use serde_json::{Value, json};

use crate::Tmf640;

const SERVICE: &str = "http://activation/tmf-api/ServiceActivationAndConfiguration/v4/service";
const NAMED: &str = "http://activation/tmf-api/ServiceActivationAndConfiguration/v4/service?name=jackfield-key";
const SVC_1: &str = "http://activation/tmf-api/ServiceActivationAndConfiguration/v4/service/svc-1";
const MONITORS: &str = "http://activation/tmf-api/ServiceActivationAndConfiguration/v4/monitor?sourceHref=%2Fservice%2Fsvc-1";
const MONITOR: &str = "http://activation/tmf-api/ServiceActivationAndConfiguration/v4/monitor/m1";

fn request() -> Request {
    let service = ServiceSpec { name: "access".into(), resource_type: "port".into(), characteristics: vec![Characteristic::new("speed", "100")] };
    let resource = Resource {
        id: "olt-1/port/7".into(),
        resource_type: "port".into(),
        service: "access".into(),
        network_element: "olt-1".into(),
        characteristics: Vec::new(),
    };
    Request { order: "4711".into(), customer: Some("c1".into()), services: vec![service], resources: vec![resource] }
}

fn service(state: &str, test: &str) -> Value {
    json!({ "id": "svc-1", "href": "/service/svc-1", "name": "jackfield-key", "state": state,
        "serviceCharacteristic": [{ "name": "testResult", "value": test }] })
}

fn list(services: &[Value]) -> Reply {
    Reply::json(200, &json!(services).to_string())
}

fn monitor(state: &str, body: &str) -> Reply {
    Reply::json(200, &json!({ "id": "m1", "state": state, "response": { "statusCode": "500", "header": [], "body": body } }).to_string())
}

fn accepted(location: &str) -> Reply {
    Reply::status(202).header("Location", location)
}

fn receipt(result: &str, test_passed: bool) -> Receipt {
    Receipt { service_id: "svc-1".into(), result: result.into(), test_passed }
}

fn pending(checkpoint: &Value, operation: &str, poll_ms: u64) -> Pending {
    Pending { operation: operation.into(), checkpoint: checkpoint.to_string(), poll_after_ms: Some(poll_ms), give_up_after_ms: 3_600_000 }
}

fn waiting(checkpoint: &Value, operation: &str, poll_ms: u64) -> Result<Outcome<Receipt>, Failure> {
    Ok(Outcome::Pending(pending(checkpoint, operation, poll_ms)))
}

fn under_way(checkpoint: &Value, operation: &str) -> Result<Observed<Receipt>, Failure> {
    Ok(Observed::Pending(pending(checkpoint, operation, 2000)))
}

fn activation() -> Value {
    json!({ "activation": { "monitor": "m1", "name": "jackfield-key" } })
}

fn termination() -> Value {
    json!({ "termination": { "monitor": "m1" } })
}

fn apply() -> Result<Outcome<Receipt>, Failure> {
    testing::begin_call();
    Tmf640::apply(&testing::call("key"), request())
}

fn resume(checkpoint: &Value, signal: Signal) -> Result<Outcome<Receipt>, Failure> {
    testing::begin_call();
    Tmf640::resume(&testing::call("key"), checkpoint.to_string(), signal)
}

fn observe() -> Result<Observed<Receipt>, Failure> {
    testing::begin_call();
    Tmf640::observe(&testing::call("key"), request())
}

fn undo() -> Result<Outcome<Receipt>, Failure> {
    testing::begin_call();
    Tmf640::undo(&testing::call("undo-key"), receipt("active", true))
}

#[test]
fn a_service_that_is_active_at_once_is_done() {
    Http::on("POST", SERVICE, Reply::json(201, &service("active", "pass").to_string()));
    assert_eq!(apply(), Ok(Outcome::Done(receipt("active", true))));
    let expected = json!({
        "name": "jackfield-key", "state": "active", "serviceSpecification": { "id": "customer-service" },
        "serviceCharacteristic": [{ "name": "order", "value": "4711" }, { "name": "access.speed", "value": "100" }],
        "supportingResource": [{ "id": "olt-1/port/7", "href": "/resource/olt-1%2Fport%2F7", "name": "access", "@referredType": "port" }],
        "relatedParty": [{ "id": "c1", "role": "customer", "@referredType": "Customer" }],
    });
    assert_eq!(Http::sent()[0].json(), expected);
}

#[test]
fn an_accepted_service_is_polled_until_it_is_active() {
    Http::on("POST", SERVICE, accepted("https://somewhere/else/monitor/m1"));
    assert_eq!(apply(), waiting(&activation(), "activation, monitor m1", 2000));
    Http::on("GET", MONITOR, monitor("InProgress", "").header("Retry-After", "5"));
    assert_eq!(resume(&activation(), Signal::Timer), waiting(&activation(), "activation, monitor m1", 5000));
    Http::on("GET", MONITOR, monitor("Completed", ""));
    Http::on("GET", NAMED, list(&[service("active", "fail")]));
    assert_eq!(resume(&activation(), Signal::Timer), Ok(Outcome::Done(receipt("active", false))));
    Http::assert_finished();
}

#[test]
fn settings_change_the_rhythm_and_the_specification() {
    for (key, value) in [("poll_ms", "50"), ("give_up_ms", "900"), ("specification", "cfs-9")] {
        Config::set(key, value);
    }
    Http::on("POST", SERVICE, accepted("/monitor/m1"));
    let Ok(Outcome::Pending(it)) = apply() else { panic!("not pending") };
    assert_eq!((it.poll_after_ms, it.give_up_after_ms), (Some(50), 900));
    assert_eq!(Http::sent()[0].json()["serviceSpecification"]["id"], "cfs-9");
    Config::set("poll_ms", "soon");
    let message = r#"the setting poll_ms is "soon"; expected a number of milliseconds"#;
    assert_eq!(apply(), Err(Failure::rejected("bad_config", message)));
}

#[test]
fn a_failed_activation_is_cleaned_up_and_rejected() {
    Http::on("GET", MONITOR, monitor("InError", "no light"));
    Http::on("GET", NAMED, list(&[service("inactive", "")]));
    Http::on("DELETE", SVC_1, Reply::status(204));
    assert_eq!(resume(&activation(), Signal::Timer), Err(Failure::rejected("activation_failed", "no light")));

    Http::on("GET", MONITOR, monitor("InError", ""));
    Http::on("GET", NAMED, list(&[]));
    let message = r#"monitor "m1" is in error and does not say why"#;
    assert_eq!(resume(&activation(), Signal::Timer), Err(Failure::rejected("activation_failed", message)));
    Http::assert_finished();
}

#[test]
fn a_failed_activation_that_cannot_be_cleaned_up_is_not_called_clean() {
    for reply in [Reply::status(500), Reply::no_answer(), accepted("/monitor/m2")] {
        Http::on("GET", MONITOR, monitor("InError", "no light"));
        Http::on("GET", NAMED, list(&[service("inactive", "")]));
        Http::on("DELETE", SVC_1, reply);
        assert!(matches!(resume(&activation(), Signal::Timer), Err(Failure::UnknownOutcome(_))));
    }
}

#[test]
fn cancelling_terminates_what_there_is() {
    Http::on("GET", NAMED, list(&[]));
    assert_eq!(resume(&activation(), Signal::Cancel), Ok(Outcome::Undone));
    Http::on("GET", NAMED, list(&[service("inactive", "")]));
    Http::on("DELETE", SVC_1, accepted("/monitor/m1"));
    assert_eq!(resume(&activation(), Signal::Cancel), waiting(&termination(), "termination, monitor m1", 2000));
    Http::assert_finished();
}

#[test]
fn observe_tells_absent_complete_and_under_way_apart() {
    Http::on("GET", NAMED, list(&[]));
    assert_eq!(observe(), Ok(Observed::Absent));
    Http::on("GET", NAMED, list(&[service("terminated", "")]));
    assert_eq!(observe(), Ok(Observed::Absent));
    Http::on("GET", NAMED, list(&[service("active", "pass")]));
    assert_eq!(observe(), Ok(Observed::Ours(receipt("active", true))));
    Http::on("GET", NAMED, list(&[service("inactive", "")]));
    Http::on("GET", MONITORS, list(&[json!({ "id": "m1", "state": "InProgress" })]));
    assert_eq!(observe(), under_way(&activation(), "activation, monitor m1"));
    Http::assert_finished();
}

#[test]
fn an_activation_under_way_whose_monitor_is_unknown_is_polled_at_the_service() {
    let unmonitored = json!({ "activation": { "name": "jackfield-key" } });
    let operation = "activation of jackfield-key";
    for monitors in [Reply::status(404), Reply::status(501), list(&[])] {
        Http::on("GET", NAMED, list(&[service("inactive", "")]));
        Http::on("GET", MONITORS, monitors);
        assert_eq!(observe(), under_way(&unmonitored, operation));
    }
    let nowhere = json!({ "id": "svc-1", "name": "jackfield-key", "state": "inactive" });
    Http::on("GET", NAMED, list(&[nowhere]));
    assert_eq!(observe(), under_way(&unmonitored, operation));

    Http::on("GET", NAMED, list(&[service("inactive", "")]));
    assert_eq!(resume(&unmonitored, Signal::Timer), waiting(&unmonitored, operation, 2000));
    Http::on("GET", NAMED, list(&[service("active", "pass")]));
    assert_eq!(resume(&unmonitored, Signal::Timer), Ok(Outcome::Done(receipt("active", true))));
    for gone in [list(&[]), list(&[service("terminated", "")])] {
        Http::on("GET", NAMED, gone);
        let message = r#"the service named "jackfield-key" is gone and was never active"#;
        assert_eq!(resume(&unmonitored, Signal::Timer), Err(Failure::rejected("activation_failed", message)));
    }
    Http::on("GET", NAMED, list(&[service("inactive", "")]));
    Http::on("DELETE", SVC_1, Reply::status(204));
    assert_eq!(resume(&unmonitored, Signal::Cancel), Ok(Outcome::Undone));
    Http::assert_finished();
}

#[test]
fn a_server_in_trouble_is_not_taken_for_one_that_lists_no_monitors() {
    for reply in [Reply::status(500), Reply::status(503), Reply::no_answer()] {
        Http::on("GET", NAMED, list(&[service("inactive", "")]));
        Http::on("GET", MONITORS, reply);
        assert!(observe().is_err());
    }
}

#[test]
fn undo_terminates_now_or_later_and_may_run_twice() {
    for status in [204, 404] {
        Http::on("DELETE", SVC_1, Reply::status(status));
        assert_eq!(undo(), Ok(Outcome::Undone));
    }
    Http::on("DELETE", SVC_1, accepted("/monitor/m1"));
    assert_eq!(undo(), waiting(&termination(), "termination, monitor m1", 2000));
    Http::on("GET", MONITOR, monitor("InProgress", ""));
    assert_eq!(resume(&termination(), Signal::Timer), waiting(&termination(), "termination, monitor m1", 2000));
    Http::on("GET", MONITOR, monitor("Completed", ""));
    assert_eq!(resume(&termination(), Signal::Timer), Ok(Outcome::Undone));
    Http::on("GET", MONITOR, monitor("InError", "busy"));
    assert_eq!(resume(&termination(), Signal::Timer), Err(Failure::rejected("activation_failed", "busy")));
}

#[test]
fn answers_that_make_no_sense_are_not_guessed_at() {
    for location in ["", "/monitor/", "/monitor/a/b", "/elsewhere/m1"] {
        Http::on("POST", SERVICE, accepted(location));
        assert!(matches!(apply(), Err(Failure::UnknownOutcome(_))), "{location}");
    }
    Http::on("GET", MONITOR, monitor("Sleeping", ""));
    assert!(matches!(resume(&activation(), Signal::Timer), Err(Failure::Unavailable(_))));
    let failure = resume(&json!({ "other": 1 }), Signal::Timer).unwrap_err();
    assert_eq!(failure.reason().code, "bad_checkpoint");
}

#[test]
fn refusals_and_outages_are_told_apart() {
    let check = |reply: Reply, kind: &str| {
        Http::on("POST", SERVICE, reply);
        let failure = apply().unwrap_err().to_string();
        assert!(failure.starts_with(kind), "expected {kind}, got {failure}");
    };
    check(Reply::status(400), "rejected (activation_failed)");
    check(Reply::status(503), "unavailable (activation_failed)");
    check(Reply::status(500), "unknown outcome (activation_failed)");
    check(Reply::no_answer(), "unknown outcome (no_answer)");
    check(Reply::refused(), "unavailable (unreachable)");
}
