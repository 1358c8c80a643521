//! The switches of a back end, and its memory of what happened. The front page of the crate lists them.

mod rule;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    http::{HeaderName, HeaderValue, StatusCode},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Serialize;

use self::rule::{Action, Kind};
pub(crate) use self::rule::{Outcome, Rule};
use crate::server::Delivery;

/// The largest request that a back end takes, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// How many requests are remembered.
const MAX_SEEN: usize = 10_000;

/// The switches and the memory of one back end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Control(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    rules: Vec<(Action, Rule)>,
    ledger: Vec<Effect>,
    requests: VecDeque<Seen>,
}

/// Something that a back end did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Effect {
    /// `created`, `replaced`, `deleted`, `reserved` or `released`.
    action: &'static str,
    /// What it was done to.
    resource: String,
    /// What the client called it: an idempotency key, an owner, a name.
    key: String,
}

/// A request that came in, whatever became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Seen {
    /// The method.
    method: String,
    /// The path with its query.
    path: String,
    /// The header `traceparent`.
    traceparent: Option<String>,
    /// The header `Idempotency-Key`.
    idempotency_key: Option<String>,
}

impl Control {
    /// The routes of a back end with these switches in front of them.
    pub(crate) fn around(self, routes: Router) -> Router {
        let switches = Router::new()
            .route("/_lab/ledger", get(ledger))
            .route("/_lab/requests", get(requests))
            .route("/_lab/reset", post(reset))
            .route("/_lab/{action}", post(switch))
            .with_state(self.clone());
        routes.layer(from_fn_with_state(self, intercept)).merge(switches)
    }

    /// Writes an effect down.
    pub(crate) fn record(&self, action: &'static str, resource: impl Into<String>, key: impl Into<String>) {
        self.memory().ledger.push(Effect { action, resource: resource.into(), key: key.into() });
    }

    /// What a switch says about an activation with this body.
    pub(crate) fn outcome(&self, body: &str) -> Option<Rule> {
        self.take(&[Action::Outcome], "POST", "", body).map(|(_, rule)| rule)
    }

    /// Whether what is under way is to be over now.
    pub(crate) fn finishes(&self) -> bool {
        self.take(&[Action::Finish], "", "", "").is_some()
    }

    /// The oldest switch that matches, counted down.
    fn take(&self, actions: &[Action], method: &str, path: &str, body: &str) -> Option<(Action, Rule)> {
        let mut memory = self.memory();
        let position = memory.rules.iter().position(|(action, rule)| actions.contains(action) && rule.matches(method, path, body))?;
        let found = memory.rules[position].clone();
        match found.1.count {
            0 => {}
            1 => drop(memory.rules.remove(position)),
            _ => memory.rules[position].1.count -= 1,
        }
        Some(found)
    }

    fn see(&self, request: &Request) {
        let header = |name| request.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
        let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        let seen =
            Seen { method: request.method().to_string(), path, traceparent: header("traceparent"), idempotency_key: header("idempotency-key") };
        let mut memory = self.memory();
        if memory.requests.len() == MAX_SEEN {
            memory.requests.pop_front();
        }
        memory.requests.push_back(seen);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

async fn intercept(State(control): State<Control>, request: Request, next: Next) -> Response {
    control.see(&request);
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, MAX_BODY).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the body is too large").into_response();
    };
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    let taken = control.take(&Action::ON_REQUESTS, parts.method.as_str(), path, &String::from_utf8_lossy(&bytes));
    let request = Request::from_parts(parts, Body::from(bytes));
    let Some((action, rule)) = taken else { return next.run(request).await };
    match action.kind() {
        Kind::Instead => instead(rule),
        Kind::Before => {
            tokio::time::sleep(Duration::from_millis(rule.ms)).await;
            next.run(request).await
        }
        Kind::Between => {
            let response = next.run(request).await;
            tokio::time::sleep(Duration::from_millis(rule.ms)).await;
            response
        }
        Kind::After(delivery) => deliver(next.run(request).await, delivery),
        Kind::Elsewhere => next.run(request).await,
    }
}

fn instead(rule: Rule) -> Response {
    let body = if rule.bytes > 0 { "x".repeat(rule.bytes) } else { rule.answer };
    let mut response = (StatusCode::from_u16(rule.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE), body).into_response();
    let headers = rule.headers.into_iter().filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?)));
    response.headers_mut().extend(headers);
    response
}

fn deliver(mut response: Response, delivery: Delivery) -> Response {
    response.extensions_mut().insert(delivery);
    response
}

async fn switch(
    State(control): State<Control>,
    Path(action): Path<String>,
    rule: Result<Json<Rule>, axum::extract::rejection::JsonRejection>,
) -> Response {
    let Some(action) = Action::parse(&action) else {
        return (StatusCode::NOT_FOUND, format!("there is no switch `{action}`: expected {}\n", Action::NAMES)).into_response();
    };
    match rule {
        Ok(Json(rule)) if StatusCode::from_u16(rule.status).is_err() => {
            (StatusCode::BAD_REQUEST, format!("status {} is not valid: expected 100 to 999\n", rule.status)).into_response()
        }
        Ok(Json(rule)) => {
            control.memory().rules.push((action, rule));
            StatusCode::NO_CONTENT.into_response()
        }
        Err(rejection) => (StatusCode::BAD_REQUEST, format!("{}\n", rejection.body_text())).into_response(),
    }
}

async fn reset(State(control): State<Control>) -> StatusCode {
    *control.memory() = Memory::default();
    StatusCode::NO_CONTENT
}

async fn ledger(State(control): State<Control>) -> Json<Vec<Effect>> {
    Json(control.memory().ledger.clone())
}

async fn requests(State(control): State<Control>) -> Json<Vec<Seen>> {
    Json(control.memory().requests.iter().cloned().collect())
}

/// Headers of an answer, by name.
type Headers = BTreeMap<String, String>;
