//! Requests that are refused, with exactly these words, and leave nothing behind.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    super::{BASE, MAX_BODY},
    Answer, Client, minimal,
};

fn shown(answer: &Answer) -> String {
    let field = |name: &str| answer.body[name].as_str().unwrap_or("-").to_owned();
    assert_eq!(field("status"), answer.status.as_str());
    format!("{} code {} at {}: {}: {}", field("status"), field("code"), field("path"), field("reason"), field("message"))
}

async fn check_raw(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>, expected: Expect) {
    let client = Client::new();
    let answer = client.send(method, path, headers, body.into()).await;
    expected.assert_eq(&shown(&answer));
    assert_eq!(client.memory.started(), 0);
}

/// Changes one place of the smallest order.
async fn check(place: &str, key: &str, value: Value, expected: Expect) {
    let mut order = minimal();
    order["productOrderItem"][0]["product"] = json!({});
    order.pointer_mut(place).unwrap()[key] = value;
    check_raw("POST", "/productOrder", &[], serde_json::to_vec(&order).unwrap(), expected).await;
}

#[tokio::test]
async fn bodies_that_are_no_orders() {
    let post = async |body: &[u8], expected| check_raw("POST", "/productOrder", &[], body, expected).await;
    post(b"", expect!["400 code 21 at -: Missing body: the body is empty: expected a product order in JSON"]).await;
    post(b"<order/>", expect!["400 code 22 at $: Invalid body: the body is not JSON: expected value at line 1 column 1"]).await;
    post(b"{\"productOrderItem\": [", expect!["400 code 22 at $: Invalid body: the body is not JSON: EOF while parsing a list at line 1 column 22"])
        .await;
    post(b"[]", expect!["400 code 22 at $: Invalid body: the body is not a product order: expected a JSON object"]).await;
    post(b"\xff\xfe", expect!["400 code 22 at $: Invalid body: the body is not JSON: expected value at line 1 column 1"]).await;
    post(b"{}", expect!["400 code 23 at $.productOrderItem: Missing body field: $.productOrderItem is missing: expected at least one item"]).await;
    post(&vec![b' '; MAX_BODY + 1], expect!["413 code 66 at -: Request entity too large: the body is too large: expected at most 1048576 bytes"])
        .await;
    post(
        format!("{}1{}", "[".repeat(200), "]".repeat(200)).as_bytes(),
        expect!["400 code 22 at $: Invalid body: the body is not JSON: recursion limit exceeded at line 1 column 128"],
    )
    .await;
    post(format!("{{\"a\": {}1{}}}", "[".repeat(40), "]".repeat(40)).as_bytes(), expect!["400 code 24 at $.a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]: Invalid body field: $.a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0][0] is nested too deep: expected at most 32 levels"]).await;
}

#[tokio::test]
async fn headers_that_are_wrong() {
    let body = || serde_json::to_vec(&minimal()).unwrap();
    let post = async |headers: &[(&str, &str)], expected| check_raw("POST", "/productOrder", headers, body(), expected).await;
    post(
        &[("content-type", "text/xml")],
        expect!["415 code 68 at Content-Type: Unsupported media type: media type `text/xml` is not understood: expected application/json"],
    )
    .await;
    post(
        &[("content-length", "104857600")],
        expect!["413 code 66 at -: Request entity too large: the body is too large: expected at most 1048576 bytes"],
    )
    .await;
    post(&[("idempotency-key", "")], expect!["400 code 26 at Idempotency-Key: Invalid header value: header Idempotency-Key is not valid: expected one value of 1 to 256 visible ASCII characters"]).await;
    post(&[("idempotency-key", "a"), ("idempotency-key", "b")], expect!["400 code 26 at Idempotency-Key: Invalid header value: header Idempotency-Key is not valid: expected one value of 1 to 256 visible ASCII characters"]).await;
    post(&[("idempotency-key", &"k".repeat(257))], expect!["400 code 26 at Idempotency-Key: Invalid header value: header Idempotency-Key is not valid: expected one value of 1 to 256 visible ASCII characters"]).await;
}

#[tokio::test]
async fn orders_that_are_wrong() {
    check(
        "",
        "productOrderItem",
        json!([]),
        expect!["400 code 24 at $.productOrderItem: Invalid body field: $.productOrderItem is empty: expected at least one item"],
    )
    .await;
    check(
        "",
        "productOrderItem",
        json!("x"),
        expect![[r#"400 code 24 at $.productOrderItem: Invalid body field: $.productOrderItem is "x": expected an array"#]],
    )
    .await;
    check("", "requestedStartDate", json!("tomorrow"), expect![[r#"400 code 24 at $.requestedStartDate: Invalid body field: $.requestedStartDate is "tomorrow": expected an RFC 3339 date and time such as 2031-05-01T10:00:00Z"#]]).await;
    check("", "requestedStartDate", json!("2031-02-30T10:00:00Z"), expect![[r#"400 code 24 at $.requestedStartDate: Invalid body field: $.requestedStartDate is "2031-02-30T10:00:00Z": expected an RFC 3339 date and time such as 2031-05-01T10:00:00Z"#]]).await;
    check("", "requestedStartDate", json!("2031-05-01T10:00:00"), expect![[r#"400 code 24 at $.requestedStartDate: Invalid body field: $.requestedStartDate is "2031-05-01T10:00:00": expected an RFC 3339 date and time such as 2031-05-01T10:00:00Z"#]]).await;
    check("", "requestedCompletionDate", json!("2031-05-01"), expect![[r#"400 code 24 at $.requestedCompletionDate: Invalid body field: $.requestedCompletionDate is "2031-05-01": expected an RFC 3339 date and time such as 2031-05-01T10:00:00Z"#]]).await;
    check("", "priority", json!(1), expect!["400 code 24 at $.priority: Invalid body field: $.priority is 1: expected text"]).await;
    check(
        "",
        "relatedParty",
        json!([{"role": "customer"}]),
        expect!["400 code 23 at $.relatedParty[0].id: Missing body field: $.relatedParty[0].id is missing: expected the id of what is referred to"],
    )
    .await;
    check("", "@type", json!(null), expect!["400 code 24 at $['@type']: Invalid body field: $['@type'] is null: expected text"]).await;
}

#[tokio::test]
async fn attributes_that_the_server_sets() {
    check("", "id", json!("1"), expect!["400 code 24 at $.id: Invalid body field: $.id is set by the server: expected it to be absent"]).await;
    check("", "href", json!("/x"), expect!["400 code 24 at $.href: Invalid body field: $.href is set by the server: expected it to be absent"]).await;
    check(
        "",
        "state",
        json!("completed"),
        expect!["400 code 24 at $.state: Invalid body field: $.state is set by the server: expected it to be absent"],
    )
    .await;
    check(
        "",
        "orderDate",
        json!("2031-05-01T10:00:00Z"),
        expect!["400 code 24 at $.orderDate: Invalid body field: $.orderDate is set by the server: expected it to be absent"],
    )
    .await;
    check(
        "",
        "completionDate",
        json!(null),
        expect!["400 code 24 at $.completionDate: Invalid body field: $.completionDate is set by the server: expected it to be absent"],
    )
    .await;
    check(
        "",
        "expectedCompletionDate",
        json!("x"),
        expect![
            "400 code 24 at $.expectedCompletionDate: Invalid body field: $.expectedCompletionDate is set by the server: expected it to be absent"
        ],
    )
    .await;
    check(
        "",
        "cancellationDate",
        json!("x"),
        expect!["400 code 24 at $.cancellationDate: Invalid body field: $.cancellationDate is set by the server: expected it to be absent"],
    )
    .await;
    check(
        "",
        "cancellationReason",
        json!("x"),
        expect!["400 code 24 at $.cancellationReason: Invalid body field: $.cancellationReason is set by the server: expected it to be absent"],
    )
    .await;
    check("/productOrderItem/0", "state", json!("completed"), expect!["400 code 24 at $.productOrderItem[0].state: Invalid body field: $.productOrderItem[0].state is set by the server: expected it to be absent"]).await;
}

#[tokio::test]
async fn items_that_are_wrong() {
    let item = "/productOrderItem/0";
    check(
        item,
        "id",
        json!(""),
        expect![[r#"400 code 24 at $.productOrderItem[0].id: Invalid body field: $.productOrderItem[0].id is "": expected text of 1 to 64 bytes"#]],
    )
    .await;
    check(
        item,
        "id",
        json!(7),
        expect!["400 code 24 at $.productOrderItem[0].id: Invalid body field: $.productOrderItem[0].id is 7: expected text of 1 to 64 bytes"],
    )
    .await;
    check(item, "action", json!("buy"), expect![[r#"400 code 24 at $.productOrderItem[0].action: Invalid body field: $.productOrderItem[0].action is "buy": expected add, modify, delete or noChange"#]]).await;
    check(item, "action", json!("noChange"), expect!["400 code 24 at $.productOrderItem: Invalid body field: $.productOrderItem has nothing to do: expected at least one item whose action is not noChange"]).await;
    check(item, "quantity", json!(0), expect!["400 code 24 at $.productOrderItem[0].quantity: Invalid body field: $.productOrderItem[0].quantity is 0: expected a whole number from 1 to 10000"]).await;
    check(item, "quantity", json!(1.5), expect!["400 code 24 at $.productOrderItem[0].quantity: Invalid body field: $.productOrderItem[0].quantity is 1.5: expected a whole number from 1 to 10000"]).await;
    check(item, "productOffering", json!({}), expect!["400 code 23 at $.productOrderItem[0].productOffering.id: Missing body field: $.productOrderItem[0].productOffering.id is missing: expected the id of what is referred to"]).await;
    check(item, "productOrderItem", json!([{"id": "1", "action": "add", "productOffering": {"id": "x"}}]), expect!["400 code 24 at $.productOrderItem[0].productOrderItem[0].id: Invalid body field: $.productOrderItem[0].productOrderItem[0].id is `1` again: expected an id of its own for every item"]).await;
    check(item, "productOrderItem", json!([{"id": "2", "action": "add"}]), expect!["400 code 23 at $.productOrderItem[0].productOrderItem[0].productOffering.id: Missing body field: $.productOrderItem[0].productOrderItem[0].productOffering.id is missing: expected the id of the product offering"]).await;
    check("", "productOrderItem", json!([{"id": "1"}]), expect!["400 code 23 at $.productOrderItem[0].action: Missing body field: $.productOrderItem[0].action is missing: expected add, modify, delete or noChange"]).await;
    check("", "productOrderItem", json!([{"action": "add"}]), expect!["400 code 23 at $.productOrderItem[0].id: Missing body field: $.productOrderItem[0].id is missing: expected an id that is unique in the order"]).await;
    let characteristics = json!([{"name": "speed", "value": 1}, {"name": "speed", "value": 2}]);
    check(&format!("{item}/product"), "productCharacteristic", characteristics, expect!["400 code 24 at $.productOrderItem[0].product.productCharacteristic[1].name: Invalid body field: $.productOrderItem[0].product.productCharacteristic[1].name is `speed` again: expected each characteristic once"]).await;
    check(&format!("{item}/product"), "productCharacteristic", json!([{"name": "speed"}]), expect!["400 code 23 at $.productOrderItem[0].product.productCharacteristic[0].value: Missing body field: $.productOrderItem[0].product.productCharacteristic[0].value is missing: expected the value of the characteristic"]).await;
    let many: Vec<Value> = (0..201).map(|n| json!({"id": n.to_string(), "action": "add", "productOffering": {"id": "x"}})).collect();
    check(
        "",
        "productOrderItem",
        json!(many),
        expect!["400 code 24 at $.productOrderItem[200]: Invalid body field: $.productOrderItem[200] is one item too many: expected at most 200"],
    )
    .await;
}

#[tokio::test]
async fn a_method_that_is_not_allowed_comes_with_those_that_are() {
    let allowed = async |method, path| Client::new().send(method, path, &[], Vec::new()).await.headers["allow"].to_str().unwrap().to_owned();
    assert_eq!(allowed("PUT", "/productOrder").await, "POST,GET,HEAD");
    assert_eq!(allowed("DELETE", "/productOrder/1").await, "GET,HEAD");
}

#[tokio::test]
async fn queries_and_paths_that_are_wrong() {
    let get = async |path: &str, expected| check_raw("GET", path, &[], "", expected).await;
    get(
        "/productOrder?limit=0",
        expect!["400 code 28 at limit: Invalid query-string parameter value: parameter limit is `0`: expected a whole number, at least 1"],
    )
    .await;
    get(
        "/productOrder?limit=ten",
        expect!["400 code 28 at limit: Invalid query-string parameter value: parameter limit is `ten`: expected a whole number, at least 1"],
    )
    .await;
    get(
        "/productOrder?offset=-1",
        expect!["400 code 28 at offset: Invalid query-string parameter value: parameter offset is `-1`: expected a whole number, 0 to 1000000"],
    )
    .await;
    get("/productOrder?fields=", expect!["400 code 28 at fields: Invalid query-string parameter value: parameter fields is not valid: expected 1 to 64 first-level attributes separated by commas"]).await;
    get("/productOrder?fields=productOrderItem.id", expect!["400 code 28 at fields: Invalid query-string parameter value: parameter fields is not valid: expected 1 to 64 first-level attributes separated by commas"]).await;
    get("/productOrder?relatedParty.id=1", expect!["400 code 28 at relatedParty.id: Invalid query-string parameter value: parameter relatedParty.id is not known: expected fields, offset, limit or one of the attributes id, href, state, orderDate, completionDate, cancellationDate, externalId, category, priority, requestedStartDate, requestedCompletionDate, notificationContact, @type"]).await;
    get(
        "/productOrder?state=%zz",
        expect!["400 code 28 at state: Invalid query-string parameter value: parameter state is not valid percent-encoded UTF-8"],
    )
    .await;
    get(
        "/productOrder?state=",
        expect!["400 code 28 at state: Invalid query-string parameter value: parameter state is not valid: expected a value of 1 to 256 bytes"],
    )
    .await;
    get("/productOrder/unheard-of", expect!["404 code 60 at -: Resource not found: there is no product order `unheard-of`"]).await;
    get(
        "/productOrder/1?state=held",
        expect!["400 code 28 at state: Invalid query-string parameter value: parameter state is not known here: expected fields"],
    )
    .await;
    get("/serviceOrder", expect!["404 code 60 at -: Resource not found: there is no such path: expected /tmf-api/productOrderingManagement/v4/productOrder or /tmf-api/productOrderingManagement/v4/productOrder/{id}"]).await;
    check_raw(
        "DELETE",
        "/productOrder/1",
        &[],
        "",
        expect!["405 code 61 at -: Method not allowed: this path has no such method: expected one of those in the header Allow"],
    )
    .await;
    check_raw(
        "PATCH",
        "/productOrder/1",
        &[],
        "{}",
        expect!["405 code 61 at -: Method not allowed: this path has no such method: expected one of those in the header Allow"],
    )
    .await;
}

#[tokio::test]
async fn ten_megabytes_over_a_real_connection_are_answered() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let client = Client::new();
    let mut server = tokio::task::JoinSet::new();
    server.spawn(axum::serve(listener, client.router.clone()).into_future());
    let head = format!("POST {BASE}/productOrder HTTP/1.1\r\nhost: h\r\nconnection: close\r\ncontent-length: 10485760\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b' '; 10_485_760]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(client.memory.started(), 0);
}
