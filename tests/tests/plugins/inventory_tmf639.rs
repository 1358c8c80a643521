//! `inventory-tmf639`: apply, observe, undo.

use std::collections::BTreeSet;

use end_to_end_tests::harness::Lab;
use engine::port::{Answer, Call, CallReport, Observed, Verb};
use pipeline::{Direction, FailureClass, IdempotencyKey};
use plugin_runtime::Grant;
use serde_json::{Value, json};

use super::{Socket, endpoint, service};

fn grant(lab: &Lab) -> Grant {
    let mut grant = endpoint("inventory", lab.url("inventory"));
    grant.http.get_mut("inventory").unwrap().methods = ["GET", "PATCH"].map(str::to_owned).to_vec();
    grant
}

fn request() -> Value {
    json!({"order": "o-1", "service": service()})
}

/// A call for an item of the step, whose number makes the idempotency key.
fn of_item(inventory: &Socket, verb: Verb, item: u32) -> Call {
    let mut call = inventory.call(verb, &request());
    call.attempt.item.item = item;
    call.key = IdempotencyKey::derive(&call.tenant, &call.run, &call.attempt.item, Direction::Do);
    call
}

fn taken(report: CallReport) -> Value {
    let Ok(Answer::Done(receipt)) = report.answer else { panic!("expected a receipt, got {:?}", report.answer) };
    receipt
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_is_reserved_once_found_again_and_released() {
    let lab = Lab::start();
    let inventory = Socket::new("inventory-tmf639", grant(&lab)).await;
    assert_eq!(inventory.answer(Verb::Observe, &request()).await, Answer::Observed(Observed::Absent));
    let receipt = inventory.receipt(&request()).await;
    assert_eq!((&receipt["resource-type"], &receipt["service"]), (&json!("port"), &json!("access")));
    assert!(["olt-1", "olt-2"].iter().any(|element| receipt["network-element"] == *element), "{receipt}");
    assert_eq!(inventory.receipt(&request()).await, receipt, "the same key finds the same resource");
    assert_eq!(inventory.answer(Verb::Observe, &request()).await, Answer::Observed(Observed::Ours(receipt.clone())));
    let nearer = Call { request: merged(json!({"preferred-element": "olt-2"})).into(), ..of_item(&inventory, Verb::Apply, 7) };
    assert_eq!(taken(inventory.make(nearer).await)["network-element"], "olt-2");
    for _ in 0..2 {
        assert_eq!(inventory.answer(Verb::Undo { receipt: receipt.clone().into() }, &request()).await, Answer::Undone);
    }
    assert_eq!(inventory.answer(Verb::Observe, &request()).await, Answer::Observed(Observed::Absent));
    assert_eq!((lab.effects("inventory", "reserved"), lab.effects("inventory", "released")), (2, 1));
}

fn merged(more: Value) -> Value {
    let mut request = request();
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_leaves_doubt_and_the_reservation_is_found() {
    let lab = Lab::start();
    let inventory = Socket::new("inventory-tmf639", grant(&lab)).await;
    lab.switch("inventory", "drop-answer", json!({"method": "PATCH"}));
    assert_eq!(inventory.failure(Verb::Apply, &request()).await.0, FailureClass::Unknown);
    let Answer::Observed(Observed::Ours(found)) = inventory.answer(Verb::Observe, &request()).await else { panic!("it is not found") };
    assert_eq!(inventory.receipt(&request()).await, found);
    assert_eq!(lab.effects("inventory", "reserved"), 1);
    lab.switch("inventory", "fail", json!({"method": "GET"}));
    assert_eq!(inventory.failure(Verb::Observe, &request()).await.0, FailureClass::Unavailable);
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_come_at_once_never_share_a_resource() {
    let lab = Lab::start();
    // Few resources that all want: the other types have more than there are calls.
    let filters = json!({"port": {"resourceSpecification.name": "equipment"}}).to_string();
    let inventory = Socket::new("inventory-tmf639", Grant { config: [("filters".to_owned(), filters)].into(), ..grant(&lab) }).await;
    let (mut receipts, mut refused, mut waiting) = (Vec::new(), 0, (0..40).collect::<Vec<u32>>());
    // Those that others overtook at every resource try again, as the engine would have them do.
    while !waiting.is_empty() {
        let mut again = Vec::new();
        for reports in waiting.chunks(8) {
            let calls = reports.iter().map(|item| inventory.make(of_item(&inventory, Verb::Apply, *item)));
            for (item, report) in reports.iter().zip(futures_util::future::join_all(calls).await) {
                match report.answer {
                    Ok(Answer::Done(receipt)) => receipts.push(receipt),
                    Ok(other) => panic!("{other:?}"),
                    Err(failure) if failure.error_type == "no_inventory" => refused += 1,
                    Err(failure) => {
                        assert_eq!(failure.error_type, "contended", "{failure:?}");
                        again.push(*item);
                    }
                }
            }
        }
        waiting = again;
    }
    let distinct: BTreeSet<&str> = receipts.iter().map(|receipt| receipt["id"].as_str().unwrap()).collect();
    assert_eq!((distinct.len(), receipts.len(), refused), (32, 32, 8), "32 there are, and 40 asked");
    assert_eq!(lab.effects("inventory", "reserved"), 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_since_is_told_and_left_alone() {
    let lab = Lab::start();
    let inventory = Socket::new("inventory-tmf639", grant(&lab)).await;
    let receipt = inventory.receipt(&request()).await;
    let url = format!("{}{}", lab.url("inventory"), href(&receipt));
    let patch = |body: Value| ureq::patch(&url).content_type("application/merge-patch+json").send(body.to_string()).unwrap();
    patch(json!({"resourceStatus": "suspended"}));
    assert_eq!(inventory.answer(Verb::Observe, &request()).await, Answer::Observed(Observed::Drifted(receipt.clone())));
    let other = inventory.receipt(&request()).await;
    assert_ne!(other["id"], receipt["id"], "what was suspended is no good any more");
    assert_eq!(inventory.answer(Verb::Undo { receipt: other.into() }, &request()).await, Answer::Undone);
    assert_eq!(inventory.answer(Verb::Observe, &request()).await, Answer::Observed(Observed::Absent));
    // The first is back in service, and somebody else's.
    patch(json!({"resourceStatus": "available"}));
    patch(json!({"resourceStatus": "reserved"}));
    assert_eq!(inventory.answer(Verb::Undo { receipt: receipt.into() }, &request()).await, Answer::Undone);
    let mut answer = ureq::get(&url).call().unwrap();
    let now: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert_eq!(now["resourceStatus"], "reserved");
}

fn href(receipt: &Value) -> &str {
    let all = receipt["characteristics"].as_array().unwrap();
    all.iter().find(|it| it["name"] == "href").unwrap()["value"].as_str().unwrap()
}
