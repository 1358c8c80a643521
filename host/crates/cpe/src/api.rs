//! The interface for operators and programs: devices and what is done with them.
//!
//! | method and path under `/api/v1/cpe` | success |
//! |---|---|
//! | `GET /devices?state=&plan=&serial=&oui=&model=&offset=&limit=` | 200, a page of devices |
//! | `GET /devices/{key}` | 200, all that is known of a device |
//! | `POST /devices` | 201, devices are taken in: whose they are and how they prove who they are |
//! | `DELETE /devices/{key}` | 204, the device is forgotten |
//! | `POST /plans` | 201, a plan is kept |
//! | `POST /credentials` | 201, a credential that a fleet shares is kept |
//! | `GET /quirks` | 200, how devices differ from the standard: what the product, the configuration and operators say |
//! | `GET /quirks/{name}`, `PUT /quirks/{name}`, `DELETE /quirks/{name}` | 200, 200, 204: a record of operators, which applies over all others |
//! | `POST /devices/{key}/provision` | 202 with the run |
//! | `POST /devices/{key}/wake` | 200 when the device said that it comes |
//! | `GET /openapi.json` | 200, this interface as an OpenAPI 3.1 document |
//! | `POST /devices/{key}/{command}` | 202 with the run: `reboot`, `factory-reset`, `get`, `set`, `add-object`, `delete-object`, `download`, `upload`, `schedule-inform` |
//!
//! What is begun asks the device to come, unless the parameter `wake=false` says otherwise; `woken` in the answer tells what became of that. Every error has a
//! body that says what, where and what was expected.

mod commands;
mod devices;
mod error;
mod quirks;
mod trail;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRequest, Path, Query, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::port::{DocumentQuery, Documents, Secrets};
use pipeline::TenantName;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use self::trail::{Caller, Change, by};
pub use self::{
    error::ApiError,
    trail::{By, Trail},
};
use crate::{
    device::DeviceKey,
    flow::{DEVICE_COLLECTION, DeviceState, Intake, Inventory, NewDevice, NewPlan, STATE_COLLECTION, Sessions, Trigger},
    quirks::KeptQuirks,
    wake::Waker,
};

/// The largest body of a request, in bytes.
pub const MAX_BODY: usize = 4 << 20;

/// How many devices that failed are tried again at once because a plan changed; others wait for their time.
const MAX_TRIED_AGAIN: u64 = 10_000;

/// The interface as an OpenAPI 3.1 document.
pub const OPENAPI: &str = include_str!("api/openapi.json");

/// The base path of the interface.
pub const BASE: &str = "/api/v1/cpe";

/// What the interface needs.
#[derive(Debug, Clone)]
pub struct Api {
    /// Begins provisionings and commands.
    pub intake: Arc<Intake>,
    /// Keeps devices and plans.
    pub inventory: Arc<Inventory>,
    /// Keeps how devices differ from the standard.
    pub quirks: Arc<KeptQuirks>,
    /// What is known of devices.
    pub documents: Arc<dyn Documents>,
    /// Seals what is secret in requests, and opens what devices are woken with.
    pub secrets: Arc<dyn Secrets>,
    /// Wakes devices.
    pub waker: Arc<Waker>,
    /// The devices that are in session.
    pub sessions: Arc<dyn Sessions>,
    /// Whose devices these are.
    pub tenant: TenantName,
    /// Is told who changed what.
    pub trail: Arc<dyn Trail>,
}

/// The routes, complete with their base path.
pub fn router(api: Api) -> Router {
    let routes = Router::new()
        .route("/openapi.json", get(async || ([(header::CONTENT_TYPE, "application/json")], OPENAPI)))
        .route("/devices", get(devices::list).post(import))
        .route("/devices/{key}", get(devices::show).delete(forget))
        .route("/devices/{key}/provision", post(provision))
        .route("/devices/{key}/wake", post(wake))
        .route("/devices/{key}/{command}", post(commands::command))
        .route("/plans", post(put_plan))
        .route("/credentials", post(put_credential))
        .route("/quirks", get(quirks::list))
        .route("/quirks/{name}", get(quirks::show).put(quirks::put).delete(quirks::remove))
        .method_not_allowed_fallback(async || ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this path has no such method"))
        .fallback(async || ApiError::not_found("there is no such path"))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(api));
    Router::new().nest(BASE, routes)
}

/// A body in JSON, with our own words about what is wrong with it.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|error| ApiError::new(error.status(), error.body_text()))?;
        serde_json::from_slice(&bytes).map(Self).map_err(|error| ApiError::bad(format!("the body does not fit: {error}")))
    }
}

/// Parameters that every request which begins something may have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Begin {
    #[serde(default = "yes")]
    wake: bool,
}

fn yes() -> bool {
    true
}

type BeginQuery = Result<Query<Begin>, axum::extract::rejection::QueryRejection>;

fn wants_wake(query: BeginQuery) -> Result<bool, ApiError> {
    query
        .map(|Query(begin)| begin.wake)
        .map_err(|error| ApiError::bad(format!("{}: expected the parameter `wake`, true or false", error.body_text())))
}

async fn import(State(api): State<Arc<Api>>, caller: Caller, Body(devices): Body<Vec<NewDevice>>) -> Result<Response, ApiError> {
    let keys = api.inventory.import(devices).await?;
    api.intake.try_again(&keys);
    api.tell_of_import(caller, &keys).await?;
    Ok((StatusCode::CREATED, Json(json!({ "devices": keys }))).into_response())
}

async fn put_plan(State(api): State<Arc<Api>>, caller: Caller, Body(plan): Body<NewPlan>) -> Result<Response, ApiError> {
    let name = plan.name.clone();
    api.inventory.put_plan(plan).await?;
    // Devices whose customers have it may have failed for want of it.
    let equal = vec![("state".to_owned(), DeviceState::Failed.as_str().to_owned()), ("plan".to_owned(), name.clone())];
    let failed = api.documents.find(DocumentQuery { collection: STATE_COLLECTION, equal, offset: 0, limit: MAX_TRIED_AGAIN }).await?;
    let devices: Vec<DeviceKey> = failed.documents.iter().filter_map(|document| document.id.parse().ok()).collect();
    api.intake.try_again(&devices);
    api.tell(caller, "put-plan", &name, Change::default()).await?;
    Ok((StatusCode::CREATED, Json(json!({ "plan": name }))).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct NewCredential {
    username: String,
    password: String,
    #[serde(default)]
    oui: Option<String>,
}

async fn put_credential(State(api): State<Arc<Api>>, caller: Caller, Body(credential): Body<NewCredential>) -> Result<Response, ApiError> {
    let NewCredential { username, password, oui } = credential;
    api.inventory.put_shared_credential(username.clone(), oui.clone(), &password).await?;
    api.tell(caller, "put-credential", &username, Change::to(json!({ "oui": oui }))).await?;
    Ok((StatusCode::CREATED, Json(json!({ "username": username }))).into_response())
}

async fn forget(State(api): State<Arc<Api>>, caller: Caller, Path(key): Path<String>) -> Result<StatusCode, ApiError> {
    let device = device(&key)?;
    api.inventory.forget(&device).await?;
    api.intake.forget(&device).await.map_err(|error| ApiError::unavailable(error.to_string()))?;
    api.tell(caller, "forget-device", device.as_str(), Change::default()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn provision(State(api): State<Arc<Api>>, caller: Caller, Path(key): Path<String>, query: BeginQuery) -> Result<Response, ApiError> {
    let (device, wakes) = (device(&key)?, wants_wake(query)?);
    let run = api.intake.provision(&device, Trigger::Operator, None, None).await?;
    api.tell(caller, "provision-device", device.as_str(), Change::to(json!({ "run": run }))).await?;
    Ok(api.begun(&device, run.as_str(), wakes).await)
}

async fn wake(State(api): State<Arc<Api>>, Path(key): Path<String>) -> Result<Response, ApiError> {
    let device = device(&key)?;
    if api.documents.get(DEVICE_COLLECTION, device.as_str()).await?.is_none() {
        return Err(ApiError::unknown_device(&device));
    }
    api.woken(&device).await.map_err(|error| ApiError::not_woken(&error))?;
    Ok(Json(json!({ "device": device, "woken": true })).into_response())
}

impl Api {
    /// The answer to what was begun.
    async fn begun(&self, device: &DeviceKey, run: &str, wakes: bool) -> Response {
        let mut answer = json!({ "device": device, "run": run });
        if wakes && self.sessions.in_session(device).is_none() {
            answer["woken"] = match self.woken(device).await {
                Ok(()) => true.into(),
                Err(reason) => reason.into(),
            };
        }
        (StatusCode::ACCEPTED, Json(answer)).into_response()
    }

    /// Asks a device that is not in session to come.
    ///
    /// # Errors
    ///
    /// Why it does not come now, for a person.
    pub async fn call(&self, device: &DeviceKey) -> Result<(), String> {
        if self.sessions.in_session(device).is_some() { Ok(()) } else { self.woken(device).await }
    }

    async fn woken(&self, device: &DeviceKey) -> Result<(), String> {
        let caller = crate::flow::Caller::new(self.documents.clone(), self.secrets.clone(), self.waker.clone());
        let facts = caller.find(device).await?;
        caller.call(&self.tenant, device, &facts).await
    }
}

/// A device by the text in a path, as the host writes it or as people do.
fn device(text: &str) -> Result<DeviceKey, ApiError> {
    DeviceKey::read(text).map_err(|error| ApiError::bad(error.to_string()))
}

/// As much of a text as an error repeats.
fn shown(text: &str) -> String {
    text.chars().take(64).collect()
}

/// A field of a body that is to be shown, if it is there.
fn copy(from: &Value, into: &mut Value, fields: &[(&str, &str)]) {
    for (field, name) in fields.iter().filter(|(field, _)| !from[*field].is_null()) {
        into[*name] = from[*field].clone();
    }
}
