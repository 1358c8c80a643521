//! The plugin against a scripted billing system.

use jackfield_plugin_sdk::{
    Billing as _, Failure, Observed, Outcome,
    billing::{Receipt, Request},
    testing::{self, Http, Reply},
};
use serde_json::json;

use crate::BillingRest;

const ACCOUNTS: &str = "http://billing/accounts";
const OBSERVE: &str = "http://billing/accounts?externalId=key";
const ACCOUNT: &str = "http://billing/accounts/a%2F1";

fn request() -> Request {
    Request {
        order: "4711".into(),
        customer: Some("c1".into()),
        offering: "fibre".into(),
        plan: Some("plan-50".into()),
        service_id: "svc-1".into(),
        requested_date: None,
    }
}

fn account() -> serde_json::Value {
    json!({ "id": "a/1", "externalId": "key", "serviceId": "svc-1", "plan": "plan-50", "effectiveDate": "2031-05-01", "status": "active" })
}

fn receipt() -> Receipt {
    Receipt { account: "a/1".into(), plan: "plan-50".into(), effective_date: "2031-05-01".into() }
}

fn apply(request: Request) -> Result<Outcome<Receipt>, Failure> {
    testing::begin_call();
    BillingRest::apply(&testing::call("key"), request)
}

fn observe(request: Request) -> Result<Observed<Receipt>, Failure> {
    BillingRest::observe(&testing::call("key"), request)
}

#[test]
fn apply_posts_under_the_idempotency_key() {
    Http::on("POST", ACCOUNTS, Reply::json(201, &account().to_string()));
    assert_eq!(apply(request()), Ok(Outcome::Done(receipt())));
    let post = &Http::sent()[0];
    assert_eq!(post.header("idempotency-key"), Some("key"));
    let expected = json!({ "externalId": "key", "order": "4711", "customer": "c1", "offering": "fibre", "plan": "plan-50", "serviceId": "svc-1" });
    assert_eq!(post.json(), expected);
}

#[test]
fn what_the_order_leaves_out_is_left_out_and_the_offering_stands_in_for_the_plan() {
    Http::on("POST", ACCOUNTS, Reply::json(200, &account().to_string()));
    let bare = Request { customer: None, plan: None, requested_date: Some("2031-06-01".into()), ..request() };
    apply(bare).unwrap();
    let expected =
        json!({ "externalId": "key", "order": "4711", "offering": "fibre", "plan": "fibre", "serviceId": "svc-1", "effectiveDate": "2031-06-01" });
    assert_eq!(Http::sent()[0].json(), expected);
}

#[test]
fn failures_tell_the_truth() {
    let check = |reply: Reply, kind: &str| {
        Http::on("POST", ACCOUNTS, reply);
        let failure = apply(request()).unwrap_err().to_string();
        assert!(failure.starts_with(kind), "expected {kind}, got {failure}");
    };
    check(Reply::status(422), "rejected (billing_failed)");
    check(Reply::status(429).header("retry-after", "3"), "unavailable (billing_failed)");
    check(Reply::status(500), "unknown outcome (billing_failed)");
    check(Reply::no_answer(), "unknown outcome (no_answer)");
    check(Reply::refused(), "unavailable (unreachable)");
    check(Reply::json(201, "{}"), "unknown outcome (bad_answer)");
}

#[test]
fn observe_tells_absent_from_ours_and_drifted() {
    let there = || Reply::json(200, &json!([account()]).to_string());
    Http::on("GET", OBSERVE, Reply::json(200, "[]"));
    assert_eq!(observe(request()), Ok(Observed::Absent));
    Http::on("GET", OBSERVE, there());
    assert_eq!(observe(request()), Ok(Observed::Ours(receipt())));
    for other in [
        Request { service_id: "svc-2".into(), ..request() },
        Request { plan: None, ..request() },
        Request { requested_date: Some("2031-06-01".into()), ..request() },
    ] {
        Http::on("GET", OBSERVE, there());
        assert_eq!(observe(other), Ok(Observed::Drifted(receipt())));
    }
    Http::assert_finished();
}

#[test]
fn undo_ends_the_billing_and_may_run_twice() {
    for status in [204, 404] {
        Http::on("DELETE", ACCOUNT, Reply::status(status));
        assert_eq!(BillingRest::undo(&testing::call("undo-key"), receipt()), Ok(Outcome::Undone));
    }
    Http::on("DELETE", ACCOUNT, Reply::status(409));
    testing::begin_call();
    assert!(matches!(BillingRest::undo(&testing::call("undo-key"), receipt()), Err(Failure::Rejected(_))));
}
