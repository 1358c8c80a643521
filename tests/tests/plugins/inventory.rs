//! `inventory-pool`: apply, observe, undo.

use engine::port::{Answer, Observed, Verb};
use pipeline::FailureClass;
use plugin_runtime::Grant;
use serde_json::json;

use super::{Socket, service};

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_is_taken_once_found_again_and_given_back() {
    let pools = json!({"port": {"element": "olt-1", "count": 1}}).to_string();
    let grant = Grant { keyvalue: true, config: [("pools".to_owned(), pools)].into(), ..Grant::default() };
    let inventory = Socket::new("inventory-pool", grant).await;
    let request = json!({"order": "o-1", "service": service()});
    assert_eq!(inventory.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Absent));
    let receipt = inventory.receipt(&request).await;
    assert_eq!((&receipt["resource-type"], &receipt["network-element"]), (&json!("port"), &json!("olt-1")));
    assert_eq!(inventory.receipt(&request).await, receipt, "the same key finds the same resource");
    assert_eq!(inventory.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Ours(receipt.clone())));

    let mut other = inventory.call(Verb::Apply, &request);
    other.attempt.item.round = 2;
    other.key = pipeline::IdempotencyKey::derive(&other.tenant, &other.run, &other.attempt.item, pipeline::Direction::Do);
    let failure = inventory.make(other).await.answer.unwrap_err();
    assert_eq!((failure.class, failure.error_type.as_str(), failure.message.as_str()), (FailureClass::Rejected, "no_inventory", "No available port"));

    assert_eq!(inventory.answer(Verb::Undo { receipt: receipt.clone().into() }, &request).await, Answer::Undone);
    assert_eq!(inventory.answer(Verb::Undo { receipt: receipt.into() }, &request).await, Answer::Undone, "undoing twice is harmless");
    assert_eq!(inventory.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Absent));
}
