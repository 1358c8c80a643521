//! How devices differ from the standard, as operators see it and change it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{Api, ApiError, Body, Caller, Change, shown};
use crate::quirks::{KeepError, QuirkRecord};

/// All records, in the order in which they apply: those of the product, of the configuration, and those that are kept, by name.
pub(super) async fn list(State(api): State<Arc<Api>>) -> Response {
    let configured = api.quirks.configured();
    Json(json!({ "built-in": configured.built_in(), "configured": configured.operator(), "kept": api.quirks.kept() })).into_response()
}

pub(super) async fn show(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Result<Response, ApiError> {
    let found = api.quirks.kept().remove(&name).ok_or_else(|| unknown(&name))?;
    Ok(Json(found).into_response())
}

pub(super) async fn put(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(name): Path<String>,
    Body(record): Body<QuirkRecord>,
) -> Result<Response, ApiError> {
    let before = api.quirks.put(&name, record.clone()).await?;
    api.tell(caller, "put-quirk", &name, Change { before: json!(before), after: json!(record) }).await?;
    Ok(Json(json!({ "quirk": name })).into_response())
}

pub(super) async fn remove(State(api): State<Arc<Api>>, caller: Caller, Path(name): Path<String>) -> Result<StatusCode, ApiError> {
    let before = api.quirks.remove(&name).await?.ok_or_else(|| unknown(&name))?;
    api.tell(caller, "remove-quirk", &name, Change { before: json!(before), after: json!(null) }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn unknown(name: &str) -> ApiError {
    ApiError::not_found(format!("no quirk record `{}` is kept; those of the configuration are changed there", shown(name)))
}

impl From<KeepError> for ApiError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Name(_) | KeepError::Record(_) => Self::bad(error.to_string()),
            KeepError::TooMany => Self::new(StatusCode::CONFLICT, error.to_string()),
            KeepError::Write(error) => error.into(),
        }
    }
}
