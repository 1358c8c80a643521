//! Service activation and configuration (TMF640 v4): long activations behind monitors.
//!
//! POST answers 202 with a monitor and makes a second service for a second POST: the standard has no idempotency key. The service is `inactive` until the
//! monitor is `Completed`; then it is `active` with the characteristic `testResult`. Where activations take no time, POST answers 201 with the service.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    control::{Control, Outcome, Rule},
    reply,
};

const BASE: &str = "/tmf-api/ServiceActivationAndConfiguration/v4";

/// The routes of the activation system.
pub(crate) fn activation(control: Control, takes: Duration) -> Router {
    let system = System { control, takes, state: Arc::default() };
    let routes = Router::new()
        .route("/service", post(create).get(list))
        .route("/service/{id}", get(show).delete(remove))
        .route("/monitor", get(monitors))
        .route("/monitor/{id}", get(monitor))
        .with_state(system);
    Router::new().nest(BASE, routes)
}

#[derive(Clone)]
struct System {
    control: Control,
    takes: Duration,
    state: Arc<Mutex<Services>>,
}

#[derive(Default)]
struct Services {
    services: BTreeMap<String, Service>,
    monitors: BTreeMap<String, String>,
    number: u64,
}

impl Services {
    /// A monitor as a document.
    fn monitor(&self, id: &str, of: &str) -> Value {
        let (state, why) = match self.services.get(of) {
            Some(service) if !service.is_over() => ("InProgress", ""),
            Some(Service { end: End::InError { why }, .. }) => ("InError", why.as_str()),
            Some(_) | None => ("Completed", ""),
        };
        let mut document = json!({ "id": id, "href": format!("{BASE}/monitor/{id}"), "state": state, "sourceHref": format!("{BASE}/service/{of}") });
        if state == "InError" {
            document["response"] = json!({ "statusCode": "500", "body": why });
        }
        document
    }
}

struct Service {
    /// As it was ordered.
    ordered: Value,
    due: Instant,
    end: End,
}

/// What becomes of an activation.
enum End {
    Active { test: &'static str },
    Inactive,
    InError { why: String },
}

impl Service {
    fn new(ordered: Value, takes: Duration, rule: Option<&Rule>) -> Self {
        let takes = rule.map_or(takes, |rule| Duration::from_millis(rule.ms));
        let end = match rule.map_or(Outcome::Active, |rule| rule.result) {
            Outcome::Active => End::Active { test: "pass" },
            Outcome::TestFailed => End::Active { test: "fail" },
            Outcome::Inactive => End::Inactive,
            Outcome::InError => End::InError { why: rule.map(|rule| rule.answer.clone()).unwrap_or_default() },
        };
        Self { ordered, due: Instant::now() + takes, end }
    }

    fn is_over(&self) -> bool {
        Instant::now() >= self.due
    }

    fn document(&self, id: &str) -> Value {
        let mut document = self.ordered.clone();
        document["id"] = id.into();
        document["href"] = format!("{BASE}/service/{id}").into();
        document["state"] = "inactive".into();
        if let (End::Active { test }, true) = (&self.end, self.is_over()) {
            document["state"] = "active".into();
            let mut characteristics = document["serviceCharacteristic"].as_array().cloned().unwrap_or_default();
            characteristics.push(json!({ "name": "testResult", "value": test }));
            document["serviceCharacteristic"] = characteristics.into();
        }
        document
    }
}

impl System {
    fn services(&self) -> MutexGuard<'_, Services> {
        let mut services = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if self.control.finishes() {
            services.services.values_mut().for_each(|service| service.due = Instant::now());
        }
        services
    }
}

async fn create(State(system): State<System>, body: String) -> Response {
    let ordered = match reply::parse_object(&body, "service") {
        Ok(ordered) => ordered,
        Err((status, message)) => return reply::tmf_error(status, message),
    };
    if !ordered["serviceSpecification"]["id"].is_string() {
        return reply::tmf_error(StatusCode::BAD_REQUEST, "serviceSpecification.id is missing: expected the id of a service specification");
    }
    let rule = system.control.outcome(&body);
    let mut services = system.services();
    services.number += 1;
    let (id, monitor) = (format!("svc-{}", services.number), format!("mon-{}", services.number));
    system.control.record("created", format!("service {id}"), ordered["name"].as_str().unwrap_or_default());
    let service = Service::new(ordered, system.takes, rule.as_ref());
    let (document, at_once) = (service.document(&id), service.is_over() && !matches!(service.end, End::InError { .. }));
    services.services.insert(id.clone(), service);
    if at_once {
        return located(reply::json(StatusCode::CREATED, &document), &format!("{BASE}/service/{id}"));
    }
    services.monitors.insert(monitor.clone(), id);
    located(StatusCode::ACCEPTED.into_response(), &format!("{BASE}/monitor/{monitor}"))
}

fn located(mut response: Response, place: &str) -> Response {
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_str(place).expect("ids are made of letters and numbers"));
    response
}

async fn list(State(system): State<System>, RawQuery(query): RawQuery) -> Response {
    let name = reply::query_value(query.as_deref(), "name");
    let documents = system.services().services.iter().map(|(id, service)| service.document(id)).collect::<Vec<_>>();
    let matching = documents.into_iter().filter(|document| name.as_ref().is_none_or(|name| document["name"] == **name));
    reply::json(StatusCode::OK, &matching.collect())
}

async fn show(State(system): State<System>, Path(id): Path<String>) -> Response {
    match system.services().services.get(&id) {
        Some(service) => reply::json(StatusCode::OK, &service.document(&id)),
        None => reply::tmf_error(StatusCode::NOT_FOUND, format!("there is no service {id}")),
    }
}

async fn remove(State(system): State<System>, Path(id): Path<String>) -> Response {
    match system.services().services.remove(&id) {
        Some(service) => {
            system.control.record("deleted", format!("service {id}"), service.ordered["name"].as_str().unwrap_or_default());
            StatusCode::NO_CONTENT.into_response()
        }
        None => reply::tmf_error(StatusCode::NOT_FOUND, format!("there is no service {id}")),
    }
}

async fn monitors(State(system): State<System>, RawQuery(query): RawQuery) -> Response {
    let source = reply::query_value(query.as_deref(), "sourceHref");
    let services = system.services();
    let documents = services.monitors.iter().map(|(id, of)| services.monitor(id, of));
    let matching = documents.filter(|document| source.as_ref().is_none_or(|source| document["sourceHref"] == **source));
    reply::json(StatusCode::OK, &matching.collect())
}

async fn monitor(State(system): State<System>, Path(id): Path<String>) -> Response {
    let services = system.services();
    match services.monitors.get(&id) {
        Some(of) => reply::json(StatusCode::OK, &services.monitor(&id, of)),
        None => reply::tmf_error(StatusCode::NOT_FOUND, format!("there is no monitor {id}")),
    }
}
