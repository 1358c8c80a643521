//! The TMF640 resources, as far as they are used.

use jackfield_plugin_sdk::{
    Failure, activation, characteristic,
    http::{self, Request, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{ACTIVATION_FAILED, settings::Settings};

const BASE: &str = "http://activation/tmf-api/ServiceActivationAndConfiguration/v4";

/// TMF640 `Service`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) state: String,
    href: Option<String>,
    #[serde(default)]
    service_characteristic: Vec<ServiceCharacteristic>,
}

#[derive(Debug, Deserialize)]
struct ServiceCharacteristic {
    name: String,
    value: Value,
}

impl Service {
    /// Whether the service test passed.
    pub(crate) fn test_passed(&self) -> bool {
        self.service_characteristic.iter().any(|it| it.name == "testResult" && it.value == "pass")
    }
}

/// TMF640 `Monitor`.
#[derive(Deserialize)]
struct Monitor {
    state: String,
    response: Option<MonitorResponse>,
}

#[derive(Deserialize)]
struct MonitorResponse {
    #[serde(default)]
    body: String,
}

/// TMF640 `Monitor` in a list.
#[derive(Deserialize)]
struct Listed {
    id: String,
}

/// The answers of a server that does not list monitors.
const NOT_LISTED: [u16; 3] = [404, 405, 501];

/// How far a monitored request is.
pub(crate) enum MonitorState {
    /// Still going on; the time the other side asks to wait.
    InProgress { wait_ms: Option<u64> },
    /// Done.
    Completed,
    /// It did not work, and why.
    InError { why: String },
}

/// How a new service was received.
pub(crate) enum Accepted {
    /// It is there.
    Now(Service),
    /// It will be; ask the monitor.
    Later { monitor: String, wait_ms: Option<u64> },
}

/// How a deletion was received.
pub(crate) enum Removed {
    /// It is gone.
    Now,
    /// It will be; ask the monitor.
    Later { monitor: String, wait_ms: Option<u64> },
}

/// Orders an active service.
pub(crate) fn create(name: &str, request: &activation::Request, settings: &Settings) -> Result<Accepted, Failure> {
    let answer = Request::post(format!("{BASE}/service")).json(&document(name, request, settings)).send()?;
    let answer = answer.require_success(ACTIVATION_FAILED)?;
    if answer.status() == 202 {
        let (monitor, wait_ms) = monitor_of(&answer)?;
        return Ok(Accepted::Later { monitor, wait_ms });
    }
    Ok(Accepted::Now(answer.json()?))
}

/// The service with that name.
pub(crate) fn find(name: &str) -> Result<Option<Service>, Failure> {
    let answer = Request::get(format!("{BASE}/service?name={}", http::encode(name))).send()?;
    let services: Vec<Service> = answer.require_success(ACTIVATION_FAILED)?.json()?;
    Ok(services.into_iter().next())
}

/// Asks a monitor. The id is the path segment that `Location` had, encoded as it was.
pub(crate) fn monitor(id: &str) -> Result<MonitorState, Failure> {
    let answer = Request::get(format!("{BASE}/monitor/{id}")).send()?.require_success(ACTIVATION_FAILED)?;
    let wait_ms = wait_ms(&answer);
    let monitor: Monitor = answer.json()?;
    match monitor.state.as_str() {
        "InProgress" => Ok(MonitorState::InProgress { wait_ms }),
        "Completed" => Ok(MonitorState::Completed),
        "InError" => {
            let why = monitor.response.map(|it| it.body).filter(|it| !it.is_empty());
            Ok(MonitorState::InError { why: why.unwrap_or_else(|| format!("monitor {id:?} is in error and does not say why")) })
        }
        other => {
            let message = format!("monitor {id:?} is {other:?}; expected InProgress, Completed or InError");
            Err(Failure::unavailable(http::BAD_ANSWER, message))
        }
    }
}

/// The monitor of a service's activation, as far as the other side lists monitors. Which of several it is does not matter: what a monitor says is checked
/// against the service.
pub(crate) fn monitor_for(service: &Service) -> Result<Option<String>, Failure> {
    let Some(href) = &service.href else { return Ok(None) };
    let answer = Request::get(format!("{BASE}/monitor?sourceHref={}", http::encode(href))).send()?;
    if NOT_LISTED.contains(&answer.status()) {
        return Ok(None);
    }
    let monitors: Vec<Listed> = answer.require_success(ACTIVATION_FAILED)?.json()?;
    Ok(monitors.into_iter().next().map(|monitor| http::encode(&monitor.id)))
}

/// Terminates a service. One that is gone is fine.
pub(crate) fn delete(id: &str) -> Result<Removed, Failure> {
    let answer = Request::delete(format!("{BASE}/service/{}", http::encode(id))).send()?;
    if answer.status() == 404 {
        return Ok(Removed::Now);
    }
    let answer = answer.require_success(ACTIVATION_FAILED)?;
    if answer.status() == 202 {
        let (monitor, wait_ms) = monitor_of(&answer)?;
        return Ok(Removed::Later { monitor, wait_ms });
    }
    Ok(Removed::Now)
}

fn document(name: &str, request: &activation::Request, settings: &Settings) -> Value {
    let of_services = request.services.iter().flat_map(|service| {
        service.characteristics.iter().map(move |it| json!({ "name": format!("{}.{}", service.name, it.name), "value": it.value }))
    });
    let order = [json!({ "name": "order", "value": request.order })];
    let resources: Vec<Value> = request
        .resources
        .iter()
        .map(|it| {
            let href = characteristic(&it.characteristics, "href").map_or_else(|| format!("/resource/{}", http::encode(&it.id)), str::to_owned);
            json!({ "id": it.id, "href": href, "name": it.service, "@referredType": it.resource_type })
        })
        .collect();
    let parties: Vec<Value> = request.customer.iter().map(|it| json!({ "id": it, "role": "customer", "@referredType": "Customer" })).collect();
    json!({
        "name": name,
        "state": "active",
        "serviceSpecification": { "id": settings.specification },
        "serviceCharacteristic": order.into_iter().chain(of_services).collect::<Vec<_>>(),
        "supportingResource": resources,
        "relatedParty": parties,
    })
}

/// The monitor's id from `Location`, which is a URL or a path that ends in `/monitor/{id}`.
fn monitor_of(answer: &Response) -> Result<(String, Option<u64>), Failure> {
    let location = answer.header("location").unwrap_or_default();
    match location.rsplit_once("/monitor/") {
        Some((_, id)) if !id.is_empty() && !id.contains(['/', '?', '#', ' ']) => Ok((id.to_owned(), wait_ms(answer))),
        Some(_) | None => {
            let message = format!("202 with the Location {location:?}; expected one that ends in /monitor/{{id}}");
            Err(Failure::unknown_outcome(http::BAD_ANSWER, message))
        }
    }
}

fn wait_ms(answer: &Response) -> Option<u64> {
    answer.retry_after().map(|it| u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
}
