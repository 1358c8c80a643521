//! Orders that cannot be accepted: refused with a code, a reason and a path, and nothing of them is kept.

use end_to_end_tests::harness::{Answer, Host, Lab, Setup};
use serde_json::{Value, json};

use super::{ORDERS, order, post, setup};

/// The parts of an error that a program reads.
fn error(answer: &Answer) -> (u16, &str, &str, &str) {
    let text = |name: &str| answer.body[name].as_str().unwrap_or_default();
    assert_eq!(text("status"), answer.status.to_string(), "{}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json;charset=utf-8"));
    (answer.status, text("code"), text("path"), text("message"))
}

fn refused(host: &Host, body: &str, code: &str, path: &str, message: &str) {
    let answer = host.request("POST", ORDERS, &[("content-type", "application/json")], body);
    let found = error(&answer);
    let shown: String = body.chars().take(100).collect();
    assert_eq!((found.0, found.1, found.2), (400, code, path), "{shown}: {}", answer.body);
    assert!(found.3.contains(message), "{shown}: {}", answer.body);
}

/// An order with one attribute set, by its JSON pointer.
fn with(pointer: &str, name: &str, value: Value) -> String {
    let mut order = order("fibre-100");
    order.pointer_mut(pointer).unwrap()[name] = value;
    order.to_string()
}

#[test]
fn an_order_that_cannot_be_accepted_is_refused_with_its_place() {
    let host = Setup::default().start();
    let host = &host;
    refused(host, "", "21", "", "the body is empty: expected a product order in JSON");
    refused(host, "not json", "22", "$", "line 1 column 2");
    refused(host, "{\"productOrderItem\": [", "22", "$", "EOF while parsing");
    refused(host, "[]", "22", "$", "the body is not a product order: expected a JSON object");
    refused(host, "{\"a\": 1e999}", "22", "$", "number out of range");
    refused(host, "\u{feff}{}", "22", "$", "line 1 column 1");
    // Within what can be read at all, and beyond it.
    let deep = |depth: usize| format!("{{\"x\": {}{}}}", "[".repeat(depth), "]".repeat(depth));
    refused(host, &deep(40), "24", &format!("$.x{}", "[0]".repeat(31)), "is nested too deep: expected at most 32 levels");
    refused(host, &deep(100_000), "22", "$", "recursion limit exceeded");
    refused(host, "{}", "23", "$.productOrderItem", "is missing: expected at least one item");
    refused(host, r#"{"productOrderItem": []}"#, "24", "$.productOrderItem", "is empty: expected at least one item");
    refused(host, r#"{"productOrderItem": {"id": "1"}}"#, "24", "$.productOrderItem", "expected");
    refused(
        host,
        &with("", "requestedStartDate", json!("tomorrow")),
        "24",
        "$.requestedStartDate",
        "is \"tomorrow\": expected an RFC 3339 date and time",
    );
    refused(host, &with("", "requestedCompletionDate", json!("2031-02-30T00:00:00Z")), "24", "$.requestedCompletionDate", "expected an RFC 3339");
    refused(host, &with("", "state", json!("completed")), "24", "$.state", "is set by the server: expected it to be absent");
    refused(host, &with("/productOrderItem/0", "action", json!("steal")), "24", "$.productOrderItem[0].action", "is \"steal\": expected ");
    refused(host, &with("/productOrderItem/0", "quantity", json!(-1)), "24", "$.productOrderItem[0].quantity", "is -1: expected a whole number");
    refused(host, &with("/productOrderItem/0", "productOffering", json!({})), "23", "$.productOrderItem[0].productOffering.id", "is missing");
    let again = json!([{"id": "1", "action": "add", "productOffering": {"id": "a"}}, {"id": "1", "action": "add", "productOffering": {"id": "b"}}]);
    refused(host, &with("", "productOrderItem", again), "24", "$.productOrderItem[1].id", "is `1` again: expected an id of its own for every item");
    refused(host, r#"{"externalId": "a", "externalId": "b", "productOrderItem": []}"#, "24", "$.externalId", "twice");
    refused(host, r#"{"productOrderItem": [{"id": "1", "action": "add", "x": {"y": 1, "\u0079": 2}}]}"#, "24", "$.productOrderItem[0].x.y", "twice");
    assert_eq!(host.request("GET", ORDERS, &[], "").header("x-total-count"), Some("0"), "nothing of them is kept");
}

#[test]
fn a_body_of_another_kind_is_refused() {
    let host = Setup::default().start();
    for media_type in ["text/plain", "application/xml", "application/jsonx", "", "application/x-www-form-urlencoded; charset=utf-8"] {
        let answer = host.request("POST", ORDERS, &[("content-type", media_type)], &order("a").to_string());
        let (status, code, path, message) = error(&answer);
        assert_eq!((status, code, path), (415, "68", "Content-Type"), "{media_type}");
        assert!(message.contains("is not understood: expected application/json"), "{message}");
    }
    for media_type in ["application/json", "application/json; charset=utf-8", "Application/JSON"] {
        assert_eq!(host.request("POST", ORDERS, &[("content-type", media_type)], &order("a").to_string()).status, 201, "{media_type}");
    }
    // Not UTF-8, whatever the client calls it.
    let body = b"{\"externalId\": \"caf\xe9\", \"productOrderItem\": []}";
    let head = format!(
        "POST {ORDERS} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        host.token(),
        body.len()
    );
    let said = host.send(&[head.as_bytes(), body].concat());
    assert!(
        said.starts_with("HTTP/1.1 400 ") && said.contains(r#""code":"22""#) && said.contains("invalid unicode code point at line 1 column"),
        "{said}"
    );
    let answer =
        host.request("POST", ORDERS, &[("content-type", "application/json"), ("idempotency-key", &"k".repeat(257))], &order("a").to_string());
    assert_eq!(error(&answer).2, "Idempotency-Key");
}

#[test]
fn an_unknown_offering_is_accepted_and_held_for_a_person_with_its_name() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let answer = post(&host, &order("no-such-offering"));
    assert_eq!(answer.status, 201, "what an offering is, the catalogue knows");
    let id = answer.body["id"].as_str().unwrap();
    host.wait(id, &["held"]);
    host.type_in(&["run", "show", id]).good(&[
        "reason      decomposition_failed",
        "step        decompose",
        "unknown_offering (rejected): the catalogue has no product offering \"no-such-offering\"",
    ]);
    assert_eq!(lab.effects("element", "created") + lab.effects("activation", "created"), 0);
}
