//! Back ends that misbehave: what was taken is released, what was done is kept, nothing is done twice, a person is asked.

use end_to_end_tests::{doubt, harness::Lab};
use serde_json::json;

use super::{effects, fallout, order, setup};

#[test]
fn a_failure_before_activation_releases_what_was_taken() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    lab.switch("element", "fail", json!({"method": "PUT", "status": 400, "body": "ipv4"}));
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["held"]);
    assert_eq!(fallout(&host, &id), "provisioning_failed");
    assert_eq!(effects(&lab, "element", "created"), effects(&lab, "element", "deleted"));
    assert_eq!(effects(&lab, "activation", "created") + effects(&lab, "billing", "created"), 0);
    let resolved = host.cli(&["run", "resolve", &id, "retry", "--by", "ann", "--note", "repaired"]);
    assert!(resolved.status.success(), "{}", String::from_utf8_lossy(&resolved.stderr));
    host.wait(&id, &["completed"]);
}

#[test]
fn an_activation_that_fails_is_not_billed() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    lab.switch("activation", "outcome", json!({"result": "test-failed"}));
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["held"]);
    assert_eq!((fallout(&host, &id), effects(&lab, "billing", "created")), (json!("activation_failed"), 0));
}

#[test]
fn a_billing_failure_keeps_the_service() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    lab.switch("billing", "fail", json!({"method": "POST", "status": 422}));
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["held"]);
    assert_eq!(fallout(&host, &id), "billing_failed");
    assert_eq!((effects(&lab, "activation", "created"), effects(&lab, "activation", "deleted")), (1, 0));
}

#[test]
fn answers_that_are_lost_after_the_work_do_nothing_twice() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    assert_eq!(doubt::lost_answers(&lab, &host), Ok(()));
}

#[test]
fn a_pool_that_is_exhausted_holds_the_order_and_the_others_go_on() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    let (a, b) = (host.submit(&order("tv")), host.submit(&order("voice")));
    host.wait(&a, &["completed"]);
    host.wait(&b, &["completed"]);
    let third = host.submit(&order("tv"));
    host.wait(&third, &["held"]);
    assert_eq!(fallout(&host, &third), "no_inventory");
    host.wait(&host.submit(&order("fibre-100")), &["completed"]);
}

#[test]
fn back_ends_that_answer_garbage_too_much_or_too_late_cost_only_their_own_order() {
    let lab = Lab::start();
    let host = setup(&lab).start();
    lab.switch("billing", "fail", json!({"method": "POST", "status": 200, "answer": "<html>", "count": 1}));
    lab.switch("element", "fail", json!({"method": "PUT", "status": 200, "bytes": 100 << 20, "count": 1}));
    let id = host.submit(&order("fibre-100"));
    host.wait(&id, &["completed", "held"]);
    lab.switch("billing", "reset", json!({}));
    lab.switch("element", "reset", json!({}));
    lab.switch("catalogue", "fail", json!({"status": 429, "headers": {"retry-after": "1"}}));
    host.wait(&host.submit(&order("fibre-100")), &["completed"]);
}
