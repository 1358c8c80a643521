//! The interface over which tenants come and go.
//!
//! | method and path under `/api/v1/tenants` | success |
//! |---|---|
//! | `POST` | 202 with the tenant's id and the run; 200 when the same `Idempotency-Key` brought the same sign-up before |
//! | `GET ?state=&plan=&slug=&region=&offset=&limit=` | 200, a page of tenants |
//! | `GET /stats?since=` | 200, how long steps take and which fail |
//! | `GET /zone/{zone}` | 200, the records that this host keeps itself, as a zone file |
//! | `GET /openapi.json` | 200, this interface as an OpenAPI 3.1 document |
//! | `GET /{id}` | 200, all that is known of a tenant |
//! | `DELETE /{id}` | 202, the tenant is being taken away |
//! | `GET /{id}/events` | 200, the tenant at every change, as server-sent events |
//! | `POST /{id}/retry` | 202, what a person was needed for is tried again |
//! | `GET /{id}/drift` | 200, what exists of the tenant compared with what was made |
//! | `POST /{id}/repair` | 202 with the run that makes again what is gone or was changed |
//! | `POST /{id}/credentials` | 200, a password, once |
//! | `POST /{id}/credentials/rotate` | 200, there is another password |
//!
//! Every error has a body that says what is wrong (`error`), `where`, and what was `expected`.

mod create;
mod credentials;
mod drift;
mod error;
mod events;
mod key;
mod manage;
mod stats;

#[cfg(test)]
mod tests;

use std::{fmt, net::IpAddr, sync::Arc};

use async_trait::async_trait;
use axum::{
    Extension, Json, Router,
    extract::{DefaultBodyLimit, FromRequest, Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::{
    Driver,
    port::{Clock, Documents, Runner},
};
use pipeline::TenantName;
use serde::de::DeserializeOwned;

pub use self::{error::ApiError, key::Key};
use crate::{credentials::Credentials, following::Listeners, options::Options, removal::Remover, sign_up::Intake};

/// The largest body of a request, in bytes.
pub const MAX_BODY: usize = 64 << 10;

/// The base path of the interface.
pub const BASE: &str = "/api/v1/tenants";

/// This interface as an OpenAPI document.
pub const OPENAPI: &str = include_str!("api/openapi.json");

/// What the interface needs.
#[derive(Debug, Clone)]
pub struct Api {
    /// Takes sign-ups in.
    pub intake: Arc<Intake>,
    /// Drives the runs.
    pub driver: Arc<Driver>,
    /// Makes calls that only look.
    pub runner: Arc<dyn Runner>,
    /// What is known of tenants.
    pub documents: Arc<dyn Documents>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What the operator decided.
    pub options: Arc<Options>,
    /// Takes tenants away.
    pub remover: Arc<Remover>,
    /// Who listens to tenants.
    pub listeners: Arc<Listeners>,
    /// Gives passwords out and changes them.
    pub credentials: Arc<Credentials>,
    /// The zones that this host keeps itself, where it does.
    pub zones: Option<Arc<dyn Zones>>,
    /// What tickets are made with.
    pub key: Key,
    /// Whose runs these are.
    pub service: TenantName,
}

/// Writes down what was done to tenants' secrets.
#[async_trait]
pub trait Audit: fmt::Debug + Send + Sync {
    /// Writes an entry. When it returns `Ok` the entry is durable.
    ///
    /// # Errors
    ///
    /// Why it cannot be written, for a person.
    async fn write(&self, by: &str, action: &str, subject: &str) -> Result<(), String>;
}

/// Changes passwords where they are used.
#[async_trait]
pub trait Accounts: fmt::Debug + Send + Sync {
    /// Gives the administrator's account of a tenant another password, given sealed.
    ///
    /// # Errors
    ///
    /// Why it was not changed, for a person.
    async fn set_admin(&self, id: &str, sealed: &str) -> Result<(), String>;
}

/// The zones that this host keeps itself.
#[async_trait]
pub trait Zones: fmt::Debug + Send + Sync {
    /// A zone as a file (RFC 1035, section 5).
    ///
    /// # Errors
    ///
    /// Why it cannot be read, for a person.
    async fn file(&self, zone: &str) -> Result<String, String>;
}

/// Who makes a request, where whoever serves the interface knows it: an extension of the request.
#[derive(Debug, Clone)]
pub struct By(pub String);

/// The address that a request comes from: an extension of the request.
#[derive(Debug, Clone, Copy)]
pub struct From(pub IpAddr);

/// The routes, complete with their base path.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/api/v1/tenants", post(create::create).get(manage::list))
        .route("/api/v1/tenants/stats", get(stats::stats))
        .route("/api/v1/tenants/openapi.json", get(openapi))
        .route("/api/v1/tenants/zone/{zone}", get(zone))
        .route("/api/v1/tenants/{id}", get(manage::show).delete(manage::remove))
        .route("/api/v1/tenants/{id}/events", get(events::events))
        .route("/api/v1/tenants/{id}/retry", post(manage::retry))
        .route("/api/v1/tenants/{id}/drift", get(drift::drift))
        .route("/api/v1/tenants/{id}/repair", post(drift::repair))
        .route("/api/v1/tenants/{id}/credentials", post(credentials::read))
        .route("/api/v1/tenants/{id}/credentials/rotate", post(credentials::rotate))
        .method_not_allowed_fallback(async || ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "this path has no such method"))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::new(api))
}

/// A body in JSON, with our own words about what is wrong with it.
struct Body<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let bytes = axum::body::Bytes::from_request(request, state).await.map_err(|error| ApiError::new(error.status(), error.body_text()))?;
        let fits = serde_json::from_slice(&bytes);
        fits.map(Self).map_err(|error| ApiError::bad("body", format!("the body does not fit: {error}"), "JSON as the OpenAPI document has it"))
    }
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// The records that this host keeps itself.
async fn zone(State(api): State<Arc<Api>>, Path(zone): Path<String>) -> Result<Response, ApiError> {
    if zone != api.options.zone {
        return Err(ApiError::not_found(format!("the tenants of this host are not in the zone {}", crate::sign_up::shown(&zone))));
    }
    let zones = api.zones.as_ref().ok_or_else(|| ApiError::not_found("this host keeps no zone itself"))?;
    let file = zones.file(&zone).await.map_err(ApiError::unavailable)?;
    Ok(([(header::CONTENT_TYPE, "text/dns")], file).into_response())
}

fn by(extension: Option<Extension<By>>) -> String {
    extension.map_or_else(|| "api".to_owned(), |Extension(By(name))| name)
}

/// An answer that says what was begun.
fn begun(body: &serde_json::Value) -> Response {
    (StatusCode::ACCEPTED, Json(body)).into_response()
}
