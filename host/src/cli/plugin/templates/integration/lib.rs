//! The `integration` contract over a REST interface at the logical endpoint `crm`.
//!
//! | request | meaning |
//! |---|---|
//! | `PUT /customers/{tenant}` | tells of a tenant; a repetition changes nothing |
//! | `GET /customers/{tenant}` | the customer, or 404 |
//! | `DELETE /customers/{tenant}` | tells that the tenant is gone; 404 if it is not known |
//!
//! A customer is `{"name", "domain", "plan"}`. Make this the interface of the system that you tell.

use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Endpoint, Failure, Integration, Manifest, Observed, Outcome, Verb,
    http::{self, Request},
    integration,
};
use serde::{Deserialize, Serialize};

const MANIFEST: Manifest = Manifest {
    name: "plugin-name",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "",
    contracts: &[Contract { name: "integration", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        http: &[Endpoint::new("crm", "tells of tenants, looks at them and tells that they are gone")],
        ..Capabilities::NONE
    },
    failure_codes: &[REFUSED],
    ..Manifest::EMPTY
};

/// The other system refused what it was told.
const REFUSED: &str = "integration_refused";

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Customer {
    name: String,
    domain: String,
    plan: String,
}

impl Integration for Plugin {
    fn apply(_: &Call, request: integration::Request) -> Result<integration::Outcome, Failure> {
        Request::put(url(&request.tenant.id)).json(&customer(&request)).send()?.require_success(REFUSED)?;
        Ok(Outcome::Done(receipt(request)))
    }

    fn observe(_: &Call, request: integration::Request) -> Result<integration::Observed, Failure> {
        let answer = Request::get(url(&request.tenant.id)).send()?;
        if answer.status() == 404 {
            return Ok(Observed::Absent);
        }
        let found: Customer = answer.require_success(REFUSED)?.json()?;
        Ok(if found == customer(&request) { Observed::Ours(receipt(request)) } else { Observed::Drifted(receipt(request)) })
    }

    fn undo(_: &Call, receipt: integration::Receipt) -> Result<integration::Outcome, Failure> {
        let answer = Request::delete(url(&receipt.id)).send()?;
        if answer.status() != 404 {
            answer.require_success(REFUSED)?;
        }
        Ok(Outcome::Undone)
    }
}

fn url(tenant: &str) -> String {
    format!("http://crm/customers/{}", http::encode(tenant))
}

fn customer(request: &integration::Request) -> Customer {
    Customer { name: request.name.clone(), domain: request.domain.clone(), plan: request.tenant.plan.clone() }
}

fn receipt(request: integration::Request) -> integration::Receipt {
    integration::Receipt { integration: request.integration, id: request.tenant.id }
}

jackfield_plugin_sdk::export!(Plugin: integration; MANIFEST);

#[cfg(test)]
mod tests {
    use jackfield_plugin_sdk::{
        tenant::Tenant,
        testing::{self, Http, Reply},
    };

    use super::*;

    const URL: &str = "http://crm/customers/t-1";
    const CUSTOMER: &str = r#"{"name": "Acme", "domain": "acme.app.example", "plan": "standard"}"#;

    fn request() -> integration::Request {
        let tenant = Tenant { id: "t-1".into(), slug: "acme".into(), plan: "standard".into(), region: "eu".into() };
        integration::Request { tenant, name: "Acme".into(), integration: "crm".into(), domain: "acme.app.example".into(), settings: Vec::new() }
    }

    #[test]
    fn the_system_is_told_of_the_tenant() {
        Http::on("PUT", URL, Reply::status(204));
        assert_eq!(Plugin::apply(&testing::call("key"), request()), Ok(Outcome::Done(receipt(request()))));
        assert_eq!(Http::sent()[0].json(), serde_json::from_str::<serde_json::Value>(CUSTOMER).unwrap());
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
        Http::on("GET", URL, Reply::json(200, CUSTOMER));
        Http::on("GET", URL, Reply::json(200, &CUSTOMER.replace("standard", "other")));
        assert_eq!(Plugin::observe(&testing::call("key"), request()), Ok(Observed::Absent));
        assert_eq!(Plugin::observe(&testing::call("key"), request()), Ok(Observed::Ours(receipt(request()))));
        assert_eq!(Plugin::observe(&testing::call("key"), request()), Ok(Observed::Drifted(receipt(request()))));
        for status in [204, 404] {
            Http::on("DELETE", URL, Reply::status(status));
            assert_eq!(Plugin::undo(&testing::call("undo"), receipt(request())), Ok(Outcome::Undone));
        }
    }
}
