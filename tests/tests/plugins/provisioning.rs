//! `provisioning-restconf`: apply, observe, undo.

use end_to_end_tests::harness::Lab;
use engine::port::{Answer, Observed, Verb};
use pipeline::FailureClass;
use serde_json::json;

use super::{Socket, endpoint, port, service};

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_is_configured_seen_and_removed() {
    let lab = Lab::start();
    let element = Socket::new("provisioning-restconf", endpoint("element", lab.url("element"))).await;
    let request = json!({"order": "o-1", "service": service(), "resource": port()});
    assert_eq!(element.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Absent));
    let receipt = element.receipt(&request).await;
    assert_eq!(receipt["network-element"], "olt-1");
    assert_eq!(element.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Ours(receipt.clone())));
    assert_eq!(element.answer(Verb::Undo { receipt: receipt.clone().into() }, &request).await, Answer::Undone);
    assert_eq!(element.answer(Verb::Undo { receipt: receipt.into() }, &request).await, Answer::Undone);
    assert_eq!(element.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Absent));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_leaves_doubt_and_one_that_is_refused_does_not() {
    let lab = Lab::start();
    let element = Socket::new("provisioning-restconf", endpoint("element", lab.url("element"))).await;
    let request = json!({"order": "o-1", "service": service(), "resource": port()});
    lab.switch("element", "fail", json!({"method": "PUT", "status": 400}));
    assert_eq!(element.failure(Verb::Apply, &request).await.0, FailureClass::Rejected);
    lab.switch("element", "drop-answer", json!({"method": "PUT"}));
    assert_eq!(element.failure(Verb::Apply, &request).await.0, FailureClass::Unknown);
    assert!(matches!(element.answer(Verb::Observe, &request).await, Answer::Observed(Observed::Ours(_))));
}
