//! A plugin that was built from version 1.0, as it is, under a host that speaks 1.1.

use end_to_end_tests::runtime::{Bench, call, failed, inventory_request, receipt};
use engine::port::{Answer, Observed, Verb};
use pipeline::FailureClass;
use plugin_runtime::{Grant, Plugin};
use serde_json::{Value, json};

/// A request with the field that came with 1.1.
fn newer_request() -> Value {
    let mut request = inventory_request("access");
    request["location"] = json!("Main Street 1");
    request["preferred-element"] = json!("olt-7");
    request
}

async fn frozen(bench: &Bench) -> Plugin {
    let plugin = bench.load_built("frozen-1-0", &Grant::default()).await;
    assert_eq!(plugin.contracts()[0].exact, "jackfield:order/inventory@1.0.0");
    plugin
}

#[tokio::test]
async fn it_runs_unchanged_and_does_not_see_what_it_does_not_know() {
    let bench = Bench::new(Bench::options());
    let plugin = frozen(&bench).await;
    let taken = json!({
        "id": "olt-1/port/1", "resource-type": "port", "service": "access", "network-element": "olt-1",
        "characteristics": [{ "name": "order", "value": "4711" }, { "name": "location", "value": "Main Street 1" }],
    });
    assert_eq!(receipt(&bench.call(call(&plugin, Verb::Apply, newer_request())).await), &taken);
    let observed = bench.call(call(&plugin, Verb::Observe, newer_request())).await.answer;
    assert_eq!(observed, Ok(Answer::Observed(Observed::Ours(taken.clone()))));
    let undone = bench.call(call(&plugin, Verb::Undo { receipt: taken.into() }, newer_request())).await.answer;
    assert_eq!(undone, Ok(Answer::Undone));
}

#[tokio::test]
async fn it_is_not_asked_where_the_new_field_must_be_understood_and_is_set() {
    const MUST_UNDERSTAND: &[&str] = &["preferred-element"];
    let bench = Bench::new(Bench::options());
    let plugin = frozen(&bench).await;
    let strict = |request| engine::port::Call { must_understand: MUST_UNDERSTAND, ..call(&plugin, Verb::Apply, request) };
    let report = bench.call(strict(newer_request())).await;
    let (class, error_type, message) = failed(&report);
    assert_eq!((class, error_type, report.sent), (FailureClass::Rejected, "plugin.contract", false));
    assert!(message.contains("preferred-element"), "{message}");
    // Not set, the field cannot be misunderstood.
    receipt(&bench.call(strict(inventory_request("access"))).await);
    // A plugin of the present version knows it.
    let present = bench.load_built("noop", &Grant::default()).await;
    receipt(&bench.call(engine::port::Call { must_understand: MUST_UNDERSTAND, ..call(&present, Verb::Apply, newer_request()) }).await);
}
