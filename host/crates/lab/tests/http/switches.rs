//! The switches over real HTTP: what a client sees, and what was really done.

use super::client::Client;
use hyper::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Sends an account and says what came of it.
async fn order(client: &Client, plan: &str) -> Option<u16> {
    let body = json!({"serviceId": "s", "plan": plan}).to_string();
    client.try_send(Method::POST, &format!("{}/accounts", client.lab.urls().billing), &[], &body).await.map(|answer| answer.status)
}

#[tokio::test]
async fn a_failure_is_answered_instead_of_the_work_and_only_as_often_as_it_was_asked_for() {
    let client = Client::new(0).await;
    let base = client.lab.urls().billing.clone();
    client.switch(&base, "fail", json!({"count": 2})).await;
    let seen = [order(&client, "a").await, order(&client, "a").await, order(&client, "a").await];
    assert_eq!(seen, [Some(503), Some(503), Some(201)]);
    assert_eq!(client.ledger(&base).await, ["created account acc-1 "]);

    client.switch(&base, "fail", json!({"status": 429, "headers": {"retry-after": "7"}, "answer": "slowly"})).await;
    let answer = client.get(&format!("{base}/accounts")).await;
    assert_eq!((answer.status, answer.header("retry-after"), &answer.bytes[..]), (429, "7", &b"slowly"[..]));
    client.switch(&base, "fail", json!({"status": 200, "bytes": 1_000_000})).await;
    assert_eq!(client.get(&format!("{base}/accounts")).await.bytes.len(), 1_000_000);
}

#[tokio::test]
async fn filters_choose_by_method_path_and_body_and_a_count_of_zero_holds_until_reset() {
    let client = Client::new(0).await;
    let base = client.lab.urls().billing.clone();
    client.switch(&base, "fail", json!({"count": 0, "body": "gold", "method": "POST", "path": "/accounts"})).await;
    for _ in 0..3 {
        assert_eq!((order(&client, "silver").await, order(&client, "gold").await), (Some(201), Some(503)));
    }
    assert_eq!(client.get(&format!("{base}/accounts")).await.status, 200);
    client.switch(&base, "reset", json!({})).await;
    assert_eq!(order(&client, "gold").await, Some(201));
    assert_eq!(client.ledger(&base).await, ["created account acc-4 "]);
    assert_eq!(client.get(&format!("{base}/accounts")).await.body.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_dropped_answer_leaves_the_work_done() {
    let client = Client::new(0).await;
    let base = client.lab.urls().billing.clone();
    client.switch(&base, "drop-answer", json!({})).await;
    assert_eq!(order(&client, "a").await, None);
    assert_eq!(client.ledger(&base).await, ["created account acc-1 "]);
    assert_eq!(order(&client, "b").await, Some(201));
}

#[tokio::test]
async fn a_delayed_answer_comes() {
    let client = Client::new(0).await;
    client.switch(&client.lab.urls().billing, "delay", json!({"ms": 20})).await;
    assert_eq!(order(&client, "a").await, Some(201));
}

#[tokio::test]
async fn an_answer_that_is_late_leaves_the_work_done() {
    let client = Client::new(0).await;
    let base = client.lab.urls().billing.clone();
    client.switch(&base, "delay-answer", json!({"ms": 600_000})).await;
    let waiting = order(&client, "a");
    tokio::pin!(waiting);
    // Asked again and again until the work is done: the answer to it is not there then.
    while client.ledger(&base).await.is_empty() {
        let moment = tokio::time::timeout(std::time::Duration::from_millis(1), &mut waiting).await;
        assert!(moment.is_err(), "the answer did not wait");
    }
    assert_eq!(client.ledger(&base).await, ["created account acc-1 "]);
}

#[tokio::test]
async fn an_answer_that_is_sent_twice_was_worked_for_once() {
    let client = Client::new(0).await;
    let base = client.lab.urls().billing.clone();
    client.switch(&base, "twice", json!({})).await;
    let body = json!({"serviceId": "s", "plan": "p"}).to_string();
    let request = |connection: &str| {
        format!("POST /accounts HTTP/1.1\r\nhost: lab\r\nconnection: {connection}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    let mut stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request("keep-alive").as_bytes()).await.unwrap();
    stream.write_all(request("close").as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let answers: Vec<&str> = text.matches("HTTP/1.1 201 Created").collect();
    assert_eq!((answers.len(), text.matches("acc-1").count(), text.matches("acc-2").count()), (3, 2, 1), "{text}");
    assert_eq!(client.ledger(&base).await.len(), 2);
}

#[tokio::test]
async fn requests_are_remembered_with_what_identifies_them() {
    let client = Client::new(0).await;
    let base = client.lab.urls().billing.clone();
    let headers = [("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"), ("idempotency-key", "k")];
    client.send(Method::GET, &format!("{base}/accounts?order=1"), &headers, "").await;
    let seen = client.get(&format!("{base}/_lab/requests")).await.body;
    assert_eq!(seen, json!([{"method": "GET", "path": "/accounts?order=1", "traceparent": headers[0].1, "idempotency_key": "k"}]));
}

#[tokio::test]
async fn a_switch_that_does_not_exist_or_is_misspelt_is_refused() {
    let client = Client::new(0).await;
    let base = client.lab.urls().billing.clone();
    let answer = client.post(&format!("{base}/_lab/explode"), &json!({})).await;
    assert_eq!(
        (answer.status, &answer.bytes[..]),
        (404, &b"there is no switch `explode`: expected fail, delay, delay-answer, drop-answer, twice, outcome, finish or reset\n"[..])
    );
    let cases = [
        ("fail", json!({"cuont": 1}), "unknown field `cuont`"),
        ("fail", json!({"status": 99}), "status 99 is not valid: expected 100 to 999"),
        ("outcome", json!({"result": "maybe"}), "unknown variant `maybe`"),
    ];
    for (action, rule, expected) in cases {
        let answer = client.post(&format!("{base}/_lab/{action}"), &rule).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(String::from_utf8_lossy(&answer.bytes).contains(expected), "{answer:?}");
    }
}
