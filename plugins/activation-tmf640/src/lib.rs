//! The `activation` contract over TMF640 Service Activation and Configuration, version 4.
//!
//! At the logical endpoint `activation`, below `/tmf-api/ServiceActivationAndConfiguration/v4`:
//!
//! * `POST /service` with `state: active`. 201 is the service; 202 with `Location` is a monitor, and the plugin answers
//!   `pending`: the host polls. The service's `name` is `jackfield-` and the idempotency key, since TMF640 has no
//!   idempotency key of its own; `GET /service?name=...` is how `observe` finds it. One that is not active yet is `pending`:
//!   `GET /monitor?sourceHref=...` finds the monitor that the lost 202 named; without one the service itself is polled.
//! * `GET /monitor/{id}`: `InProgress`, `Completed` (then `GET /service/{id}` says what became of it) or `InError` (then
//!   the service is deleted, so that nothing is left behind, and the activation is rejected).
//! * `DELETE /service/{id}` terminates.
//!
//! The result of the service test is the service characteristic `testResult`: `pass` or anything else.
//!
//! Settings: `specification` (id of the service specification to order, default `customer-service`), `poll_ms` (time
//! between polls where the other side names none, default 2000), `give_up_ms` (time for one activation, default 3600000).
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

mod settings;
#[cfg(test)]
mod tests;
mod tmf640;

use jackfield_plugin_sdk::{
    Activation, Call, Capabilities, Contract, Endpoint, Failure, Manifest, Observed, Outcome, Pending, Setting, Signal, Verb, activation,
};
use serde::{Deserialize, Serialize};
use settings::Settings;
use tmf640::{Accepted, MonitorState, Removed, Service};

const MANIFEST: Manifest = Manifest {
    name: "activation-tmf640",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "activation", verbs: &[Verb::Apply, Verb::Resume, Verb::Observe, Verb::Undo], idempotent: false }],
    capabilities: Capabilities {
        http: &[Endpoint::new("activation", "orders services, asks for their monitors and deletes what it ordered (TMF640)")],
        config: &[
            Setting::new("specification", "the id of the service specification to order; customer-service unless set")
                .schema(r#"{"type": "string", "minLength": 1}"#),
            Setting::new("poll_ms", "milliseconds between two looks at an activation; 2000 unless set")
                .schema(r#"{"type": "integer", "minimum": 1}"#),
            Setting::new("give_up_ms", "milliseconds after which an activation has failed; 3600000 unless set")
                .schema(r#"{"type": "integer", "minimum": 1}"#),
        ],
        ..Capabilities::NONE
    },
    failure_codes: &[ACTIVATION_FAILED, BAD_CONFIG, BAD_CHECKPOINT],
    ..Manifest::EMPTY
};

/// Failure code: the activation system refused the service or could not activate it.
const ACTIVATION_FAILED: &str = "activation_failed";
/// Failure code: a setting is not a number.
const BAD_CONFIG: &str = "bad_config";
/// Failure code: a checkpoint that this plugin did not write.
const BAD_CHECKPOINT: &str = "bad_checkpoint";

/// The plugin.
#[derive(Debug)]
pub struct Tmf640;

/// What is waited for.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Checkpoint {
    /// The end of an activation.
    Activation {
        /// Absent where the answer that named it was lost and the other side does not list it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        monitor: Option<String>,
        name: String,
    },
    /// The end of a termination.
    Termination { monitor: String },
}

impl Activation for Tmf640 {
    fn apply(call: &Call, request: activation::Request) -> Result<activation::Outcome, Failure> {
        let settings = Settings::read()?;
        let name = name(call);
        match tmf640::create(&name, &request, &settings)? {
            Accepted::Now(service) => Ok(Outcome::Done(receipt(service))),
            Accepted::Later { monitor, wait_ms } => Ok(Outcome::Pending(activating(Some(monitor), name, wait_ms, &settings))),
        }
    }

    fn resume(_: &Call, checkpoint: String, signal: Signal) -> Result<activation::Outcome, Failure> {
        let settings = Settings::read()?;
        let checkpoint: Checkpoint = serde_json::from_str(&checkpoint)
            .map_err(|error| Failure::rejected(BAD_CHECKPOINT, format!("the checkpoint cannot be read: {error}")))?;
        match (checkpoint, signal) {
            (Checkpoint::Activation { monitor: Some(monitor), name }, Signal::Timer | Signal::Callback(_)) => {
                poll_activation(monitor, name, &settings)
            }
            (Checkpoint::Activation { monitor: None, name }, Signal::Timer | Signal::Callback(_)) => poll_service(name, &settings),
            (Checkpoint::Activation { name, .. }, Signal::Cancel) => {
                let service = tmf640::find(&name)?;
                service.map_or(Ok(Outcome::Undone), |service| terminate(&service.id, &settings))
            }
            (Checkpoint::Termination { monitor }, Signal::Timer | Signal::Callback(_) | Signal::Cancel) => poll_termination(monitor, &settings),
        }
    }

    fn observe(call: &Call, request: activation::Request) -> Result<activation::Observed, Failure> {
        let _ = request;
        let name = name(call);
        let Some(service) = tmf640::find(&name)? else {
            return Ok(Observed::Absent);
        };
        match service.state.as_str() {
            "active" => Ok(Observed::Ours(receipt(service))),
            "terminated" => Ok(Observed::Absent),
            _ => Ok(Observed::Pending(activating(tmf640::monitor_for(&service)?, name, None, &Settings::read()?))),
        }
    }

    fn undo(_: &Call, receipt: activation::Receipt) -> Result<activation::Outcome, Failure> {
        terminate(&receipt.service_id, &Settings::read()?)
    }
}

fn poll_activation(monitor: String, name: String, settings: &Settings) -> Result<activation::Outcome, Failure> {
    let state = tmf640::monitor(&monitor)?;
    match state {
        MonitorState::InProgress { wait_ms } => Ok(Outcome::Pending(activating(Some(monitor), name, wait_ms, settings))),
        MonitorState::Completed => match tmf640::find(&name)? {
            Some(service) => Ok(Outcome::Done(receipt(service))),
            None => Err(Failure::unavailable(ACTIVATION_FAILED, format!("monitor {monitor:?} is completed but no service is named {name:?}"))),
        },
        MonitorState::InError { why } => {
            if let Some(service) = tmf640::find(&name)?
                && let Removed::Later { .. } = tmf640::delete(&service.id)?
            {
                let message = format!("{why}; the service {:?} is being terminated", service.id);
                return Err(Failure::unknown_outcome(ACTIVATION_FAILED, message));
            }
            Err(Failure::rejected(ACTIVATION_FAILED, why))
        }
    }
}

/// Asks the service itself how far it is.
fn poll_service(name: String, settings: &Settings) -> Result<activation::Outcome, Failure> {
    match tmf640::find(&name)? {
        Some(service) if service.state == "active" => Ok(Outcome::Done(receipt(service))),
        Some(service) if service.state != "terminated" => Ok(Outcome::Pending(activating(None, name, None, settings))),
        Some(_) | None => Err(Failure::rejected(ACTIVATION_FAILED, format!("the service named {name:?} is gone and was never active"))),
    }
}

fn terminate(service: &str, settings: &Settings) -> Result<activation::Outcome, Failure> {
    Ok(match tmf640::delete(service)? {
        Removed::Now => Outcome::Undone,
        Removed::Later { monitor, wait_ms } => Outcome::Pending(pending(Checkpoint::Termination { monitor }, wait_ms, settings)),
    })
}

fn poll_termination(monitor: String, settings: &Settings) -> Result<activation::Outcome, Failure> {
    match tmf640::monitor(&monitor)? {
        MonitorState::InProgress { wait_ms } => Ok(Outcome::Pending(pending(Checkpoint::Termination { monitor }, wait_ms, settings))),
        MonitorState::Completed => Ok(Outcome::Undone),
        MonitorState::InError { why } => Err(Failure::rejected(ACTIVATION_FAILED, why)),
    }
}

fn activating(monitor: Option<String>, name: String, wait_ms: Option<u64>, settings: &Settings) -> Pending {
    pending(Checkpoint::Activation { monitor, name }, wait_ms, settings)
}

fn pending(checkpoint: Checkpoint, wait_ms: Option<u64>, settings: &Settings) -> Pending {
    let operation = match &checkpoint {
        Checkpoint::Activation { monitor: Some(monitor), .. } => format!("activation, monitor {monitor}"),
        Checkpoint::Activation { monitor: None, name } => format!("activation of {name}"),
        Checkpoint::Termination { monitor } => format!("termination, monitor {monitor}"),
    };
    Pending {
        operation,
        checkpoint: serde_json::to_string(&checkpoint).expect("a checkpoint holds only text"),
        poll_after_ms: Some(wait_ms.unwrap_or(settings.poll_ms)),
        give_up_after_ms: settings.give_up_ms,
    }
}

fn name(call: &Call) -> String {
    format!("jackfield-{}", call.idempotency_key)
}

fn receipt(service: Service) -> activation::Receipt {
    let test_passed = service.test_passed();
    activation::Receipt { service_id: service.id, result: service.state, test_passed }
}

jackfield_plugin_sdk::export!(Tmf640: activation; MANIFEST);
