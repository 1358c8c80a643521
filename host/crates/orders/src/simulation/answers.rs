//! What back ends answer: normally, and where a path wants it otherwise.

use pipeline::{CallAnswer, Failure, FailureClass};
use serde_json::{Value, json};

use super::Answer;
use crate::order_pipeline::{ACTIVATE, ALLOCATE, BILLING, DECOMPOSE, PROVISION};

/// The call was made and this is what came of it.
pub(super) fn done(output: Value) -> Answer {
    Ok(CallAnswer::Done(output.into()))
}

pub(super) fn failed(class: FailureClass, error_type: &str) -> Answer {
    Err(Failure::new(class, error_type, format!("the back end said {error_type}")))
}

pub(super) fn rejected(error_type: &str) -> Answer {
    failed(FailureClass::Rejected, error_type)
}

/// So many times in a row it cannot be reached.
pub(super) fn silent(error_type: &str, times: usize) -> Vec<Answer> {
    (0..times).map(|_| failed(FailureClass::Unavailable, error_type)).collect()
}

/// The normal receipt for a request.
pub(super) fn normal(step: &str, request: &Value) -> Value {
    match step {
        DECOMPOSE => decomposition(request["offering"].as_str().unwrap()),
        ALLOCATE => {
            let service = &request["service"];
            let id = format!("{}-for-{}", service["resource-type"].as_str().unwrap(), service["name"].as_str().unwrap());
            json!({"id": id, "resource-type": service["resource-type"], "service": service["name"], "network-element": "olt-1", "characteristics": []})
        }
        PROVISION => json!({"configuration": "/c/1", "network-element": request["resource"]["network-element"], "result": "configured"}),
        ACTIVATE => activation("active", true),
        BILLING => json!({"account": "acc-1", "plan": request.get("plan").unwrap_or(&json!("standard")), "effective-date": "2031-05-01"}),
        other => unreachable!("there is no step {other}"),
    }
}

/// A receipt of `activation`.
pub(super) fn activation(result: &str, tested: bool) -> Value {
    json!({"service-id": "svc-1", "result": result, "test-passed": tested})
}

fn decomposition(offering: &str) -> Value {
    let service = |name: &str, resource: &str| json!({"name": name, "resource-type": resource, "characteristics": []});
    match offering {
        "fibre" => json!({"services": [service("access", "port"), service("address", "ipv4")], "plan": "fibre-30"}),
        "tv" => json!({"services": [service("box", "equipment")]}),
        "odd" => json!({"services": [service("odd", "moonbeam")]}),
        _ => json!({"services": []}),
    }
}
