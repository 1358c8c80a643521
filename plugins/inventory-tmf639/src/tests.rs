//! The plugin against a scripted TMF639 server.

use jackfield_plugin_sdk::{
    Characteristic, Failure, Inventory as _, Observed, Outcome, Resource, ServiceSpec,
    inventory::Request,
    testing::{self, Config, Http, Reply},
};
use serde_json::{Value, json};

use crate::Tmf639;

const BASE: &str = "http://inventory/tmf-api/resourceInventoryManagement/v4/resource";

fn request() -> Request {
    let service = ServiceSpec { name: "access".into(), resource_type: "port".into(), characteristics: Vec::new() };
    Request { order: "4711".into(), customer: None, location: None, service, preferred_element: None }
}

fn free(id: &str) -> Value {
    json!({ "id": id, "href": format!("/r/{id}"), "resourceStatus": "available", "resourceSpecification": { "id": "1", "name": "port" },
        "resourceCharacteristic": [{ "name": "slot", "value": 7 }],
        "resourceRelationship": [{ "relationshipType": "containedIn", "id": "olt-1" }] })
}

/// A resource that carries a reservation.
fn reserved(id: &str, key: &str, service: &str, status: &str) -> Value {
    let mut resource = free(id);
    resource["resourceStatus"] = status.into();
    resource["resourceCharacteristic"] = marks(key, service);
    resource
}

fn marks(key: &str, service: &str) -> Value {
    let text = |name: &str, value: &str| json!({ "name": name, "valueType": "string", "value": value });
    json!([
        { "name": "slot", "value": 7 }, text("jackfield-reservation", key), text("jackfield-order", "4711"),
        text("jackfield-service", service), text("jackfield-type", "port"),
    ])
}

fn on_list(query: &str, found: &[Value]) {
    Http::on("GET", &format!("{BASE}?{query}&limit=50"), Reply::json(200, &json!(found).to_string()));
}

fn on_ours(found: &[Value]) {
    on_list("resourceCharacteristic.value=key", found);
}

fn on_free(found: &[Value]) {
    on_list("resourceSpecification.name=port&resourceStatus=available", found);
}

fn on_read(id: &str, found: &Value) {
    Http::on("GET", &format!("{BASE}/{id}"), Reply::json(200, &found.to_string()).header("ETag", "\"1\""));
}

fn on_patch(id: &str, reply: Reply) {
    Http::on("PATCH", &format!("{BASE}/{id}"), reply);
}

fn apply(request: Request) -> Result<Outcome<Resource>, Failure> {
    testing::begin_call();
    Tmf639::apply(&testing::call("key"), request)
}

fn observe() -> Result<Observed<Resource>, Failure> {
    testing::begin_call();
    Tmf639::observe(&testing::call("key"), request())
}

fn undo(receipt: Resource) -> Result<Outcome<Resource>, Failure> {
    testing::begin_call();
    Tmf639::undo(&testing::call("another-key"), receipt)
}

fn receipt(id: &str) -> Resource {
    Resource {
        id: id.into(),
        resource_type: "port".into(),
        service: "access".into(),
        network_element: "olt-1".into(),
        characteristics: [("slot", "7"), ("href", &format!("/r/{id}")), ("jackfield-reservation", "key")]
            .map(|(n, v)| Characteristic::new(n, v))
            .into(),
    }
}

fn code(failure: &Failure) -> String {
    failure.to_string().split(':').next().unwrap().to_owned()
}

#[test]
fn a_free_resource_is_reserved_if_it_is_still_as_it_was_read() {
    on_ours(&[]);
    on_free(&[free("p1")]);
    on_read("p1", &free("p1"));
    on_patch("p1", Reply::json(200, "{}"));
    assert_eq!(apply(request()), Ok(Outcome::Done(receipt("p1"))));
    let patch = Http::sent().pop().unwrap();
    let header = |name| patch.header(name).unwrap();
    assert_eq!((header("if-match"), header("idempotency-key"), header("content-type")), ("\"1\"", "key", "application/merge-patch+json"));
    assert_eq!(patch.json(), json!({ "resourceStatus": "reserved", "resourceCharacteristic": marks("key", "access") }));
    Http::assert_finished();
}

#[test]
fn a_repetition_gets_what_it_has_and_the_same_receipt() {
    on_ours(&[reserved("p1", "key", "access", "reserved")]);
    assert_eq!(apply(request()), Ok(Outcome::Done(receipt("p1"))));
    on_ours(&[reserved("p1", "key", "access", "reserved")]);
    assert_eq!(observe(), Ok(Observed::Ours(receipt("p1"))));
    assert!(Http::sent().iter().all(|sent| sent.method == "GET"));
}

#[test]
fn whoever_is_overtaken_takes_the_next() {
    on_ours(&[]);
    on_free(&[free("p1"), free("p2"), free("p3"), free("p4")]);
    // One is gone, one was reserved since, two were changed between reading and writing.
    Http::on("GET", &format!("{BASE}/p1"), Reply::status(404));
    on_read("p2", &reserved("p2", "other", "access", "reserved"));
    for (id, status) in [("p3", 412), ("p4", 409)] {
        on_read(id, &free(id));
        on_patch(id, Reply::status(status));
    }
    on_free(&[free("p5")]);
    on_read("p5", &free("p5"));
    on_patch("p5", Reply::status(204));
    assert_eq!(apply(request()), Ok(Outcome::Done(receipt("p5"))));
    Http::assert_finished();

    on_ours(&[]);
    for _ in 0..3 {
        on_free(&[free("p1")]);
        on_read("p1", &free("p1"));
        on_patch("p1", Reply::status(412));
    }
    assert_eq!(apply(request()), Err(Failure::unavailable("contended", "every port that was free was taken meanwhile")));
}

#[test]
fn where_nothing_is_free_it_says_so() {
    on_ours(&[]);
    on_free(&[]);
    assert_eq!(apply(request()), Err(Failure::rejected("no_inventory", "No available port")));
}

#[test]
fn settings_and_wishes_are_filters() {
    Config::set("filters", r#"{"port": {"resourceSpecification.id": "1"}}"#);
    Config::set("place_attribute", "place.name");
    Config::set("containment", "sitsIn");
    Config::set("element", "bng-1");
    on_ours(&[]);
    let query = "place.name=K%C3%B6ln%2C%20Ring%201&resourceSpecification.id=1&resourceStatus=available";
    let mut there = free("p1");
    there["place"] = json!({ "name": "Köln, Ring 1" });
    on_list(&query.replace("&resourceSpec", "&resourceRelationship.id=olt-7&resourceSpec"), &[]);
    on_list(query, std::slice::from_ref(&there));
    on_read("p1", &there);
    on_patch("p1", Reply::status(200));
    let request = Request { location: Some("Köln, Ring 1".into()), preferred_element: Some("olt-7".into()), ..request() };
    let Ok(Outcome::Done(taken)) = apply(request) else { panic!("not done") };
    assert_eq!(taken.network_element, "bng-1");
    Http::assert_finished();
}

#[test]
fn observe_tells_absent_and_drifted_apart_and_ignores_strangers() {
    on_ours(&[]);
    assert_eq!(observe(), Ok(Observed::Absent));
    let mut stranger = free("p1");
    stranger["resourceCharacteristic"] = json!([{ "name": "colour", "value": "key" }]);
    on_ours(&[stranger]);
    assert_eq!(observe(), Ok(Observed::Absent));
    for (service, status) in [("internet", "reserved"), ("access", "available"), ("access", "suspended")] {
        on_ours(&[reserved("p1", "key", service, status)]);
        assert_eq!(observe(), Ok(Observed::Drifted(receipt("p1"))), "{service} {status}");
        // The engine goes on with `apply`, which releases it and takes another.
        on_ours(&[reserved("p1", "key", service, status)]);
        on_read("p1", &reserved("p1", "key", service, status));
        on_patch("p1", Reply::status(200));
        on_free(&[free("p2")]);
        on_read("p2", &free("p2"));
        on_patch("p2", Reply::status(200));
        assert_eq!(apply(request()), Ok(Outcome::Done(receipt("p2"))));
    }
    let two = [reserved("p1", "key", "access", "reserved"), reserved("p2", "key", "access", "reserved")];
    on_ours(&two);
    assert_eq!(observe(), Ok(Observed::Drifted(receipt("p1"))));
    on_ours(&two);
    on_read("p2", &two[1]);
    on_patch("p2", Reply::status(200));
    assert_eq!(apply(request()), Ok(Outcome::Done(receipt("p1"))), "one is kept");
    Http::assert_finished();
}

#[test]
fn undo_releases_only_what_is_ours_and_may_run_twice() {
    on_ours(&[]);
    on_read("p1", &reserved("p1", "key", "access", "reserved"));
    on_patch("p1", Reply::status(412));
    on_read("p1", &reserved("p1", "key", "access", "reserved"));
    on_patch("p1", Reply::status(200));
    assert_eq!(undo(receipt("p1")), Ok(Outcome::Undone));
    let patch = Http::sent().pop().unwrap().json();
    assert_eq!(patch, json!({ "resourceStatus": "available", "resourceCharacteristic": [{ "name": "slot", "value": 7 }] }));
    let before = Http::sent().len();
    on_ours(&[]);
    on_read("p1", &free("p1"));
    assert_eq!(undo(receipt("p1")), Ok(Outcome::Undone));
    on_ours(&[]);
    on_read("p1", &reserved("p1", "other", "access", "reserved"));
    assert_eq!(undo(receipt("p1")), Ok(Outcome::Undone));
    on_ours(&[]);
    Http::on("GET", &format!("{BASE}/p1"), Reply::status(404));
    assert_eq!(undo(receipt("p1")), Ok(Outcome::Undone));
    assert!(Http::sent()[before..].iter().all(|sent| sent.method == "GET"));

    on_ours(&[]);
    on_read("p1", &reserved("p1", "key", "access", "alarm"));
    on_patch("p1", Reply::status(200));
    assert_eq!(undo(receipt("p1")), Ok(Outcome::Undone));
    assert_eq!(Http::sent().pop().unwrap().json().get("resourceStatus"), None, "an alarm is not silenced");
    let foreign = Resource { characteristics: Vec::new(), ..receipt("p1") };
    assert_eq!(code(&undo(foreign).unwrap_err()), "rejected (bad_receipt)");
}

#[test]
fn an_inventory_that_cannot_be_relied_on_is_refused() {
    on_ours(&[free("p1")]);
    assert_eq!(code(&apply(request()).unwrap_err()), "rejected (inventory_refused)", "it does not filter by characteristics");
    on_ours(&[]);
    on_free(&[reserved("p1", "other", "access", "reserved")]);
    assert_eq!(code(&apply(request()).unwrap_err()), "rejected (inventory_refused)", "it does not filter by status");
    on_ours(&[]);
    on_free(&[free("p1")]);
    Http::on("GET", &format!("{BASE}/p1"), Reply::json(200, &free("p1").to_string()));
    assert_eq!(code(&apply(request()).unwrap_err()), "rejected (inventory_refused)", "it has no entity tags");
    let mut nowhere = free("p1");
    nowhere["resourceRelationship"] = json!([]);
    on_ours(&[]);
    on_free(std::slice::from_ref(&nowhere));
    on_read("p1", &nowhere);
    assert_eq!(code(&apply(request()).unwrap_err()), "rejected (inventory_refused)", "it does not say where the resource is");
    Config::set("filters", "port");
    assert_eq!(code(&apply(request()).unwrap_err()), "rejected (bad_config)");
    Http::assert_finished();
}

#[test]
fn refusals_and_outages_are_told_apart() {
    for (reply, expected) in [
        (Reply::status(400), "rejected (inventory_refused)"),
        (Reply::status(503), "unavailable (inventory_refused)"),
        (Reply::status(500), "unknown outcome (inventory_refused)"),
        (Reply::no_answer(), "unknown outcome (no_answer)"),
        (Reply::refused(), "unavailable (unreachable)"),
    ] {
        on_ours(&[]);
        on_free(&[free("p1")]);
        on_read("p1", &free("p1"));
        on_patch("p1", reply);
        assert_eq!(code(&apply(request()).unwrap_err()), expected);
    }
}
