//! Errors of the admin interface: a status and a sentence.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use engine::{api::EngineError, port::ReadError};
use serde_json::json;

pub(super) fn problem(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "error": message }))).into_response()
}

/// Why the engine could not look or write: later is better (503), or a person must look at the journal (500).
pub(super) fn unreadable(error: &EngineError) -> Response {
    let status = match error {
        EngineError::Read(ReadError::Unavailable(_)) | EngineError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        EngineError::Read(ReadError::Damaged { .. }) | EngineError::Journal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        EngineError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
    };
    problem(status, &error.to_string())
}
