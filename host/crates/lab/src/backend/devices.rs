//! An inventory of devices: which customer has which device, and what was sold with it.
//!
//! `GET /devices?oui=..&productClass=..&serial=..` lists the devices that match, each `{oui, productClass, serial, customer, plan, location,
//! characteristics}`. `POST /devices` takes one device or an array of them, `PUT` and `DELETE /devices/OUI-CLASS-SERIAL` change one.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, put},
};
use serde_json::{Value, json};

use crate::{control::Control, device::Model, reply};

/// The most devices in one answer.
const MAX_LISTED: usize = 1_000;

/// How many devices of each model there are at the start.
const STOCK: u32 = 100;

/// What makes a device this device and no other.
const IDENTITY: [&str; 3] = ["oui", "productClass", "serial"];

/// The routes of the inventory.
pub(crate) fn devices(control: Control) -> Router {
    let devices = stock().into_iter().map(|device| (id(&device), device)).collect();
    let system = System { control, devices: Arc::new(Mutex::new(devices)) };
    Router::new().route("/devices", get(list).post(create)).route("/devices/{id}", put(replace).get(show).delete(remove)).with_state(system)
}

#[derive(Clone)]
struct System {
    control: Control,
    devices: Arc<Mutex<BTreeMap<String, Value>>>,
}

impl System {
    fn devices(&self) -> MutexGuard<'_, BTreeMap<String, Value>> {
        self.devices.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The devices of the first hundred customers are routers, those of the next hundred are terminals.
fn stock() -> Vec<Value> {
    const PLANS: [&str; 3] = ["plan-triple", "plan-voice", "plan-fibre-100"];
    // A terminal has no television.
    const WITHOUT_TV: [&str; 2] = ["plan-voice", "plan-fibre-100"];
    let routers = (1..=STOCK).zip(PLANS.iter().cycle()).map(|(number, plan)| device(Model::Tr181Router, "R", number, number, plan));
    let terminals = (1..=STOCK).zip(WITHOUT_TV.iter().cycle()).map(|(number, plan)| device(Model::Tr098Ont, "F", number, STOCK + number, plan));
    routers.chain(terminals).collect()
}

fn device(model: Model, letter: &str, number: u32, customer: u32, plan: &str) -> Value {
    json!({
        "oui": model.oui(), "productClass": model.product_class(), "serial": format!("{letter}{number:07}"),
        "customer": format!("C-{customer}"), "plan": plan, "location": format!("L-{customer}"), "characteristics": {},
    })
}

fn id(device: &Value) -> String {
    let [oui, class, serial] = IDENTITY.map(|name| device[name].as_str().unwrap_or_default());
    format!("{}-{class}-{serial}", oui.to_ascii_uppercase())
}

async fn list(State(system): State<System>, RawQuery(query): RawQuery) -> Response {
    let wanted = IDENTITY.map(|name| reply::query_value(query.as_deref(), name));
    let devices = system.devices();
    if let [Some(oui), Some(class), Some(serial)] = &wanted {
        let found = devices.get(&format!("{}-{class}-{serial}", oui.to_ascii_uppercase()));
        return reply::json(StatusCode::OK, &found.into_iter().cloned().collect());
    }
    let matches = |device: &Value| {
        let mut pairs = IDENTITY.iter().zip(&wanted).filter_map(|(name, wanted)| Some((device[*name].as_str()?, wanted.as_deref()?)));
        pairs.all(|(value, wanted)| value.eq_ignore_ascii_case(wanted))
    };
    reply::json(StatusCode::OK, &devices.values().filter(|device| matches(device)).take(MAX_LISTED).cloned().collect())
}

async fn show(State(system): State<System>, Path(id): Path<String>) -> Response {
    system.devices().get(&id).map_or_else(|| missing(&id), |device| reply::json(StatusCode::OK, device))
}

async fn create(State(system): State<System>, body: String) -> Response {
    let made = match reply::parse(&body) {
        Ok(Value::Array(devices)) => devices,
        Ok(device) => vec![device],
        Err((status, message)) => return reply::error(status, message),
    };
    if let Some(refusal) = made.iter().find_map(check) {
        return refusal;
    }
    let mut devices = system.devices();
    if let Some(known) = made.iter().map(id).find(|id| devices.contains_key(id)) {
        return reply::error(StatusCode::CONFLICT, format!("there is a device {known} already"));
    }
    for device in &made {
        system.control.record("created", format!("device {}", id(device)), device["customer"].as_str().unwrap_or_default());
        devices.insert(id(device), device.clone());
    }
    reply::json(StatusCode::CREATED, &json!({ "created": made.len() }))
}

async fn replace(State(system): State<System>, Path(name): Path<String>, body: String) -> Response {
    let device = match reply::parse(&body) {
        Ok(device) => device,
        Err((status, message)) => return reply::error(status, message),
    };
    if let Some(refusal) = check(&device) {
        return refusal;
    }
    if id(&device) != name {
        return reply::error(StatusCode::BAD_REQUEST, format!("the body is the device {}: the path says {name}", id(&device)));
    }
    let known = system.devices().insert(name.clone(), device.clone());
    let (action, status) = if known.is_some() { ("replaced", StatusCode::OK) } else { ("created", StatusCode::CREATED) };
    system.control.record(action, format!("device {name}"), device["customer"].as_str().unwrap_or_default());
    reply::json(status, &device)
}

async fn remove(State(system): State<System>, Path(id): Path<String>) -> Response {
    if system.devices().remove(&id).is_none() {
        return missing(&id);
    }
    system.control.record("deleted", format!("device {id}"), "");
    StatusCode::NO_CONTENT.into_response()
}

fn check(device: &Value) -> Option<Response> {
    let missing = IDENTITY.into_iter().find(|name| !device[name].is_string())?;
    Some(reply::error(StatusCode::UNPROCESSABLE_ENTITY, format!("{missing} is missing: expected text")))
}

fn missing(id: &str) -> Response {
    reply::error(StatusCode::NOT_FOUND, format!("there is no device {id}"))
}
