//! The admin API of plugins, bindings and the audit trail.

mod explain;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Query, Request, State, rejection::QueryRejection},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::port::registry::ChangeError;
use pipeline::TenantName;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    auth::{Administers, Caller, signed},
    problem::problem,
};
use crate::registry::{Activation, Registry, RegistryError, Repin};

/// The most entries of a page.
const MAX_ENTRIES: usize = 1000;

type Shared = State<Arc<Registry>>;

/// `/api/v1/plugins`, `/api/v1/bindings`, `/api/v1/audit` and what is below them.
pub(crate) fn router(registry: Arc<Registry>, tenant: TenantName, categories: Vec<String>) -> Router {
    // One byte more, so that what is too large is refused with both numbers.
    let upload = post(install).layer(DefaultBodyLimit::max(registry.max_bytes() + 1));
    Router::new()
        .route("/api/v1/plugins", get(list).merge(upload))
        .route("/api/v1/plugins/activate", post(activate))
        .route("/api/v1/plugins/rollback", post(rollback))
        .route("/api/v1/plugins/quarantine", post(quarantine))
        .route("/api/v1/plugins/repin", post(repin))
        .route("/api/v1/plugins/gc", post(collect))
        .route("/api/v1/plugins/remove", post(remove))
        .route("/api/v1/bindings", get(bindings).put(bind))
        .route("/api/v1/audit", get(audit))
        .layer(middleware::from_fn_with_state(registry.clone(), carry_out))
        .with_state(registry.clone())
        .merge(explain::router(registry, tenant, categories))
}

/// A request is carried out to its end, whether or not its connection lives that long.
pub(super) async fn carry_out(State(registry): Shared, request: Request, next: Next) -> Response {
    let carried_out = registry.carry_out(next.run(request)).await;
    carried_out.unwrap_or_else(|| problem(StatusCode::SERVICE_UNAVAILABLE, "the host is stopping"))
}

async fn list(State(registry): Shared) -> Response {
    answer(registry.list().await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Install {
    #[serde(default)]
    allow_downgrade: bool,
    #[serde(default)]
    from: String,
    by: Option<String>,
}

async fn install(
    State(registry): Shared,
    Extension(Caller(caller)): Extension<Caller>,
    Extension(Administers(administers)): Extension<Administers>,
    query: Result<Query<Install>, QueryRejection>,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let Ok(Query(Install { allow_downgrade, from, by })) = query else {
        return bad("expected the parameters `allow_downgrade`, `from` and `by`");
    };
    // Who may only install does not decide that an older file is meant.
    if allow_downgrade && !administers {
        return problem(StatusCode::FORBIDDEN, &format!("`allow_downgrade` needs the role admin, which the token `{caller}` has not"));
    }
    let bytes = match body {
        Ok(bytes) => bytes,
        Err(error) => {
            let limit = registry.max_bytes();
            return problem(error.status(), &format!("the plugin was not taken: {error}; at most {limit} bytes are (runtime.max_component_bytes)"));
        }
    };
    match registry.install(bytes.into(), &signed(by, caller), &from, allow_downgrade).await {
        Ok(installation) => {
            let status = if installation.fresh { StatusCode::CREATED } else { StatusCode::OK };
            (status, Json(installation)).into_response()
        }
        Err(error) => refused(&error),
    }
}

/// A command with whoever gives it.
#[derive(Deserialize)]
struct Signed<T> {
    by: Option<String>,
    #[serde(flatten)]
    command: T,
}

/// Reads a command. `by` is taken out first, so that the rest can refuse what it does not know.
fn read<T: DeserializeOwned>(body: &str, caller: String) -> Result<(T, String), RegistryError> {
    let unreadable = |error: serde_json::Error| RegistryError::Invalid(format!("the request cannot be read: {error}"));
    let Signed { by, command } = serde_json::from_str::<Signed<serde_json::Map<String, Value>>>(body).map_err(unreadable)?;
    let command = T::deserialize(Value::Object(command)).map_err(unreadable)?;
    Ok((command, signed(by, caller)))
}

async fn activate(State(registry): Shared, Extension(Caller(caller)): Extension<Caller>, body: String) -> Response {
    match read::<Activation>(&body, caller) {
        Ok((activation, by)) => answer(registry.activate(activation, &by).await),
        Err(error) => refused(&error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rollback {
    plugin: Option<String>,
    #[serde(default)]
    note: String,
}

async fn rollback(State(registry): Shared, Extension(Caller(caller)): Extension<Caller>, body: String) -> Response {
    match read::<Rollback>(&body, caller) {
        Ok((Rollback { plugin, note }, by)) => answer(registry.roll_back(plugin.as_deref(), &by, &note).await),
        Err(error) => refused(&error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quarantine {
    digest: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    lift: bool,
}

async fn quarantine(State(registry): Shared, Extension(Caller(caller)): Extension<Caller>, body: String) -> Response {
    match read::<Quarantine>(&body, caller) {
        Ok((Quarantine { digest, reason, lift }, by)) => answer(registry.quarantine(&digest, lift, &reason, &by).await),
        Err(error) => refused(&error),
    }
}

async fn repin(State(registry): Shared, Extension(Caller(caller)): Extension<Caller>, body: String) -> Response {
    match read::<Repin>(&body, caller) {
        Ok((wanted, by)) => answer(registry.repin(wanted, &by).await),
        Err(error) => refused(&error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Collect {
    #[serde(default)]
    remove: bool,
    #[serde(default)]
    note: String,
}

async fn collect(State(registry): Shared, Extension(Caller(caller)): Extension<Caller>, body: String) -> Response {
    match read::<Collect>(&body, caller) {
        Ok((Collect { remove, note }, by)) => answer(registry.collect(remove, &by, &note).await),
        Err(error) => refused(&error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remove {
    plugin: String,
    #[serde(default)]
    note: String,
}

async fn remove(State(registry): Shared, Extension(Caller(caller)): Extension<Caller>, body: String) -> Response {
    match read::<Remove>(&body, caller) {
        Ok((Remove { plugin, note }, by)) => answer(registry.remove(&plugin, &by, &note).await),
        Err(error) => refused(&error),
    }
}

async fn bindings(State(registry): Shared) -> Response {
    answer(registry.bindings(20).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bind {
    bindings: BTreeMap<String, Value>,
    #[serde(default)]
    note: String,
}

async fn bind(State(registry): Shared, Extension(Caller(caller)): Extension<Caller>, body: String) -> Response {
    match read::<Bind>(&body, caller) {
        Ok((Bind { bindings, note }, by)) => answer(registry.bind(&bindings, &by, &note).await),
        Err(error) => refused(&error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    after: Option<u64>,
    limit: Option<usize>,
}

async fn audit(State(registry): Shared, query: Result<Query<Page>, QueryRejection>) -> Response {
    let Ok(Query(Page { after, limit })) = query else { return bad("expected the parameters `after` and `limit`") };
    answer(registry.audit(after, limit.unwrap_or(100).clamp(1, MAX_ENTRIES)).await)
}

fn answer<T: serde::Serialize>(outcome: Result<T, RegistryError>) -> Response {
    match outcome {
        Ok(value) => Json(value).into_response(),
        Err(error) => refused(&error),
    }
}

fn refused(error: &RegistryError) -> Response {
    let status = match error {
        RegistryError::NotFound(_) => StatusCode::NOT_FOUND,
        RegistryError::Invalid(_) => StatusCode::BAD_REQUEST,
        RegistryError::Refused(_) | RegistryError::Change(ChangeError::Stale { .. } | ChangeError::Needed { .. }) => StatusCode::CONFLICT,
        RegistryError::Read(_) | RegistryError::Unread { .. } | RegistryError::Change(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    problem(status, &error.to_string())
}

fn bad(message: &str) -> Response {
    problem(StatusCode::BAD_REQUEST, message)
}
