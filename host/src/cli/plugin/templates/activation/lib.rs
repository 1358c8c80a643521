//! The `activation` contract over a REST interface at the logical endpoint `activation`.
//!
//! | request | meaning |
//! |---|---|
//! | `PUT /services/{key}` | switches a service on; a repetition changes nothing |
//! | `GET /services/{key}` | the service, or 404 |
//! | `DELETE /services/{key}` | switches it off; 404 if it is gone |
//!
//! A service is `{"id", "state", "testPassed"}`. While its state is `activating` the plugin answers `pending`, and the host asks again later. The key is the
//! call's idempotency key. Make this the interface of your activation system.

use jackfield_plugin_sdk::{
    Activation, Call, Capabilities, Contract, Endpoint, Failure, Manifest, Observed, Outcome, Pending, Signal, Verb, activation,
    http::{self, Request},
};
use serde::Deserialize;

const MANIFEST: Manifest = Manifest {
    name: "plugin-name",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "",
    contracts: &[Contract { name: "activation", verbs: &[Verb::Apply, Verb::Resume, Verb::Observe, Verb::Undo], idempotent: true }],
    capabilities: Capabilities { http: &[Endpoint::new("activation", "switches services on and off, and asks how far it is")], ..Capabilities::NONE },
    failure_codes: &[ACTIVATION_FAILED],
    ..Manifest::EMPTY
};

/// The activation system refused the service.
const ACTIVATION_FAILED: &str = "activation_failed";

/// The state of a service that is not finished.
const ACTIVATING: &str = "activating";

/// The time between two looks, in milliseconds.
const POLL_AFTER_MS: u64 = 2_000;
/// The longest time that an activation may take, in milliseconds: an hour.
const GIVE_UP_AFTER_MS: u64 = 3_600_000;

/// The plugin.
#[derive(Debug)]
pub struct Plugin;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    id: String,
    state: String,
    #[serde(default)]
    test_passed: bool,
}

impl Activation for Plugin {
    fn apply(call: &Call, request: activation::Request) -> Result<activation::Outcome, Failure> {
        let resources: Vec<&str> = request.resources.iter().map(|resource| resource.id.as_str()).collect();
        let services: Vec<&str> = request.services.iter().map(|service| service.name.as_str()).collect();
        let body = serde_json::json!({ "order": request.order, "services": services, "resources": resources });
        let answer = Request::put(url(&call.idempotency_key)).json(&body).send()?.require_success(ACTIVATION_FAILED)?;
        Ok(outcome(answer.json()?, &call.idempotency_key))
    }

    fn resume(_: &Call, checkpoint: String, signal: Signal) -> Result<activation::Outcome, Failure> {
        if signal == Signal::Cancel {
            return switch_off(&checkpoint);
        }
        let answer = Request::get(url(&checkpoint)).send()?.require_success(ACTIVATION_FAILED)?;
        Ok(outcome(answer.json()?, &checkpoint))
    }

    fn observe(call: &Call, _: activation::Request) -> Result<activation::Observed, Failure> {
        let answer = Request::get(url(&call.idempotency_key)).send()?;
        if answer.status() == 404 {
            return Ok(Observed::Absent);
        }
        // A service that is still activating is not absent: it would be activated twice.
        Ok(match outcome(answer.require_success(ACTIVATION_FAILED)?.json()?, &call.idempotency_key) {
            Outcome::Done(receipt) => Observed::Ours(receipt),
            Outcome::Pending(pending) => Observed::Pending(pending),
            Outcome::Undone => Observed::Absent,
        })
    }

    fn undo(_: &Call, receipt: activation::Receipt) -> Result<activation::Outcome, Failure> {
        // The receipt's id begins with the key that the service was made under.
        switch_off(receipt.service_id.split('/').next().unwrap_or_default())
    }
}

fn outcome(service: Service, key: &str) -> activation::Outcome {
    if service.state != ACTIVATING {
        return Outcome::Done(receipt(service, key));
    }
    Outcome::Pending(Pending {
        operation: format!("activation of {}", service.id),
        checkpoint: key.to_owned(),
        poll_after_ms: Some(POLL_AFTER_MS),
        give_up_after_ms: GIVE_UP_AFTER_MS,
    })
}

fn receipt(service: Service, key: &str) -> activation::Receipt {
    activation::Receipt { service_id: format!("{key}/{}", service.id), result: service.state, test_passed: service.test_passed }
}

fn switch_off(key: &str) -> Result<activation::Outcome, Failure> {
    let answer = Request::delete(url(key)).send()?;
    if answer.status() != 404 {
        answer.require_success(ACTIVATION_FAILED)?;
    }
    Ok(Outcome::Undone)
}

fn url(key: &str) -> String {
    format!("http://activation/services/{}", http::encode(key))
}

jackfield_plugin_sdk::export!(Plugin: activation; MANIFEST);

#[cfg(test)]
mod tests {
    use jackfield_plugin_sdk::testing::{self, Http, Reply};

    use super::*;

    const URL: &str = "http://activation/services/key";
    const ACTIVE: &str = r#"{"id": "s1", "state": "active", "testPassed": true}"#;
    const NOT_YET: &str = r#"{"id": "s1", "state": "activating"}"#;

    fn request() -> activation::Request {
        activation::Request { order: "4711".into(), customer: None, services: Vec::new(), resources: Vec::new() }
    }

    fn apply() -> Result<activation::Outcome, Failure> {
        Plugin::apply(&testing::call("key"), request())
    }

    fn active() -> activation::Receipt {
        activation::Receipt { service_id: "key/s1".into(), result: "active".into(), test_passed: true }
    }

    #[test]
    fn a_service_that_is_active_at_once_is_done() {
        Http::on("PUT", URL, Reply::json(201, ACTIVE));
        assert_eq!(apply(), Ok(Outcome::Done(active())));
    }

    #[test]
    fn a_service_that_takes_a_while_is_pending_until_it_is_active() {
        Http::on("PUT", URL, Reply::json(202, NOT_YET));
        Http::on("GET", URL, Reply::json(200, NOT_YET));
        Http::on("GET", URL, Reply::json(200, ACTIVE));
        let Ok(Outcome::Pending(pending)) = apply() else { panic!("not pending") };
        let resume = || Plugin::resume(&testing::call("key"), pending.checkpoint.clone(), Signal::Timer);
        assert_eq!(resume(), Ok(Outcome::Pending(pending.clone())));
        assert_eq!(resume(), Ok(Outcome::Done(active())));
    }

    #[test]
    fn after_a_lost_answer_the_truth_is_found() {
        for reply in [Reply::status(404), Reply::json(200, NOT_YET), Reply::json(200, ACTIVE)] {
            Http::on("GET", URL, reply);
        }
        let observe = || Plugin::observe(&testing::call("key"), request());
        assert_eq!(observe(), Ok(Observed::Absent));
        let Ok(Observed::Pending(pending)) = observe() else { panic!("not pending") };
        assert_eq!(pending.checkpoint, "key");
        assert_eq!(observe(), Ok(Observed::Ours(active())));
    }

    #[test]
    fn a_cancelled_activation_and_an_undone_one_are_switched_off() {
        Http::on("DELETE", URL, Reply::status(204));
        Http::on("DELETE", URL, Reply::status(404));
        assert_eq!(Plugin::resume(&testing::call("key"), "key".into(), Signal::Cancel), Ok(Outcome::Undone));
        assert_eq!(Plugin::undo(&testing::call("undo"), active()), Ok(Outcome::Undone));
        Http::assert_finished();
    }
}
