//! A billing system: accounts over REST, where a POST with an `Idempotency-Key` that was used before makes nothing new.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{delete, post},
};
use serde_json::Value;

use crate::{control::Control, reply};

/// The attributes that a new account must have.
const REQUIRED: [&str; 2] = ["serviceId", "plan"];

/// The routes of the billing system.
pub(crate) fn billing(control: Control) -> Router {
    let system = System { control, accounts: Arc::default() };
    Router::new().route("/accounts", post(create).get(list)).route("/accounts/{id}", delete(remove).get(show)).with_state(system)
}

#[derive(Clone)]
struct System {
    control: Control,
    accounts: Arc<Mutex<Accounts>>,
}

#[derive(Default)]
struct Accounts {
    accounts: BTreeMap<String, Account>,
    number: u64,
}

struct Account {
    key: Option<String>,
    ordered: Value,
    document: Value,
}

impl System {
    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

async fn create(State(system): State<System>, headers: HeaderMap, body: String) -> Response {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    let ordered = match reply::parse(&body) {
        Ok(ordered) => ordered,
        Err((status, message)) => return reply::error(status, message),
    };
    if let Some(missing) = REQUIRED.into_iter().find(|name| !ordered[name].is_string()) {
        return reply::error(StatusCode::UNPROCESSABLE_ENTITY, format!("{missing} is missing: expected text"));
    }
    let mut accounts = system.accounts();
    let known = accounts.accounts.values().find(|account| key.is_some() && account.key == key);
    match known {
        Some(account) if account.ordered == ordered => return reply::json(StatusCode::OK, &account.document),
        Some(_) => return reply::error(StatusCode::CONFLICT, "the idempotency key was used for another account"),
        None => {}
    }
    accounts.number += 1;
    let id = format!("acc-{}", accounts.number);
    let mut document = ordered.clone();
    document["id"] = id.as_str().into();
    document["status"] = "active".into();
    if !document["effectiveDate"].is_string() {
        document["effectiveDate"] = jiff::Timestamp::now().to_string().split_at("YYYY-MM-DD".len()).0.into();
    }
    system.control.record("created", format!("account {id}"), key.as_deref().unwrap_or_default());
    accounts.accounts.insert(id, Account { key, ordered, document: document.clone() });
    reply::json(StatusCode::CREATED, &document)
}

/// Accounts by any first-level text attribute, such as `order` or `externalId`.
async fn list(State(system): State<System>, RawQuery(query): RawQuery) -> Response {
    let filters: Vec<&str> = query.as_deref().unwrap_or_default().split('&').filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
    let matches =
        |document: &Value| filters.iter().all(|name| document[*name].as_str().map(str::to_owned) == reply::query_value(query.as_deref(), name));
    let documents = system.accounts().accounts.values().map(|account| account.document.clone()).filter(matches).collect();
    reply::json(StatusCode::OK, &documents)
}

async fn show(State(system): State<System>, Path(id): Path<String>) -> Response {
    match system.accounts().accounts.get(&id) {
        Some(account) => reply::json(StatusCode::OK, &account.document),
        None => reply::error(StatusCode::NOT_FOUND, format!("there is no account {id}")),
    }
}

async fn remove(State(system): State<System>, Path(id): Path<String>) -> Response {
    match system.accounts().accounts.remove(&id) {
        Some(account) => {
            system.control.record("deleted", format!("account {id}"), account.key.unwrap_or_default());
            StatusCode::NO_CONTENT.into_response()
        }
        None => reply::error(StatusCode::NOT_FOUND, format!("there is no account {id}")),
    }
}
