//! `POST /tenants/{id}/credentials` and `POST /tenants/{id}/credentials/rotate`.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;

use super::{Api, ApiError, Body, By, by};
use crate::credentials::Credential;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    which: Credential,
}

/// A password. Nobody between may keep the answer.
pub(super) async fn read(
    State(api): State<Arc<Api>>,
    caller: Option<Extension<By>>,
    Path(id): Path<String>,
    Body(Which { which }): Body<Which>,
) -> Result<Response, ApiError> {
    api.tenant(&id).await?;
    let password = api.credentials.read(&id, which, &by(caller)).await?;
    let mut response = Json(json!({ "id": id, "which": which, "password": *password })).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

pub(super) async fn rotate(
    State(api): State<Arc<Api>>,
    caller: Option<Extension<By>>,
    Path(id): Path<String>,
    Body(Which { which }): Body<Which>,
) -> Result<Response, ApiError> {
    api.tenant(&id).await?;
    let run = api.credentials.rotate(&id, which, &by(caller)).await?;
    Ok(Json(json!({ "id": id, "which": which, "run": run })).into_response())
}
