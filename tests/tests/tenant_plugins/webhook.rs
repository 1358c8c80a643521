//! `integration-webhook`: signed by the host, verified by the library of Standard Webhooks, and heeded once.

use std::{collections::HashMap, sync::Mutex};

use engine::port::{Answer, Verb};
use pipeline::FailureClass;
use plugin_runtime::{Grant, Secret};
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::{
    Loaded, grant,
    stub::{Heard, Reply, Stub},
    tenant, writable,
};

/// The key in the form of receivers, and in that of a grant.
const RECEIVER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const GRANTED: &str = "base64:C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn signed(grant: Grant, key: &str) -> Grant {
    Grant { secrets: [("webhook-key".to_owned(), Secret::new(key))].into(), ..grant }
}

fn request(integration: &str) -> Value {
    let settings = json!([{ "name": "seats", "value": "25" }]);
    json!({ "tenant": tenant(), "name": "Acme \"Ltd\" ü", "integration": integration, "domain": "acme.example.test", "settings": settings })
}

/// A system that trusts signatures only, and acts once on an id.
fn receiver() -> Stub {
    let verifier = Webhook::new(RECEIVER).unwrap();
    let known: Mutex<HashMap<String, String>> = Mutex::default();
    Stub::start(move |heard: &Heard| {
        if verifier.verify(&heard.body, &heard.headers).is_err() {
            return Reply::status(401);
        }
        let mut known = known.lock().unwrap();
        let next = format!("c-{}", known.len() + 1);
        let id = known.entry(heard.header("webhook-id").to_owned()).or_insert(next);
        match heard.json()["type"].as_str() {
            Some("tenant.created") => Reply::json(201, &json!({ "id": id })),
            _ => Reply::status(204),
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_system_is_told_of_a_tenant_once_and_of_its_end() {
    let system = receiver();
    let paths = ("paths", r#"{"billing": "/hooks/tenants"}"#);
    let webhook = Loaded::new("integration-webhook", &signed(grant("webhook", writable(&system.url), &[paths]), GRANTED)).await;
    let receipt = webhook.receipt(&request("billing")).await;
    assert_eq!(receipt, json!({ "integration": "billing", "id": "c-1" }));
    assert_eq!(webhook.receipt(&request("billing")).await, receipt, "a repetition has the same id");
    webhook.undo(&receipt).await;

    let heard = system.heard();
    let data = json!({ "integration": "billing", "tenant": tenant(), "name": "Acme \"Ltd\" ü", "domain": "acme.example.test", "settings": { "seats": "25" } });
    assert_eq!((heard[0].path.as_str(), heard[0].json()), ("/hooks/tenants", json!({ "type": "tenant.created", "data": data })));
    assert_eq!((heard[1].header("webhook-id"), heard[1].json()), (heard[0].header("webhook-id"), heard[0].json()));
    assert_eq!(heard[2].json(), json!({ "type": "tenant.deleted", "data": { "integration": "billing", "id": "c-1" } }));
    assert_ne!(heard[2].header("webhook-id"), heard[0].header("webhook-id"));
    // What was changed on its way is not believed.
    let verifier = Webhook::new(RECEIVER).unwrap();
    verifier.verify(&heard[0].body, &heard[0].headers).unwrap();
    verifier.verify(&heard[2].body, &heard[0].headers).unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_is_refused_and_what_is_no_path_is_not_sent() {
    let system = receiver();
    let other = signed(grant("webhook", writable(&system.url), &[]), "base64:AAAAsBQIhrscChlQIMV+b5sSYspob7oD");
    let webhook = Loaded::new("integration-webhook", &other).await;
    let (class, code, _) = webhook.failure(Verb::Apply, &request("billing")).await;
    assert_eq!((class, code.as_str()), (FailureClass::Rejected, "webhook_refused"));
    assert_eq!(system.heard().len(), 1);
    let (class, code, _) = webhook.failure(Verb::Apply, &request("../admin")).await;
    assert_eq!((class, code.as_str()), (FailureClass::Rejected, "bad_request"));
    assert_eq!(system.heard().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_means_what_the_table_says() {
    let late = || Reply::Says(503, vec![("retry-after", "2".to_owned())], String::new());
    let cases = [
        (Reply::status(410), FailureClass::Rejected, "webhook_gone", None),
        (Reply::status(404), FailureClass::Rejected, "webhook_refused", None),
        (late(), FailureClass::Unavailable, "webhook_refused", Some(2_000)),
        (Reply::status(500), FailureClass::Unknown, "webhook_refused", None),
        (Reply::Cut, FailureClass::Unknown, "no_answer", None),
    ];
    for (reply, class, code, retry_after_ms) in cases {
        let answer = reply.clone();
        let system = Stub::start(move |_| answer.clone());
        let webhook = Loaded::new("integration-webhook", &signed(grant("webhook", writable(&system.url), &[]), GRANTED)).await;
        let failure = webhook.report(Verb::Apply, &request("crm")).await.answer.unwrap_err();
        assert_eq!((failure.class, failure.error_type.as_str(), failure.retry_after_ms), (class, code, retry_after_ms), "{reply:?}");
        assert_eq!(system.heard()[0].path, "/crm");
    }
    // It knows already, or no more: both are as good as told.
    for (status, verb) in [(409, "apply"), (404, "undo"), (410, "undo")] {
        let system = Stub::start(move |_| Reply::status(status));
        let webhook = Loaded::new("integration-webhook", &signed(grant("webhook", writable(&system.url), &[]), GRANTED)).await;
        let receipt = json!({ "integration": "crm", "id": "t-1" });
        let (verb, expected) = match verb {
            "apply" => (Verb::Apply, Answer::Done(receipt)),
            _ => (Verb::Undo { receipt: receipt.into() }, Answer::Undone),
        };
        assert_eq!(webhook.answer(verb, &request("crm")).await, expected, "{status}");
    }
}
