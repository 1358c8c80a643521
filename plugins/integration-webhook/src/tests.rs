//! The plugin against a scripted receiver.

use jackfield_plugin_sdk::{
    Characteristic, Failure, Integration as _, Outcome,
    integration::{Receipt, Request},
    tenant::Tenant,
    testing::{self, Config, Http, Reply, Secrets},
};
use serde_json::json;

use crate::{Webhook, signed};

const URL: &str = "http://webhook/billing";

fn request() -> Request {
    let tenant = Tenant { id: "t-1".into(), slug: "acme".into(), plan: "pro".into(), region: "eu".into() };
    let settings = vec![Characteristic::new("seats", "25")];
    Request { tenant, name: "Acme \"Ltd\"".into(), integration: "billing".into(), domain: "acme.example".into(), settings }
}

fn receipt(id: &str) -> Receipt {
    Receipt { integration: "billing".into(), id: id.into() }
}

fn apply(reply: Reply) -> Result<Outcome<Receipt>, Failure> {
    start("POST", URL, reply);
    Webhook::apply(&testing::call("key"), request())
}

fn undo(reply: Reply) -> Result<Outcome<Receipt>, Failure> {
    start("POST", URL, reply);
    Webhook::undo(&testing::call("undo-key"), receipt("c-7"))
}

fn start(method: &str, url: &str, reply: Reply) {
    testing::reset();
    Secrets::grant_signing("webhook-key", &[0xfb, 0xff, 0x01]);
    Http::on(method, url, reply);
}

#[test]
fn the_event_is_signed_as_standard_webhooks_say() {
    assert_eq!(apply(Reply::json(201, r#"{"id": "c-7"}"#)), Ok(Outcome::Done(receipt("c-7"))));
    let sent = &Http::sent()[0];
    let expected = json!({ "type": "tenant.created", "data": { "integration": "billing", "name": "Acme \"Ltd\"", "domain": "acme.example",
        "tenant": { "id": "t-1", "slug": "acme", "plan": "pro", "region": "eu" }, "settings": { "seats": "25" } } });
    assert_eq!(sent.json(), expected);
    let header = |name: &str| sent.header(name).unwrap().to_owned();
    assert_eq!((header("content-type").as_str(), header("webhook-signature").as_str()), ("application/json", "v1,+/8B"));
    assert_eq!(header("webhook-id"), "msg_2c70e12b7a0646f92279f427c7b38e73");
    assert!(header("webhook-timestamp").parse::<u64>().unwrap() > 1_700_000_000);
    let body = String::from_utf8(sent.body.clone()).unwrap();
    let length = signed(&header("webhook-id"), &header("webhook-timestamp"), &body).len();
    assert!(testing::calls().contains(&format!("secrets sign HmacSha256 {length} bytes")), "{:?}", testing::calls());
    assert_eq!(signed("msg_1", "17", "{}"), "msg_1.17.{}");
}

#[test]
fn the_id_is_the_same_in_every_repetition_and_another_for_the_undo() {
    let id = || Http::sent()[0].header("webhook-id").unwrap().to_owned();
    apply(Reply::status(200)).unwrap();
    let first = id();
    apply(Reply::status(200)).unwrap();
    assert_eq!(id(), first);
    undo(Reply::status(200)).unwrap();
    assert_ne!(id(), first);
}

#[test]
fn an_answer_without_a_usable_id_is_as_good() {
    let long = format!("{{\"id\": \"{}\"}}", "x".repeat(300));
    for body in ["", "ok", "<html><body>thanks</body></html>", "[]", "{}", r#"{"id": null}"#, r#"{"id": ""}"#, r#"{"id": {}}"#, long.as_str()] {
        assert_eq!(apply(Reply::json(200, body)), Ok(Outcome::Done(receipt("t-1"))), "{body}");
    }
    assert_eq!(apply(Reply::json(200, r#"{"id": 7}"#)), Ok(Outcome::Done(receipt("7"))));
    assert_eq!(apply(Reply::json(409, r#"{"id": "other"}"#)), Ok(Outcome::Done(receipt("t-1"))));
}

#[test]
fn failures_tell_the_truth() {
    let check = |reply: Reply, kind: &str| {
        let failure = apply(reply).unwrap_err().to_string();
        assert!(failure.starts_with(kind), "expected {kind}, got {failure}");
    };
    check(Reply::status(410), "rejected (webhook_gone)");
    check(Reply::status(404), "rejected (webhook_refused)");
    check(Reply::status(302).header("location", "http://169.254.169.254/"), "rejected (webhook_refused)");
    check(Reply::json(422, "<html>"), "rejected (webhook_refused)");
    check(Reply::status(503), "unavailable (webhook_refused)");
    check(Reply::status(500), "unknown outcome (webhook_refused)");
    check(Reply::no_answer(), "unknown outcome (no_answer)");
    check(Reply::refused(), "unavailable (unreachable)");
    check(Reply::denied(), "unavailable (unreachable)");
    check(Reply::json(200, &"x".repeat(70_000)), "unknown outcome (bad_answer)");
    let Err(Failure::Unavailable(it)) = apply(Reply::status(429).header("retry-after", "9")) else { panic!("not unavailable") };
    assert_eq!(it.retry_after_ms, Some(9000));
}

#[test]
fn undo_tells_that_the_tenant_is_gone() {
    assert_eq!(undo(Reply::status(204)), Ok(Outcome::Undone));
    assert_eq!(Http::sent()[0].json(), json!({ "type": "tenant.deleted", "data": { "integration": "billing", "id": "c-7" } }));
    for status in [404, 409, 410] {
        assert_eq!(undo(Reply::status(status)), Ok(Outcome::Undone));
    }
    assert!(matches!(undo(Reply::status(400)), Err(Failure::Rejected(_))));
    assert!(matches!(undo(Reply::status(503)), Err(Failure::Unavailable(_))));
    assert!(matches!(undo(Reply::no_answer()), Err(Failure::UnknownOutcome(_))));
}

#[test]
fn the_operator_says_where_to_and_a_name_is_no_way_out() {
    start("POST", "http://webhook/hooks/tenants?v=2", Reply::status(204));
    Config::set("paths", r#"{"billing": "/hooks/tenants?v=2", "crm": "elsewhere"}"#);
    assert_eq!(Webhook::apply(&testing::call("key"), request()), Ok(Outcome::Done(receipt("t-1"))));
    let code = |integration: &str| {
        let answer = Webhook::apply(&testing::call("key"), Request { integration: integration.into(), ..request() });
        answer.unwrap_err().reason().code.clone()
    };
    assert_eq!(code("crm"), "bad_config");
    for name in ["", ".", "..", "a/b", "a b", "ü", "a?b", &"x".repeat(65)] {
        assert_eq!(code(name), "bad_request", "{name}");
    }
    Config::set("paths", "[]");
    assert_eq!(code("billing"), "bad_config");
    assert_eq!(Http::sent().len(), 1);
}

#[test]
fn without_the_key_nothing_is_sent() {
    testing::reset();
    let answer = Webhook::apply(&testing::call("key"), request());
    assert_eq!(answer, Err(Failure::rejected("secret", "no secret `webhook-key` is granted")));
    assert!(Http::sent().is_empty());
}
