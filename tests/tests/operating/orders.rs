//! Orders by the command line: submitted, shown, listed, for people and for programs, each end with its own exit code.

use std::fs;

use end_to_end_tests::harness::Lab;
use serde_json::{Value, json};

use super::{order, setup};

#[test]
fn orders_are_submitted_shown_and_listed_for_people_and_for_programs() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let file = |name: &str, order: &Value| fs::write(host.directory().join(name), order.to_string()).unwrap();
    let mut sent = order("fibre-100");
    sent["externalId"] = json!("shop-1");
    file("good.json", &sent);
    file("unknown.json", &order("no-such-offering"));

    let completed = host.type_in(&["order", "submit", "good.json", "--wait", "--json"]).json();
    let id = completed["id"].as_str().unwrap();
    assert_eq!((&completed["state"], &completed["externalId"]), (&json!("completed"), &json!("shop-1")));
    let accepted = host.type_in(&["order", "submit", "good.json", "--json", "--idempotency-key", "k"]).json();
    assert_eq!(accepted["state"], "acknowledged");
    host.type_in(&["order", "submit", "good.json", "--wait"]).good(&["is completed"]);
    // An order that is held was accepted, but it is not what was waited for.
    let held = host.type_in(&["order", "submit", "unknown.json", "--wait", "--json"]);
    assert_eq!((held.code, serde_json::from_str::<Value>(&held.out).unwrap()["state"].clone()), (Some(1), json!("held")));

    assert_eq!(host.type_in(&["order", "show", id, "--json"]).json(), completed);
    host.type_in(&["order", "show", id]).good(&[id, "completed", "shop-1", "fibre-100"]);
    host.wait(accepted["id"].as_str().unwrap(), &["completed"]);
    let list = |words: &[&str]| host.type_in(&[&["order", "list", "--json"], words].concat()).json().as_array().unwrap().len();
    assert_eq!((list(&[]), list(&["--state", "completed"]), list(&["--state", "held"]), list(&["--state", "failed"])), (4, 3, 1, 0));
    assert_eq!(list(&["--limit", "2"]), 2);
    let limited = host.type_in(&["order", "list", "--limit", "1"]);
    limited.good(&["ID ", "STATE", "OFFERING"]);
    assert!(limited.err.contains("1 of 4 orders; --limit shows more"), "{limited}");
}

#[test]
fn every_way_to_fail_has_its_exit_code() {
    let host = end_to_end_tests::harness::Setup::default().start();
    let file = |name: &str, text: &str| fs::write(host.directory().join(name), text).unwrap();
    file("good.json", &order("a").to_string());
    file("other.json", &order("b").to_string());
    file("text.json", "no json");
    file("none.json", r#"{"productOrderItem": []}"#);
    file("large.json", &json!({"x": "x".repeat(2 << 20)}).to_string());
    file("token", "0123456789abcdef");
    host.type_in(&["order", "submit", "text.json"]).bad(5, &["Invalid body: "]);
    host.type_in(&["order", "submit", "none.json"]).bad(5, &["$.productOrderItem is empty: expected at least one item"]);
    host.type_in(&["order", "submit", "large.json"]).bad(1, &["large.json has more than 1048576 bytes"]);
    host.type_in(&["order", "submit", "absent.json"]).bad(1, &["absent.json cannot be read: No such file"]);
    host.type_in(&["order", "submit", "good.json", "--idempotency-key", "k"]).good(&["was accepted"]);
    host.type_in(&["order", "submit", "good.json", "--idempotency-key", "k"]).good(&["was submitted before"]);
    host.type_in(&["order", "submit", "other.json", "--idempotency-key", "k"]).bad(5, &["the key was used for another order"]);
    host.type_in(&["order", "submit", "good.json", "--idempotency-key", "two words and a \u{e9}"]).bad(5, &["Idempotency-Key"]);
    host.type_in(&["order", "show", "nobody"]).bad(4, &["there is no product order `nobody`"]);
    host.type_in(&["order", "list", "--state", "tired", "--json"]).good(&["[]"]);
    host.type_in(&["order", "list", "--limit", "0"]).bad(2, &["--limit <LIMIT>"]);
    host.type_in(&["order", "submit"]).bad(2, &["<FILE>"]);
    host.type_in(&["order", "list", "--token-file", "token"]).bad(5, &["the host does not know the token"]);
    host.type_in(&["order", "list", "--token-file", "absent"]).bad(1, &["absent cannot be read", "expected a file with a token"]);
    host.type_in(&["order", "list", "--config", "absent.toml"]).bad(1, &["absent.toml cannot be read: No such file"]);
    host.type_in(&["order", "list", "--url", "http://127.0.0.1:1", "--token-file", "token"]).bad(6, &["http://127.0.0.1:1 cannot be reached"]);
}
