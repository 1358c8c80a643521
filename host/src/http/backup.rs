//! `POST /api/v1/backup`: a copy of the live store, written by the process that serves.

use std::{path::PathBuf, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::json;
use store_sqlite::{BackupError, Store};

use super::problem::problem;

/// `POST /api/v1/backup` with `{"path": "/absolute/path"}`.
pub(crate) fn router(store: Arc<Store>) -> Router {
    Router::new().route("/api/v1/backup", post(backup)).with_state(store)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    path: PathBuf,
}

async fn backup(State(store): State<Arc<Store>>, body: String) -> Response {
    let Wanted { path } = match serde_json::from_str(&body) {
        Ok(wanted) => wanted,
        Err(error) => {
            return problem(StatusCode::BAD_REQUEST, &format!("the request cannot be read: {error}; expected {{\"path\": \"/absolute/path\"}}"));
        }
    };
    if !path.is_absolute() {
        return problem(StatusCode::BAD_REQUEST, &format!("path: `{}` is not absolute", path.display()));
    }
    match store.backup(&path).await {
        Ok(()) => (StatusCode::CREATED, Json(json!({ "path": path }))).into_response(),
        Err(error @ BackupError::Exists { .. }) => problem(StatusCode::CONFLICT, &error.to_string()),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}
