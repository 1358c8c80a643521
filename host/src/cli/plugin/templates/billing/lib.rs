//! The `billing` contract over a REST interface at the logical endpoint `billing`.
//!
//! | request | meaning |
//! |---|---|
//! | `PUT /accounts/{key}` | sets up an account; a repetition changes nothing |
//! | `GET /accounts/{key}` | the account, or 404 |
//! | `DELETE /accounts/{key}` | ends the billing; 404 if it is gone |
//!
//! An account is `{"id", "plan", "effectiveDate"}`. The key is the call's idempotency key. Make this the interface of your billing system.

use jackfield_plugin_sdk::{
    Billing, Call, Capabilities, Contract, Endpoint, Failure, Manifest, Observed, Outcome, Verb, billing,
    http::{self, Request},
};
use serde::Deserialize;

const MANIFEST: Manifest = Manifest {
    name: "plugin-name",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "",
    contracts: &[Contract { name: "billing", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities { http: &[Endpoint::new("billing", "sets accounts up, looks at them and ends them")], ..Capabilities::NONE },
    failure_codes: &[BILLING_FAILED],
    ..Manifest::EMPTY
};

/// The billing system refused the account.
const BILLING_FAILED: &str = "billing_failed";

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    id: String,
    plan: String,
    effective_date: String,
}

impl Billing for Plugin {
    fn apply(call: &Call, request: billing::Request) -> Result<billing::Outcome, Failure> {
        let body = serde_json::json!({
            "order": request.order,
            "customer": request.customer,
            "service": request.service_id,
            "plan": request.plan.as_ref().unwrap_or(&request.offering),
            "from": request.requested_date,
        });
        let answer = Request::put(url(&call.idempotency_key)).json(&body).send()?.require_success(BILLING_FAILED)?;
        Ok(Outcome::Done(receipt(answer.json()?, &call.idempotency_key)))
    }

    fn observe(call: &Call, _: billing::Request) -> Result<billing::Observed, Failure> {
        let answer = Request::get(url(&call.idempotency_key)).send()?;
        if answer.status() == 404 {
            return Ok(Observed::Absent);
        }
        let account: Account = answer.require_success(BILLING_FAILED)?.json()?;
        Ok(Observed::Ours(receipt(account, &call.idempotency_key)))
    }

    fn undo(_: &Call, receipt: billing::Receipt) -> Result<billing::Outcome, Failure> {
        // The receipt's account begins with the key that it was set up under.
        let answer = Request::delete(url(receipt.account.split('/').next().unwrap_or_default())).send()?;
        if answer.status() != 404 {
            answer.require_success(BILLING_FAILED)?;
        }
        Ok(Outcome::Undone)
    }
}

fn url(key: &str) -> String {
    format!("http://billing/accounts/{}", http::encode(key))
}

fn receipt(account: Account, key: &str) -> billing::Receipt {
    billing::Receipt { account: format!("{key}/{}", account.id), plan: account.plan, effective_date: account.effective_date }
}

jackfield_plugin_sdk::export!(Plugin: billing; MANIFEST);

#[cfg(test)]
mod tests {
    use jackfield_plugin_sdk::testing::{self, Http, Reply};

    use super::*;

    const URL: &str = "http://billing/accounts/key";
    const ACCOUNT: &str = r#"{"id": "a1", "plan": "monthly", "effectiveDate": "2031-05-01"}"#;

    fn request() -> billing::Request {
        billing::Request {
            order: "4711".into(),
            customer: None,
            offering: "fiber-100".into(),
            plan: None,
            service_id: "s1".into(),
            requested_date: Some("2031-05-01".into()),
        }
    }

    fn account() -> billing::Receipt {
        billing::Receipt { account: "key/a1".into(), plan: "monthly".into(), effective_date: "2031-05-01".into() }
    }

    #[test]
    fn an_account_is_set_up_with_the_offering_as_its_plan_where_there_is_no_other() {
        Http::on("PUT", URL, Reply::json(201, ACCOUNT));
        assert_eq!(Plugin::apply(&testing::call("key"), request()), Ok(Outcome::Done(account())));
        let sent = Http::sent()[0].json();
        assert_eq!((&sent["plan"], &sent["from"]), (&"fiber-100".into(), &"2031-05-01".into()));
    }

    #[test]
    fn a_refusal_is_rejected_and_a_busy_system_is_unavailable() {
        Http::on("PUT", URL, Reply::status(422));
        Http::on("PUT", URL, Reply::status(503));
        assert!(matches!(Plugin::apply(&testing::call("key"), request()), Err(Failure::Rejected(_))));
        testing::begin_call();
        assert!(matches!(Plugin::apply(&testing::call("key"), request()), Err(Failure::Unavailable(_))));
    }

    #[test]
    fn observe_looks_and_undo_runs_twice() {
        Http::on("GET", URL, Reply::status(404));
        Http::on("GET", URL, Reply::json(200, ACCOUNT));
        assert_eq!(Plugin::observe(&testing::call("key"), request()), Ok(Observed::Absent));
        assert_eq!(Plugin::observe(&testing::call("key"), request()), Ok(Observed::Ours(account())));
        for status in [204, 404] {
            Http::on("DELETE", URL, Reply::status(status));
            assert_eq!(Plugin::undo(&testing::call("undo"), account()), Ok(Outcome::Undone));
        }
    }
}
