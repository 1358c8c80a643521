//! Orders that are accepted, shown and listed.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{super::BASE, Client, minimal, schema};

/// An order with everything that the interface knows, and extensions at every level.
fn rich() -> Value {
    json!({
        "externalId": "PO-1", "category": "residential", "description": "déjà vu ☎", "priority": "1", "notificationContact": "a@example.com",
        "requestedStartDate": "2031-05-01T10:00:00.5+02:00", "requestedCompletionDate": "2031-06-01T10:00:00Z",
        "@type": "ProductOrder", "@baseType": "Order", "@schemaLocation": "https://example.com/s.json",
        "channel": [{"id": "1", "name": "retail", "x": 1}], "note": [{"text": "ring twice", "date": "2031-05-01T10:00:00Z"}],
        "relatedParty": [{"id": "c-1", "role": "customer", "@referredType": "Individual"}],
        "agreement": [{"id": "a"}], "billingAccount": {"id": "b"}, "orderTotalPrice": [{"price": {"amount": 12.5}}], "payment": [], "quote": [],
        "acme:extension": {"deep": [null, true, -0.25, 1e-7, 18446744073709551615_u64, "\u{0}"], "empty": [{}, [], ""]},
        "numbers": [1, 1.0, -0.0, 1e300, 5e-324, 0.1, 9007199254740993_u64, -9223372036854775808_i64, 0.30000000000000004, 123456789.12345679, 1e22],
        "текст": "\u{1F1F8}\u{1F1EA} e\u{301} \u{FEFF}\u{202E} \u{10FFFF} \"\\/",
        "productOrderItem": [
            {"id": "1", "action": "add", "quantity": 2, "productOffering": {"id": "fibre", "name": "Fibre"}, "extension": [1, {"a": []}],
             "product": {"isBundle": false, "place": [{"id": "north", "role": "installation", "geo": [1.5, 2.5]}],
                         "productCharacteristic": [{"name": "speed", "value": {"down": 100}, "x": null}]},
             "productOrderItemRelationship": [{"id": "2", "relationshipType": "dependency"}]},
            {"id": "2", "action": "add", "productOffering": {"id": "bundle"}, "productOrderItem": [
                {"id": "2.1", "action": "add", "productOffering": {"id": "tv"}, "own": "x"}, {"id": "2.2", "action": "noChange"}]},
        ],
    })
}

/// What the server adds, taken away again.
fn without_server_attributes(mut order: Value) -> Value {
    let object = order.as_object_mut().unwrap();
    for key in ["id", "href", "state", "orderDate", "completionDate", "cancellationDate"] {
        object.remove(key);
    }
    remove_item_states(&mut order);
    order
}

fn remove_item_states(parent: &mut Value) {
    for item in parent.get_mut("productOrderItem").and_then(Value::as_array_mut).into_iter().flatten() {
        item.as_object_mut().unwrap().remove("state").expect("every item of an answer has a state");
        remove_item_states(item);
    }
}

#[tokio::test]
async fn what_was_posted_comes_back_with_what_the_server_adds() {
    let client = Client::new();
    for order in [minimal(), rich()] {
        let created = client.post(&order).await;
        assert_eq!(created.status, StatusCode::CREATED);
        let id = created.body["id"].as_str().unwrap();
        assert_eq!(created.headers["location"], created.body["href"].as_str().unwrap());
        assert_eq!((&created.body["state"], &created.body["productOrderItem"][0]["state"]), (&json!("acknowledged"), &json!("acknowledged")));
        let shown = client.get(&format!("/productOrder/{id}")).await;
        assert_eq!((shown.status, &shown.body), (StatusCode::OK, &created.body));
        let listed = client.get(&format!("/productOrder?id={id}")).await;
        assert_eq!(listed.body, json!([created.body]));
        assert_eq!(without_server_attributes(created.body), order);
    }
}

#[tokio::test]
async fn the_engine_is_told_key_trace_and_input() {
    let client = Client::new();
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    client.post_with(&[("traceparent", traceparent), ("tracestate", "a=b"), ("idempotency-key", "k")], &rich()).await;
    let start = client.memory.last_start();
    assert_eq!((start.pipeline.as_str(), start.tenant.as_str(), start.idempotency_key.as_deref()), ("order", "default", Some("k")));
    let trace = start.trace.unwrap();
    assert_eq!((trace.parent_span_id.as_str(), trace.trace_state.as_str(), trace.sampled), ("00f067aa0ba902b7", "a=b", true));
    assert_eq!((&start.input["type"], &start.input["customer"], &start.input["channel"]), (&json!("residential"), &json!("c-1"), &json!("retail")));
    client.post_with(&[("traceparent", "nonsense")], &minimal()).await;
    assert_eq!(client.memory.last_start().trace, None);
}

#[tokio::test]
async fn a_repeated_key_finds_the_order_unless_the_body_differs() {
    let client = Client::new();
    let key = [("Idempotency-Key", "abc")];
    let first = client.post_with(&key, &rich()).await;
    let again = client.post_with(&key, &rich()).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200));
    assert_eq!(again.body, first.body);
    let other = client.post_with(&key, &minimal()).await;
    assert_eq!((other.status.as_u16(), other.body["path"].as_str()), (409, Some("Idempotency-Key")));
    assert!(other.body["message"].as_str().unwrap().contains(first.body["id"].as_str().unwrap()));
    assert_eq!(client.memory.started(), 1);
    // Without a key nothing is known about a repetition.
    client.post(&rich()).await;
    assert_eq!(client.memory.started(), 2);
}

#[tokio::test]
async fn a_repeated_post_shows_the_order_as_it_is_now() {
    let client = Client::new();
    let key = [("Idempotency-Key", "abc")];
    let id = client.post_with(&key, &minimal()).await.body["id"].as_str().unwrap().to_owned();
    client.memory.complete(&id);
    let again = client.post_with(&key, &minimal()).await;
    assert_eq!((&again.body["state"], &again.body["completionDate"]), (&json!("completed"), &json!("2030-03-17T17:46:54.000Z")));
    assert_eq!(again.body["productOrderItem"][0]["state"], "completed");
}

#[tokio::test]
async fn an_order_that_cannot_be_read_back_was_accepted_all_the_same() {
    let client = Client::new();
    client.memory.go_blind();
    let created = client.post(&minimal()).await;
    assert_eq!((created.status.as_u16(), client.memory.started()), (201, 1));
}

#[tokio::test]
async fn a_store_without_room_is_a_503_and_nothing_was_started() {
    let client = Client::new();
    client.memory.fill_up();
    let answer = client.post(&minimal()).await;
    assert_eq!((answer.status.as_u16(), answer.headers["retry-after"].to_str().unwrap(), client.memory.started()), (503, "5", 0));
    client.memory.go_blind();
    assert_eq!(client.get("/productOrder").await.status.as_u16(), 503);
}

#[tokio::test]
async fn lists_are_filtered_paged_and_cut() {
    let client = Client::new();
    for n in 0..25 {
        let mut order = minimal();
        order["externalId"] = format!("PO-{n}").into();
        order["category"] = if n % 5 == 0 { "gold & silver".into() } else { "other".into() };
        let id = client.post(&order).await.body["id"].as_str().unwrap().to_owned();
        if n == 24 {
            client.memory.cancel(&id);
        }
    }
    let counts = async |query: &str| {
        let answer = client.get(&format!("/productOrder{query}")).await;
        let header = |name| answer.headers[name].to_str().unwrap().parse::<usize>().unwrap();
        assert_eq!(header("x-result-count"), answer.body.as_array().unwrap().len());
        (header("x-total-count"), header("x-result-count"))
    };
    assert_eq!(counts("").await, (25, 20));
    assert_eq!(counts("?offset=20").await, (25, 5));
    assert_eq!(counts("?limit=3&offset=24").await, (25, 1));
    assert_eq!(counts("?limit=100000").await, (25, 25));
    assert_eq!(counts("?category=gold%20%26%20silver").await, (5, 5));
    assert_eq!(counts("?category=gold%20%26%20silver&externalId=PO-5").await, (1, 1));
    assert_eq!(counts("?externalId=PO").await, (0, 0));
    assert_eq!(counts("?state=cancelled").await, (1, 1));
    assert_eq!(counts("?state=acknowledged&limit=1").await, (24, 1));
    assert_eq!(counts("?state=cancelled,acknowledged,held&limit=1").await, (25, 1));
    assert_eq!(counts("?externalId=PO-1;PO-2&externalId=PO-3").await, (3, 3));
    assert_eq!(counts("?externalId=PO-1,PO-24&state=acknowledged").await, (1, 1));
    assert_eq!(counts("?externalId=PO-1%2CPO-24").await, (0, 0));
    let cut = client.get("/productOrder?fields=externalId,state,unheard&externalId=PO-24").await.body;
    let keys: Vec<&String> = cut[0].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["externalId", "href", "id", "state"]);
}

#[tokio::test]
async fn an_order_is_found_by_every_attribute_that_the_document_names() {
    let client = Client::new();
    let mut order = rich();
    order["description"] = "a, b; c".into();
    order["category"] = "gold".into();
    let posted = client.post(&order).await.body;
    let id = posted["id"].as_str().unwrap().to_owned();
    client.memory.complete(&id);
    let completed = client.get(&format!("/productOrder/{id}")).await.body;
    client.memory.cancel(client.post(&minimal()).await.body["id"].as_str().unwrap());
    let cancelled = client.get("/productOrder?state=cancelled").await.body[0].clone();
    for attribute in schema::filters() {
        let holder = if attribute == "cancellationDate" { &cancelled } else { &completed };
        let value: String = holder[&attribute].as_str().unwrap().bytes().map(|byte| format!("%{byte:02x}")).collect();
        let found = client.get(&format!("/productOrder?{attribute}={value}")).await.body;
        assert!(found.as_array().unwrap().contains(holder), "{attribute} is {value}");
        assert_eq!(client.get(&format!("/productOrder?{attribute}=unheard-of")).await.body, json!([]), "{attribute}");
    }
}

#[tokio::test]
async fn one_order_can_be_cut_too() {
    let client = Client::new();
    let id = client.post(&rich()).await.body["id"].as_str().unwrap().to_owned();
    let cut = client.get(&format!("/productOrder/{id}?fields=priority")).await.body;
    assert_eq!(cut, json!({"id": id, "href": format!("/tmf-api/productOrderingManagement/v4/productOrder/{id}"), "priority": "1"}));
    let bare = client.get(&format!("/productOrder/{id}?fields=none")).await.body;
    assert_eq!(bare.as_object().unwrap().keys().collect::<Vec<_>>(), ["href", "id"]);
}

#[tokio::test]
async fn a_head_request_has_the_headers_of_a_get_and_no_body() {
    let client = Client::new();
    let order = client.post(&minimal()).await.body;
    for path in ["/productOrder", order["href"].as_str().unwrap().strip_prefix(BASE).unwrap()] {
        let (got, head) = (client.get(path).await, client.head(path).await);
        assert_eq!((got.status, &got.headers), (head.0, &head.1), "{path}");
    }
}

#[tokio::test]
async fn the_same_order_written_otherwise_is_the_same_order() {
    let client = Client::new();
    let key = [("Idempotency-Key", "abc"), ("content-type", "Application/JSON; charset=utf-8")];
    let post = async |body: &str| client.send("POST", "/productOrder", &key, body.into()).await.status.as_u16();
    let items = r#""productOrderItem": [{"id": "1", "action": "add", "productOffering": {"id": "f\u0069bre"}}]"#;
    assert_eq!(post(&format!(r#"{{"a": 0.5, {items}}}"#)).await, 201);
    assert_eq!(post(&format!(r#"{{{items} ,  "a": 5e-1}}"#)).await, 200);
    assert_eq!(post(&format!(r#"{{"a": 0.25, {items}}}"#)).await, 409);
}
