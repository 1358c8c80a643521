//! The `billing` contract over a REST interface at the logical endpoint `billing`.
//!
//! | request | meaning |
//! |---|---|
//! | `POST /accounts` with `Idempotency-Key` | sets up an account; 201 with it, or 200 with the one of an earlier POST with the same key |
//! | `GET /accounts?externalId={key}` | the accounts with that key: none or one |
//! | `DELETE /accounts/{id}` | ends the billing; 204, or 404 if it is gone |
//!
//! An account is `{ "id", "externalId", "serviceId", "plan", "effectiveDate", ... }`; `externalId` is the idempotency key.
//! The billing system chooses the day if the order names none.
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

#[cfg(test)]
mod tests;

use jackfield_plugin_sdk::{
    Billing, Call, Capabilities, Contract, Endpoint, Failure, Manifest, Observed, Outcome, Verb, billing,
    http::{self, Request},
};
use serde::{Deserialize, Serialize};

const MANIFEST: Manifest = Manifest {
    name: "billing-rest",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "billing", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities { http: &[Endpoint::new("billing", "sets accounts up, looks at them and ends them")], ..Capabilities::NONE },
    failure_codes: &[BILLING_FAILED],
    ..Manifest::EMPTY
};

/// Failure code: the billing system refused the account.
const BILLING_FAILED: &str = "billing_failed";

const ACCOUNTS: &str = "http://billing/accounts";

/// The plugin.
#[derive(Debug)]
pub struct BillingRest;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewAccount<'a> {
    external_id: &'a str,
    order: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<&'a str>,
    offering: &'a str,
    plan: &'a str,
    service_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_date: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    id: String,
    service_id: String,
    plan: String,
    effective_date: String,
}

impl Billing for BillingRest {
    fn apply(call: &Call, request: billing::Request) -> Result<billing::Outcome, Failure> {
        let body = NewAccount {
            external_id: &call.idempotency_key,
            order: &request.order,
            customer: request.customer.as_deref(),
            offering: &request.offering,
            plan: plan(&request),
            service_id: &request.service_id,
            effective_date: request.requested_date.as_deref(),
        };
        let answer = Request::post(ACCOUNTS).header("idempotency-key", &call.idempotency_key).json(&body).send()?;
        let account: Account = answer.require_success(BILLING_FAILED)?.json()?;
        Ok(Outcome::Done(receipt(account)))
    }

    fn observe(call: &Call, request: billing::Request) -> Result<billing::Observed, Failure> {
        let url = format!("{ACCOUNTS}?externalId={}", http::encode(&call.idempotency_key));
        let accounts: Vec<Account> = Request::get(url).send()?.require_success(BILLING_FAILED)?.json()?;
        let Some(account) = accounts.into_iter().next() else {
            return Ok(Observed::Absent);
        };
        let dated = request.requested_date.as_ref().is_none_or(|it| *it == account.effective_date);
        let as_requested = account.service_id == request.service_id && account.plan == plan(&request) && dated;
        let receipt = receipt(account);
        Ok(if as_requested { Observed::Ours(receipt) } else { Observed::Drifted(receipt) })
    }

    fn undo(_: &Call, receipt: billing::Receipt) -> Result<billing::Outcome, Failure> {
        let answer = Request::delete(format!("{ACCOUNTS}/{}", http::encode(&receipt.account))).send()?;
        if answer.status() != 404 {
            answer.require_success(BILLING_FAILED)?;
        }
        Ok(Outcome::Undone)
    }
}

/// The plan to bill: the catalogue's, else the offering itself.
fn plan(request: &billing::Request) -> &str {
    request.plan.as_deref().unwrap_or(&request.offering)
}

fn receipt(account: Account) -> billing::Receipt {
    billing::Receipt { account: account.id, plan: account.plan, effective_date: account.effective_date }
}

jackfield_plugin_sdk::export!(BillingRest: billing; MANIFEST);
