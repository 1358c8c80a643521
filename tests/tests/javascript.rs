//! A plugin that was written in JavaScript from the contracts alone, through the real runtime.
#![allow(clippy::unwrap_used, reason = "tests")]

use end_to_end_tests::{
    harness,
    runtime::{Bench, call, failed, inventory_request, receipt},
};
use engine::port::{Answer, Call, CallReport, Observed, Verb};
use pipeline::{Direction, FailureClass, IdempotencyKey, Provider, Verbs};
use plugin_runtime::{Grant, Plugin};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// Held while the plugin is loaded: its engine is large, and compiled once for all tests.
static LOADING: Mutex<()> = Mutex::const_new(());

async fn javascript(bench: &Bench) -> Plugin {
    let _alone = LOADING.lock().await;
    bench.load_built("javascript", &grant()).await
}

fn grant() -> Grant {
    Grant { keyvalue: true, ..Grant::default() }
}

/// Makes a call for an item of the step, whose number makes the idempotency key, and keeps what it wrote.
async fn made(bench: &Bench, plugin: &Plugin, verb: Verb, item: u32) -> CallReport {
    let mut call = call(plugin, verb, request());
    call.attempt.item.item = item;
    let key = IdempotencyKey::derive(&call.tenant, &call.run, &call.attempt.item, Direction::Do);
    let report = bench.call(Call { key, ..call }).await;
    bench.keys.commit(&report.writes);
    report
}

fn request() -> Value {
    let mut request = inventory_request("access");
    request["service"]["characteristics"] = json!([{ "name": "bandwidth", "value": "100 Mbit/s ⇅" }]);
    request["preferred-element"] = json!("olt-7");
    request
}

fn port(number: u32) -> Value {
    json!({
        "id": format!("port/{number}"), "resource-type": "port", "service": "access", "network-element": "olt-7",
        "characteristics": [{ "name": "bandwidth", "value": "100 Mbit/s ⇅" }],
    })
}

#[tokio::test]
async fn its_manifest_says_what_it_is() {
    let bench = Bench::new(Bench::options());
    let plugin = javascript(&bench).await;
    let pin = plugin.pin(&"jackfield:order/inventory@1".parse().unwrap()).unwrap();
    let provider = Provider::Plugin { name: "javascript".to_owned(), version: "1.0.0".to_owned(), digest: plugin.digest().clone() };
    assert_eq!((pin.provider, pin.contract.as_str()), (provider, "jackfield:order/inventory@1.1.0"));
    assert_eq!((pin.verbs, pin.idempotent), (Verbs { observe: true, resume: false, undo: true }, true));
}

#[tokio::test]
async fn what_it_imports_must_be_granted() {
    let _alone = LOADING.lock().await;
    let bytes = std::fs::read(harness::plugin("javascript")).unwrap();
    let error = Bench::new(Bench::options()).load(bytes, &Grant::default()).await.unwrap_err().to_string();
    assert!(error.contains("the key-value store") && error.contains("keyvalue = true"), "{error}");
}

#[tokio::test]
async fn it_takes_ports_finds_them_again_and_gives_them_back() {
    let bench = Bench::new(Bench::options());
    let plugin = javascript(&bench).await;
    let observed = made(&bench, &plugin, Verb::Observe, 0).await.answer;
    assert_eq!(observed, Ok(Answer::Observed(Observed::Absent)));
    for item in 0..4 {
        assert_eq!(receipt(&made(&bench, &plugin, Verb::Apply, item).await), &port(item + 1));
    }
    // A repetition gets its own port again.
    assert_eq!(receipt(&made(&bench, &plugin, Verb::Apply, 1).await), &port(2));
    let observed = made(&bench, &plugin, Verb::Observe, 2).await.answer;
    assert_eq!(observed, Ok(Answer::Observed(Observed::Ours(port(3)))));
    let report = made(&bench, &plugin, Verb::Apply, 4).await;
    assert_eq!(failed(&report), (FailureClass::Rejected, "no_inventory", "All 4 ports are taken"));
    for _ in 0..2 {
        assert_eq!(made(&bench, &plugin, Verb::Undo { receipt: port(2).into() }, 1).await.answer, Ok(Answer::Undone));
    }
    assert_eq!(receipt(&made(&bench, &plugin, Verb::Apply, 4).await), &port(2));
}

#[tokio::test]
async fn an_exception_that_is_no_failure_is_a_trap_with_its_message() {
    let bench = Bench::new(Bench::options());
    let plugin = javascript(&bench).await;
    let mut request = request();
    request["order"] = json!("throw");
    let report = bench.call(call(&plugin, Verb::Apply, request)).await;
    let (class, error_type, message) = failed(&report);
    assert_eq!((class, error_type), (FailureClass::Unavailable, "plugin.trap"));
    assert!(message.contains("the pool is not open"), "{message}");
    receipt(&made(&bench, &plugin, Verb::Apply, 0).await);
}
