//! `billing-rest`: apply, observe, undo.

use end_to_end_tests::harness::Lab;
use engine::port::{Answer, Observed, Verb};
use pipeline::FailureClass;
use serde_json::json;

use super::{Socket, endpoint};

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_set_up_once_found_again_and_ended() {
    let lab = Lab::start();
    let billing = Socket::new("billing-rest", endpoint("billing", lab.url("billing"))).await;
    let request = json!({"order": "o-1", "offering": "fibre-100", "plan": "plan-fibre-100", "service-id": "s-1", "requested-date": "2027-01-01"});
    assert_eq!(billing.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Absent));
    lab.switch("billing", "drop-answer", json!({"method": "POST"}));
    assert_eq!(billing.failure(Verb::Apply, &request).await.0, FailureClass::Unknown);
    let receipt = billing.receipt(&request).await;
    assert_eq!((&receipt["plan"], &receipt["effective-date"]), (&json!("plan-fibre-100"), &json!("2027-01-01")));
    let created = lab.ledger("billing").as_array().unwrap().iter().filter(|effect| effect["action"] == "created").count();
    assert_eq!(created, 1, "the repeated request made no second account");
    assert_eq!(billing.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Ours(receipt.clone())));
    assert_eq!(billing.answer(Verb::Undo { receipt: receipt.into() }, &request).await, Answer::Undone);
    assert_eq!(billing.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Absent));
}
