//! Orders made from the official document: each attribute that it has comes back as it was sent, or is refused for a reason that is listed here.

use std::collections::BTreeMap;

use end_to_end_tests::harness::{Answer, Host, orders::order};
use serde_json::{Value, json};

use crate::{BASE, ORDERS, answers::host, official::Official};

/// What the document allows a client to send and the host refuses, with the reason.
const REFUSED: [(&str, &str); 5] = [
    // An order that is already cancelled is not to be fulfilled.
    ("$.cancellationDate", "is set by the server: expected it to be absent"),
    ("$.cancellationReason", "is set by the server: expected it to be absent"),
    // The document says so itself, though not in its schema.
    ("$.productOrderItem[0].state", "is set by the server: expected it to be absent"),
    // What is there already is neither changed nor ended.
    ("$.productOrderItem[0].action = \"modify\"", "expected add or noChange"),
    ("$.productOrderItem[0].action = \"delete\"", "expected add or noChange"),
];

/// Where the attributes of a definition stand in an order.
const PLACES: [(&str, &str, &str); 3] = [
    ("ProductOrder_Create", "", "$"),
    ("ProductOrderItem", "/productOrderItem/0", "$.productOrderItem[0]"),
    ("ProductRefOrValue", "/productOrderItem/0/product", "$.productOrderItem[0].product"),
];

fn post(host: &Host, order: &Value) -> Answer {
    host.request("POST", ORDERS, &[("content-type", "application/json")], &order.to_string())
}

/// What a client sent of an order that came back.
fn as_sent(mut order: Value) -> Value {
    order.as_object_mut().unwrap().retain(|name, _| !["id", "href", "state", "orderDate"].contains(&name.as_str()));
    without_states(&mut order);
    order
}

fn without_states(parent: &mut Value) {
    for item in parent["productOrderItem"].as_array_mut().into_iter().flatten() {
        item.as_object_mut().unwrap().remove("state").unwrap();
        if item["productOrderItem"].is_array() {
            without_states(item);
        }
    }
}

fn comes_back(official: &Official, host: &Host, order: &Value) {
    assert_eq!(official.errors("ProductOrder_Create", order), [""; 0], "{order:#}");
    let created = post(host, order);
    assert_eq!(created.status, 201, "{order:#} is answered {:#}", created.body);
    official.check(["post", "/productOrder"], "201", &created, false);
    let shown = host.order(created.body["id"].as_str().unwrap());
    for body in [created.body, shown] {
        assert_eq!(as_sent(body), *order);
    }
}

#[test]
fn every_attribute_of_the_official_document_comes_back_or_is_refused_for_a_listed_reason() {
    let (official, host) = (Official::read(), host());
    let mut reasons: BTreeMap<&str, &str> = REFUSED.into();
    let mut cases = Vec::new();
    for (definition, pointer, path) in PLACES {
        for attribute in official.attributes(definition).into_keys() {
            let mut order = order("fibre");
            order["productOrderItem"][0]["product"] = json!({});
            order.pointer_mut(pointer).unwrap()[&attribute] = official.value(definition, &attribute);
            cases.push((format!("{path}.{attribute}"), order));
        }
    }
    for action in official.values("OrderItemActionType") {
        let mut order =
            json!({"productOrderItem": [{"id": "1", "action": action, "productOffering": {"id": "fibre"}}, {"id": "2", "action": "add"}]});
        order["productOrderItem"][1]["productOffering"] = json!({"id": "tv"});
        cases.push((format!("$.productOrderItem[0].action = {action}"), order));
    }
    assert!(cases.len() > 60, "{cases:?}");
    for (name, order) in cases {
        let Some(reason) = reasons.remove(name.as_str()) else {
            comes_back(&official, &host, &order);
            continue;
        };
        let refused = post(&host, &order);
        assert_eq!((refused.status, refused.body["path"].as_str()), (400, name.split(' ').next()), "{name}: {}", refused.body);
        assert!(refused.body["message"].as_str().unwrap().contains(reason), "{name}: {}", refused.body);
    }
    assert!(reasons.is_empty(), "the document has no {reasons:?}");
}

#[test]
fn the_official_document_refuses_what_it_does_not_describe() {
    let official = Official::read();
    let wrong = [
        json!({}),
        json!({"productOrderItem": []}),
        json!({"productOrderItem": [{"id": "1", "action": "buy"}]}),
        json!({"productOrderItem": [{"id": "1", "action": "add", "product": {"productCharacteristic": [{"name": 7, "value": 1}]}}]}),
        json!({"productOrderItem": [{"id": "1", "action": "add"}], "requestedStartDate": "tomorrow"}),
    ];
    for order in wrong {
        assert_eq!(official.errors("ProductOrder_Create", &order).len(), 1, "{order}");
    }
}

#[test]
fn an_order_of_everything_that_the_official_document_has_comes_back() {
    let official = Official::read();
    let mut order = official.full_order();
    order.as_object_mut().unwrap().retain(|name, _| !REFUSED.iter().any(|(path, _)| *path == format!("$.{name}")));
    let item = &order["productOrderItem"][0];
    assert!(item["productOrderItem"][0].is_object() && item["product"]["productPrice"][0]["price"].is_object(), "{order:#}");
    comes_back(&official, &host(), &order);
}

#[test]
fn our_document_knows_every_attribute_that_the_official_one_has_by_its_type() {
    let (official, host) = (Official::read(), host());
    let ours = host.request("GET", &format!("{BASE}/openapi.json"), &[], "").body;
    let schemas = &ours["components"]["schemas"];
    for (official_name, our_name) in [
        ("ProductOrder_Create", "ProductOrderCreate"),
        ("ProductOrderItem", "ProductOrderItem"),
        ("ProductRefOrValue", "Product"),
        ("Error", "Error"),
    ] {
        for (attribute, official_type) in official.attributes(official_name) {
            let schema = &schemas[our_name]["properties"][&attribute];
            let refused = schemas[our_name]["not"].to_string().contains(&format!("\"{attribute}\""));
            // Errors have no subclasses here, and no pages of their own.
            let unused = official_name == "Error" && (attribute.starts_with('@') || attribute == "referenceError");
            let our_type = schema["type"]
                .as_str()
                .or_else(|| schema["$ref"].as_str().map(|_| "object"))
                .or_else(|| schema["enum"].get(0)?.as_str().map(|_| "string"));
            assert!(refused || unused || our_type == official_type.as_deref(), "{our_name}.{attribute} is {schema}: expected {official_type:?}");
        }
    }
}
