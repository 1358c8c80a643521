//! What is submitted comes back, and what cannot be submitted is refused with its place.

use end_to_end_tests::harness::{Host, Lab};
use serde_json::{Value, json};

use super::{order, setup};

const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

/// Everything of `sent` must be in `found`, unchanged.
fn contains(found: &Value, sent: &Value, path: &str) {
    match (found, sent) {
        (Value::Object(found), Value::Object(sent)) => {
            for (name, value) in sent {
                contains(found.get(name).unwrap_or(&Value::Null), value, &format!("{path}.{name}"));
            }
        }
        (Value::Array(found), Value::Array(sent)) => {
            assert_eq!(found.len(), sent.len(), "{path}");
            found.iter().zip(sent).enumerate().for_each(|(n, (found, sent))| contains(found, sent, &format!("{path}[{n}]")));
        }
        (found, sent) => assert_eq!(found, sent, "{path}"),
    }
}

#[test]
fn an_order_comes_back_as_it_was_sent_and_is_found_in_the_list() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let mut sent = order("fibre-100");
    sent["@type"] = json!("ShopOrder");
    sent["externalId"] = json!("shop-4711");
    sent["shop"] = json!({"till": 7, "tags": ["a", {"b": null}], "big": 9_007_199_254_740_993_u64});
    let id = host.submit(&sent);
    let order = host.wait(&id, &["completed"]);
    contains(&order, &sent, "order");
    assert_eq!((&order["id"], &order["productOrderItem"][0]["state"]), (&json!(id), &json!("completed")));
    assert!(order["completionDate"].is_string() && order["orderDate"].is_string());
    let list = host.request("GET", &format!("{ORDERS}?externalId=shop-4711&fields=state"), &[], "");
    assert_eq!((list.status, list.header("x-total-count")), (200, Some("1")));
    assert_eq!(list.body[0]["state"], "completed");
}

#[test]
fn the_same_key_makes_one_order_and_another_body_under_it_is_a_conflict() {
    let lab = Lab::start();
    let mut host = setup(&lab).start();
    let send = |host: &Host, offering: &str| {
        host.request("POST", ORDERS, &[("idempotency-key", "k-1"), ("content-type", "application/json")], &order(offering).to_string())
    };
    let (first, second, other) = (send(&host, "fibre-100"), send(&host, "fibre-100"), send(&host, "fibre-1000"));
    assert_eq!((first.status, second.status, other.status), (201, 200, 409));
    assert_eq!(first.body["id"], second.body["id"]);
    host.kill_and_restart();
    let (third, other) = (send(&host, "fibre-100"), send(&host, "fibre-1000"));
    assert_eq!((third.status, other.status, &third.body["id"]), (200, 409, &first.body["id"]));
}

#[test]
fn bad_orders_are_refused_with_what_where_and_what_was_expected_and_the_host_lives_on() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let twice = json!({"productOrderItem": [order("a")["productOrderItem"][0], order("b")["productOrderItem"][0]]});
    let mut dated = order("a");
    dated["requestedStartDate"] = json!("tomorrow");
    let mut server_set = order("a");
    server_set["state"] = json!("completed");
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let cases = [
        ("not json".to_owned(), 400, ""),
        (deep, 400, ""),
        (json!({}).to_string(), 400, "productOrderItem"),
        (json!({"productOrderItem": []}).to_string(), 400, "productOrderItem"),
        (twice.to_string(), 400, "productOrderItem[1].id"),
        (dated.to_string(), 400, "requestedStartDate"),
        (server_set.to_string(), 400, "state"),
        (order("a").to_string().replace("add", "delete"), 400, "productOrderItem[0].action"),
        (json!({"productOrderItem": [], "x": "y".repeat(10 << 20)}).to_string(), 413, ""),
    ];
    for (body, status, place) in cases {
        let answer = host.request("POST", ORDERS, &[("content-type", "application/json")], &body);
        let shown: String = body.chars().take(80).collect();
        assert_eq!(answer.status, status, "{shown}: {}", answer.body);
        assert!(answer.body.to_string().contains(place), "{shown}: {}", answer.body);
        assert!(answer.body["code"].is_string() && answer.body["reason"].is_string(), "{shown}: {}", answer.body);
    }
    host.wait(&host.submit(&order("fibre-100")), &["completed"]);
}

#[test]
fn nothing_is_shown_without_a_token() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    for path in [ORDERS, "/api/v1/runs"] {
        let status = ureq::get(format!("{}{path}", host.url)).config().http_status_as_error(false).build().call().unwrap().status();
        assert_eq!(status.as_u16(), 401, "{path}");
    }
}
