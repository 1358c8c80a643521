//! Requests that are refused and leave nothing behind. What is sent stands here; `bad_requests/NAME.txt` shows what is answered to it.

use std::fmt::Write;

use expect_test::expect_file;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    super::{BASE, MAX_BODY},
    Answer, Client, minimal,
};

/// Requests and answers of one kind.
#[derive(Default)]
struct Log(String);

impl Log {
    async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) {
        let body = body.into();
        let headers_shown: Vec<String> = headers.iter().map(|(name, value)| format!(" {name}: {}", cut(value))).collect();
        let request = format!("{method} {}{} {}", cut(path), headers_shown.concat(), cut(&String::from_utf8_lossy(&body)));
        self.note(request.trim_end(), method, path, headers, body).await;
    }

    async fn post(&mut self, body: impl Into<Vec<u8>>) {
        self.send("POST", "/productOrder", &[], body).await;
    }

    async fn get(&mut self, path: &str) {
        self.send("GET", path, &[], "").await;
    }

    /// The smallest order with another value in one place: of the order, of its item or of the product.
    async fn set(&mut self, place: &str, value: Value) {
        let mut order = minimal();
        order["productOrderItem"][0]["product"] = json!({});
        let (parent, name) = place.rsplit_once('/').unwrap();
        order.pointer_mut(parent).unwrap()[name] = value.clone();
        let change = format!("{place} = {}", cut(&value.to_string()));
        self.note(&change, "POST", "/productOrder", &[], serde_json::to_vec(&order).unwrap()).await;
    }

    async fn note(&mut self, request: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) {
        let client = Client::new();
        let answer = client.send(method, path, headers, body).await;
        assert_eq!(client.memory.started(), 0, "{request}");
        writeln!(self.0, "{request}\n    {}", shown(&answer)).unwrap();
    }

    fn check(&self, name: &str) {
        expect_file![format!("bad_requests/{name}.txt")].assert_eq(&self.0);
    }
}

fn cut(text: &str) -> String {
    if text.len() <= 160 { text.to_owned() } else { format!("{}... ({} bytes)", text.chars().take(100).collect::<String>(), text.len()) }
}

fn shown(answer: &Answer) -> String {
    let field = |name: &str| answer.body[name].as_str().unwrap_or("-").to_owned();
    assert_eq!(field("status"), answer.status.as_str());
    format!("{} code {} at {}: {}: {}", field("status"), field("code"), field("path"), field("reason"), field("message"))
}

#[tokio::test]
async fn bodies_that_are_no_orders() {
    let mut log = Log::default();
    for body in ["", "<order/>", "{\"productOrderItem\": [", "[]", "{}"] {
        log.post(body).await;
    }
    log.post(b"\xff\xfe").await;
    log.post(vec![b' '; MAX_BODY + 1]).await;
    log.post(format!("{}1{}", "[".repeat(200), "]".repeat(200))).await;
    log.post(format!("{{\"a\": {}1{}}}", "[".repeat(40), "]".repeat(40))).await;
    log.check("bodies");
}

#[tokio::test]
async fn bodies_that_would_come_back_otherwise() {
    let mut log = Log::default();
    log.post(r#"{"externalId": "a", "external\u0049d": "b"}"#).await;
    log.post(r#"{"a": [{"b": 18446744073709551616}]}"#).await;
    log.post(r#"{"a": 1e400}"#).await;
    log.post(r#"{"a": "\ud800"}"#).await;
    log.check("lossy_bodies");
}

#[tokio::test]
async fn headers_that_are_wrong() {
    let mut log = Log::default();
    let long = "k".repeat(257);
    let key = "idempotency-key";
    let wrong: [&[(&str, &str)]; 5] =
        [&[("content-type", "text/xml")], &[("content-length", "104857600")], &[(key, "")], &[(key, "a"), (key, "b")], &[(key, &long)]];
    for headers in wrong {
        log.send("POST", "/productOrder", headers, minimal().to_string()).await;
    }
    log.check("headers");
}

#[tokio::test]
async fn orders_that_are_wrong() {
    let mut log = Log::default();
    log.set("/productOrderItem", json!([])).await;
    log.set("/productOrderItem", json!("x")).await;
    for date in ["tomorrow", "2031-02-30T10:00:00Z", "2031-05-01T10:00:00"] {
        log.set("/requestedStartDate", json!(date)).await;
    }
    log.set("/requestedCompletionDate", json!("2031-05-01")).await;
    log.set("/priority", json!(1)).await;
    log.set("/relatedParty", json!([{"role": "customer"}])).await;
    log.set("/@type", json!(null)).await;
    log.check("orders");
}

#[tokio::test]
async fn attributes_that_the_server_sets() {
    let mut log = Log::default();
    for (attribute, value) in [
        ("id", json!("1")),
        ("href", json!("/x")),
        ("state", json!("completed")),
        ("orderDate", json!("2031-05-01T10:00:00Z")),
        ("completionDate", json!(null)),
        ("expectedCompletionDate", json!("x")),
        ("cancellationDate", json!("x")),
        ("cancellationReason", json!("x")),
        ("productOrderItem/0/state", json!("completed")),
    ] {
        log.set(&format!("/{attribute}"), value).await;
    }
    log.set("/productOrderItem/0/productOrderItem", json!([{"id": "2", "action": "add", "state": "held"}])).await;
    log.check("server_attributes");
}

#[tokio::test]
async fn items_that_are_wrong() {
    let mut log = Log::default();
    for (attribute, value) in [
        ("id", json!("")),
        ("id", json!(7)),
        ("action", json!("buy")),
        ("action", json!("modify")),
        ("action", json!("delete")),
        ("action", json!("noChange")),
        ("quantity", json!(0)),
        ("quantity", json!(1.5)),
        ("productOffering", json!({})),
        ("productOrderItem", json!([{"id": "1", "action": "add", "productOffering": {"id": "x"}}])),
        ("productOrderItem", json!([{"id": "2", "action": "add"}])),
        ("productOrderItem", json!([{"id": "2", "action": "noChange"}, {"id": "3", "action": "delete", "productOffering": {"id": "x"}}])),
        ("product/productCharacteristic", json!([{"name": "speed", "value": 1}, {"name": "speed", "value": 2}])),
        ("product/productCharacteristic", json!([{"name": "speed"}])),
    ] {
        log.set(&format!("/productOrderItem/0/{attribute}"), value).await;
    }
    log.set("/productOrderItem", json!([{"id": "1"}])).await;
    log.set("/productOrderItem", json!([{"action": "add"}])).await;
    let many: Vec<Value> = (0..201).map(|n| json!({"id": n.to_string(), "action": "add", "productOffering": {"id": "x"}})).collect();
    log.set("/productOrderItem", json!(many)).await;
    log.check("items");
}

#[tokio::test]
async fn queries_and_paths_that_are_wrong() {
    let mut log = Log::default();
    for query in [
        "limit=0",
        "limit=ten",
        "limit=1&limit=2",
        "offset=-1",
        "offset=1000001",
        "fields=",
        "fields=productOrderItem.id",
        "fields=id&fields=state",
        "relatedParty.id=1",
        "orderDate.gt=2031-05-01T10:00:00Z",
        "sort=-orderDate",
        "state=%zz",
        "state=%ff",
        "state=",
        "state=held&state=failed,",
        &format!("externalId={}", "x".repeat(257)),
        &format!("state=held&id={}", ["x"; 32].join(",")),
    ] {
        log.get(&format!("/productOrder?{query}")).await;
    }
    for path in ["/productOrder/unheard-of", "/productOrder/1?state=held", "/productOrder/1?fields=id&fields=state", "/serviceOrder"] {
        log.get(path).await;
    }
    for (method, body) in [("DELETE", ""), ("PATCH", "{}"), ("OPTIONS", "")] {
        log.send(method, "/productOrder/1", &[], body).await;
    }
    log.check("queries_and_paths");
}

#[tokio::test]
async fn a_method_that_is_not_allowed_comes_with_those_that_are() {
    let allowed = async |method, path| Client::new().send(method, path, &[], Vec::new()).await.headers["allow"].to_str().unwrap().to_owned();
    assert_eq!(allowed("PUT", "/productOrder").await, "POST,GET,HEAD");
    assert_eq!(allowed("DELETE", "/productOrder/1").await, "GET,HEAD");
    assert_eq!(allowed("OPTIONS", "/productOrder/1").await, "GET,HEAD");
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
