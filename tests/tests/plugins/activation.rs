//! `activation-tmf640`: apply, resume, observe, undo.

use std::time::Duration;

use end_to_end_tests::harness::Lab;
use engine::port::{Answer, Observed, Signal, Verb};
use serde_json::{Value, json};

use super::{Socket, endpoint, port, service};

fn request() -> Value {
    json!({"order": "o-1", "services": [service()], "resources": [port()]})
}

/// Asks again until the operation is not pending any more.
async fn resume(activation: &Socket, first: Answer, signal: Signal) -> Answer {
    let mut answer = first;
    for _ in 0..100 {
        let Answer::Pending(pending) = answer else { return answer };
        tokio::time::sleep(pending.poll_after.unwrap_or(Duration::from_millis(50)).min(Duration::from_millis(100))).await;
        answer = activation.answer(Verb::Resume { checkpoint: pending.checkpoint, signal: signal.clone() }, &request()).await;
    }
    panic!("still pending: {answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_pends_is_done_is_found_and_is_taken_back() {
    let lab = Lab::start();
    let activation = Socket::new("activation-tmf640", endpoint("activation", lab.url("activation"))).await;
    assert_eq!(activation.answer(Verb::Observe, &request()).await, Answer::Observed(Observed::Absent));
    let first = activation.answer(Verb::Apply, &request()).await;
    assert!(matches!(first, Answer::Pending(_)), "{first:?}");
    let Answer::Done(receipt) = resume(&activation, first, Signal::Timer).await else { panic!("it is not done") };
    assert_eq!((&receipt["result"], &receipt["test-passed"]), (&json!("active"), &json!(true)));
    assert_eq!(activation.answer(Verb::Observe, &request()).await, Answer::Observed(Observed::Ours(receipt.clone())));
    assert_eq!(activation.answer(Verb::Undo { receipt: receipt.into() }, &request()).await, Answer::Undone);
    assert_eq!(activation.answer(Verb::Observe, &request()).await, Answer::Observed(Observed::Absent));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_whose_answer_was_lost_is_found_under_way_and_waited_for() {
    let lab = Lab::start();
    let activation = Socket::new("activation-tmf640", endpoint("activation", lab.url("activation"))).await;
    lab.switch("activation", "outcome", json!({"result": "active", "ms": 600_000}));
    let first = activation.answer(Verb::Apply, &request()).await;
    let Answer::Observed(Observed::Pending(found)) = activation.answer(Verb::Observe, &request()).await else { panic!("it is not under way") };
    assert_eq!(Answer::Pending(found.clone()), first, "as if the answer had not been lost, checkpoint included");
    lab.switch("activation", "finish", json!({}));
    let Answer::Done(_) = resume(&activation, Answer::Pending(found), Signal::Timer).await else { panic!("it is not done") };
    assert_eq!(lab.ledger("activation").as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_activation_that_is_found_under_way_can_be_cancelled() {
    let lab = Lab::start();
    let activation = Socket::new("activation-tmf640", endpoint("activation", lab.url("activation"))).await;
    lab.switch("activation", "outcome", json!({"result": "active", "ms": 600_000}));
    activation.answer(Verb::Apply, &request()).await;
    let Answer::Observed(Observed::Pending(found)) = activation.answer(Verb::Observe, &request()).await else { panic!("it is not under way") };
    let cancel = Verb::Resume { checkpoint: found.checkpoint, signal: Signal::Cancel };
    assert_eq!(activation.answer(cancel, &request()).await, Answer::Undone);
    assert_eq!(activation.answer(Verb::Observe, &request()).await, Answer::Observed(Observed::Absent));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_activation_leaves_nothing_behind_and_a_failed_test_is_told() {
    let lab = Lab::start();
    let activation = Socket::new("activation-tmf640", endpoint("activation", lab.url("activation"))).await;
    let first = activation.answer(Verb::Apply, &request()).await;
    let cancelled = resume(&activation, first, Signal::Cancel).await;
    assert!(matches!(cancelled, Answer::Undone), "{cancelled:?}");
    assert_eq!(activation.answer(Verb::Observe, &request()).await, Answer::Observed(Observed::Absent));

    lab.switch("activation", "outcome", json!({"result": "test-failed"}));
    let first = activation.answer(Verb::Apply, &request()).await;
    let Answer::Done(receipt) = resume(&activation, first, Signal::Timer).await else { panic!("it is not done") };
    assert_eq!(receipt["test-passed"], false);
}
