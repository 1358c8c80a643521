//! The `provisioning` contract over a REST interface at the logical endpoint `element`.
//!
//! | request | meaning |
//! |---|---|
//! | `PUT /configurations/{key}` | writes a configuration; a repetition writes the same again |
//! | `GET /configurations/{key}` | 200 if it is there, 404 if not |
//! | `DELETE /configurations/{key}` | removes it; 404 if it is gone |
//!
//! The key is the call's idempotency key, so a repetition has no second effect. Make this the interface of your element.

use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Endpoint, Failure, Manifest, Observed, Outcome, Provisioning, Verb,
    http::{self, Request},
    provisioning,
};

const MANIFEST: Manifest = Manifest {
    name: "plugin-name",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "",
    contracts: &[Contract { name: "provisioning", verbs: &[Verb::Apply, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities { http: &[Endpoint::new("element", "configures resources, reads them back and removes them")], ..Capabilities::NONE },
    failure_codes: &[PROVISIONING_FAILED],
    ..Manifest::EMPTY
};

/// The element refused the configuration.
const PROVISIONING_FAILED: &str = "provisioning_failed";

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

impl Provisioning for Plugin {
    fn apply(call: &Call, request: provisioning::Request) -> Result<provisioning::Outcome, Failure> {
        let characteristics: serde_json::Map<_, _> =
            request.service.characteristics.iter().map(|it| (it.name.clone(), it.value.clone().into())).collect();
        let body = serde_json::json!({
            "order": request.order,
            "service": request.service.name,
            "resource": request.resource.id,
            "characteristics": characteristics,
        });
        Request::put(url(&call.idempotency_key)).json(&body).send()?.require_success(PROVISIONING_FAILED)?;
        Ok(Outcome::Done(receipt(call, &request)))
    }

    fn observe(call: &Call, request: provisioning::Request) -> Result<provisioning::Observed, Failure> {
        let answer = Request::get(url(&call.idempotency_key)).send()?;
        if answer.status() == 404 {
            return Ok(Observed::Absent);
        }
        answer.require_success(PROVISIONING_FAILED)?;
        Ok(Observed::Ours(receipt(call, &request)))
    }

    fn undo(_: &Call, receipt: provisioning::Receipt) -> Result<provisioning::Outcome, Failure> {
        let answer = Request::delete(url(&receipt.configuration)).send()?;
        if answer.status() != 404 {
            answer.require_success(PROVISIONING_FAILED)?;
        }
        Ok(Outcome::Undone)
    }
}

fn url(configuration: &str) -> String {
    format!("http://element/configurations/{}", http::encode(configuration))
}

fn receipt(call: &Call, request: &provisioning::Request) -> provisioning::Receipt {
    provisioning::Receipt {
        configuration: call.idempotency_key.clone(),
        network_element: request.resource.network_element.clone(),
        result: "configured".into(),
    }
}

jackfield_plugin_sdk::export!(Plugin: provisioning; MANIFEST);

#[cfg(test)]
mod tests {
    use jackfield_plugin_sdk::{
        Characteristic, Resource, ServiceSpec,
        testing::{self, Http, Reply},
    };

    use super::*;

    const URL: &str = "http://element/configurations/key";

    fn request() -> provisioning::Request {
        let characteristics = vec![Characteristic::new("bandwidth", "100")];
        provisioning::Request {
            order: "4711".into(),
            location: None,
            service: ServiceSpec { name: "access".into(), resource_type: "port".into(), characteristics },
            resource: Resource {
                id: "olt-1/port/1".into(),
                resource_type: "port".into(),
                service: "access".into(),
                network_element: "olt-1".into(),
                characteristics: Vec::new(),
            },
        }
    }

    fn configured() -> provisioning::Receipt {
        provisioning::Receipt { configuration: "key".into(), network_element: "olt-1".into(), result: "configured".into() }
    }

    #[test]
    fn a_configuration_is_written_under_the_idempotency_key() {
        Http::on("PUT", URL, Reply::status(201));
        assert_eq!(Plugin::apply(&testing::call("key"), request()), Ok(Outcome::Done(configured())));
        let expected =
            serde_json::json!({"order": "4711", "service": "access", "resource": "olt-1/port/1", "characteristics": {"bandwidth": "100"}});
        assert_eq!(Http::sent()[0].json(), expected);
    }

    #[test]
    fn a_refusal_is_rejected_and_no_answer_is_unknown() {
        Http::on("PUT", URL, Reply::status(409));
        Http::on("PUT", URL, Reply::no_answer());
        assert!(matches!(Plugin::apply(&testing::call("key"), request()), Err(Failure::Rejected(_))));
        testing::begin_call();
        assert!(matches!(Plugin::apply(&testing::call("key"), request()), Err(Failure::UnknownOutcome(_))));
    }

    #[test]
    fn observe_looks_and_undo_runs_twice() {
        Http::on("GET", URL, Reply::status(404));
        Http::on("GET", URL, Reply::status(200));
        assert_eq!(Plugin::observe(&testing::call("key"), request()), Ok(Observed::Absent));
        assert_eq!(Plugin::observe(&testing::call("key"), request()), Ok(Observed::Ours(configured())));
        for status in [204, 404] {
            Http::on("DELETE", URL, Reply::status(status));
            assert_eq!(Plugin::undo(&testing::call("undo"), configured()), Ok(Outcome::Undone));
        }
    }
}
