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
    assert_eq!(activation.answer(Verb::Undo { receipt }, &request()).await, Answer::Undone);
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
