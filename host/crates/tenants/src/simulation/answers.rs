//! What providers answer: normally, and where a path wants it otherwise.

use std::time::Duration;

use pipeline::{CallAnswer, Failure, FailureClass};
use serde_json::{Value, json};

use super::Answer;

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

/// So many times in a row it cannot do it.
pub(super) fn unavailable(error_type: &str, times: usize) -> Vec<Answer> {
    (0..times).map(|_| failed(FailureClass::Unavailable, error_type)).collect()
}

/// The authority took the request, and is asked again after a minute where it does not call back.
pub(super) fn pending(poll: bool) -> Answer {
    Ok(CallAnswer::Pending {
        operation: "order-1".to_owned(),
        checkpoint: "1".to_owned(),
        poll_after: poll.then_some(Duration::from_secs(60)),
        give_up_after: Duration::from_secs(3_600),
    })
}

/// What an authority issued, or did not.
pub(super) fn certificate(status: &str) -> Value {
    json!({"status": status, "issuer": "Test CA", "serial": "0a", "not-after": 1_900_000_000, "chain": "-----BEGIN CERTIFICATE-----"})
}

/// The normal receipt for a request.
pub(super) fn normal(step: &str, request: &Value) -> Value {
    match step {
        "create_record" => json!({"operation": "create", "id": request["tenant"]["id"]}),
        "database" => json!({
            "system": "postgresql", "tenant": request["tenant"], "database": "tenants", "schema": "t_0123456789abcdefghij", "role": "t_0123456789abcdefghij",
            "migrations": 3, "address": "db.internal:5432"}),
        "storage" => json!({"bucket": request["bucket"], "region": "eu-central-1", "provider": "aws", "owner": request["tenant"]["id"]}),
        "dns" | "challenge" => json!({"zone": request["zone"], "owner": request["owner"], "records": request["records"], "provider": "powerdns"}),
        "certificate_order" => {
            let name = format!("_acme-challenge.{}", request["names"][0].as_str().unwrap());
            json!({"order": "o-1", "challenges": [{"name": name, "value": "digest"}]})
        }
        "certificate" => certificate("valid"),
        "seed_data" => json!({"template": request["template"], "version": "1", "rows": 12}),
        "integrations" => json!({"integration": request["integration"], "id": "x-1"}),
        "admin_user" | "activate" | "install_certificate" => json!({"operation": request["operation"], "id": request["id"]}),
        "welcome_email" => json!({"message-id": request["message-id"], "answer": "250 queued"}),
        other => unreachable!("there is no step {other}"),
    }
}
