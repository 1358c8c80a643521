//! The `integration` contract by webhooks: another system is told of a tenant with one signed `POST` to the logical endpoint `webhook`.
//!
//! The path is what the setting `paths` says for the integration (`{"billing": "/hooks/tenants"}`), otherwise its name: `/billing`. The body is JSON:
//!
//! ```json
//! {
//!   "type": "tenant.created",
//!   "data": { "integration": "billing", "tenant": { "id", "slug", "plan", "region" }, "name", "domain", "settings": { } }
//! }
//! ```
//!
//! `undo` sends `tenant.deleted` with `data`: `{ "integration", "id" }`, where the id is what the other system answered, and the tenant's id if it
//! answered none.
//!
//! The headers are those of Standard Webhooks: `webhook-id` is made of the idempotency key, so it is the same in every repetition and a receiver
//! that remembers it acts once; `webhook-timestamp` is the time in seconds; `webhook-signature` is `v1,` and the HMAC-SHA256 over
//! `id.timestamp.body` in base64. The host signs with the secret `webhook-key`, whose bytes are the key: a receiver that wants `whsec_...` gets
//! these bytes in base64 after that prefix.
//!
//! | answer | `apply` | `undo` |
//! |---|---|---|
//! | 2xx | done; the id is `id` of the JSON, if there is one | undone |
//! | 409 | done: it knows | undone |
//! | 404 | rejected | undone |
//! | 410 | rejected (`webhook_gone`): it wants no more webhooks | undone |
//! | 408, 425, 429, 503 | unavailable, with `Retry-After` | the same |
//! | other 4xx, 3xx | rejected (`webhook_refused`) | the same |
//! | other 5xx, none | unknown outcome: the host repeats it | the same |
#![cfg_attr(test, allow(clippy::unwrap_used, reason = "tests"))]

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jackfield_plugin_sdk::{
    Call, Capabilities, Contract, Endpoint, Failure, Integration, Manifest, Outcome, Secret, Setting, Verb, config,
    http::{Request, Response},
    integration,
    secrets::{self, Algorithm},
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const MANIFEST: Manifest = Manifest {
    name: "integration-webhook",
    version: env!("CARGO_PKG_VERSION"),
    vendor: "Jackfield",
    contracts: &[Contract { name: "integration", verbs: &[Verb::Apply, Verb::Undo], idempotent: true }],
    capabilities: Capabilities {
        http: &[Endpoint::new("webhook", "tells another system that a tenant was made or removed (Standard Webhooks)")],
        secrets: &[Secret::new("webhook-key", "signs what is sent, so that the receiver knows who sent it")],
        config: &[Setting::new("paths", "the path of each integration at the endpoint; its name unless set")
            .schema(r#"{"type": "object", "additionalProperties": {"type": "string", "pattern": "^/"}}"#)],
        ..Capabilities::NONE
    },
    failure_codes: &[GONE, REFUSED, BAD_CONFIG, BAD_REQUEST],
    ..Manifest::EMPTY
};

/// Failure code: the receiver wants no more webhooks.
const GONE: &str = "webhook_gone";
/// Failure code: the receiver refused or could not take the webhook.
const REFUSED: &str = "webhook_refused";
/// Failure code: a setting is not as described.
const BAD_CONFIG: &str = "bad_config";
/// Failure code: the name of the integration is no path.
const BAD_REQUEST: &str = "bad_request";

/// Bytes of an answer: an id, and what a receiver says beside it.
const LIMIT: usize = 64 * 1024;
/// Bytes of an id that is kept.
const ID: usize = 256;
/// Characters of an integration's name that is a path by itself.
const NAME: usize = 64;

/// The plugin.
#[derive(Debug)]
pub struct Webhook;

impl Integration for Webhook {
    fn apply(call: &Call, request: integration::Request) -> Result<integration::Outcome, Failure> {
        let answer = send(call, &request.integration, &created(&request))?;
        let id = match answer.status() {
            409 => None,
            410 => return Err(Failure::rejected(GONE, format!("{} wants no more webhooks: {}", request.integration, answer.message()))),
            _ => id_in(&answer.require_success(REFUSED)?),
        };
        Ok(Outcome::Done(integration::Receipt { id: id.unwrap_or(request.tenant.id), integration: request.integration }))
    }

    fn undo(call: &Call, receipt: integration::Receipt) -> Result<integration::Outcome, Failure> {
        let event = json!({ "type": "tenant.deleted", "data": { "integration": receipt.integration, "id": receipt.id } });
        let answer = send(call, &receipt.integration, &event)?;
        if !matches!(answer.status(), 404 | 409 | 410) {
            answer.require_success(REFUSED)?;
        }
        Ok(Outcome::Undone)
    }
}

fn created(request: &integration::Request) -> Value {
    let integration::Request { tenant, name, integration, domain, settings } = request;
    let settings: BTreeMap<&str, &str> = settings.iter().map(|it| (it.name.as_str(), it.value.as_str())).collect();
    let tenant = json!({ "id": tenant.id, "slug": tenant.slug, "plan": tenant.plan, "region": tenant.region });
    let data = json!({ "integration": integration, "tenant": tenant, "name": name, "domain": domain, "settings": settings });
    json!({ "type": "tenant.created", "data": data })
}

fn send(call: &Call, integration: &str, event: &Value) -> Result<Response, Failure> {
    let path = path(integration)?;
    let (id, timestamp, body) = (webhook_id(call), timestamp(), event.to_string());
    let key = secrets::get("webhook-key")?;
    let signature = secrets::sign(&key, Algorithm::HmacSha256, signed(&id, &timestamp, &body).as_bytes())?;
    let request = Request::post(format!("http://webhook{path}")).body("application/json", body).limit(LIMIT);
    let request = request.header("webhook-id", id).header("webhook-timestamp", timestamp);
    Ok(request.header("webhook-signature", format!("v1,{}", STANDARD.encode(signature))).send()?)
}

/// The path of an integration.
fn path(integration: &str) -> Result<String, Failure> {
    let mut paths: BTreeMap<String, String> = if config::get("paths").is_some() { config::json("paths", BAD_CONFIG)? } else { BTreeMap::new() };
    match paths.remove(integration) {
        Some(path) if path.starts_with('/') => return Ok(path),
        Some(path) => return Err(Failure::rejected(BAD_CONFIG, format!("the path of {integration:?} is {path:?}; expected one that begins with /"))),
        None => {}
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if (1..=NAME).contains(&integration.len()) && integration.bytes().all(fits) {
        return Ok(format!("/{integration}"));
    }
    let shown: String = integration.chars().take(NAME).collect();
    let expected = format!("expected 1 to {NAME} characters of [A-Za-z0-9_-], or a path in the setting paths");
    Err(Failure::rejected(BAD_REQUEST, format!("the integration {shown:?} is no path: {expected}")))
}

/// The same for every repetition of a call, of characters that an id may have.
fn webhook_id(call: &Call) -> String {
    let hash = Sha256::digest(call.idempotency_key.as_bytes());
    let digits: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("msg_{digits}")
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a plugin has no other clock, and the host gives it this one")]
fn timestamp() -> String {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs()).to_string()
}

/// What is signed.
fn signed(id: &str, timestamp: &str, body: &str) -> String {
    format!("{id}.{timestamp}.{body}")
}

/// The id that an answer names. An answer that names none is as good.
fn id_in(answer: &Response) -> Option<String> {
    let body: Value = serde_json::from_slice(answer.body()).ok()?;
    let id = match body.get("id")? {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (1..=ID).contains(&id.len()).then_some(id)
}

jackfield_plugin_sdk::export!(Webhook: integration; MANIFEST);
