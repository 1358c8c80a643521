//! Errors in the form of TMF630.

use std::borrow::Cow;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use engine::port::ReadError;
use serde::Serialize;

use super::reply;

/// Seconds after which a client may try again when the host cannot take orders.
const RETRY_AFTER: &str = "5";

/// An error as a client gets it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{reason}: {message}")]
pub struct ApiError {
    /// The code of the TMF630 guidelines: 20 to 28 for bad requests, 60 not found, 61 method, 66 size, 68 media type, 5 try later. A conflict, for which
    /// they have none, is `409`.
    code: &'static str,
    /// What kind of error it is; the same for the same code.
    reason: &'static str,
    /// What is wrong and what was expected.
    message: String,
    /// The HTTP status as text.
    status: String,
    /// Where it is wrong: a JSON path (RFC 9535) into the body, or the name of a header or parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
}

impl ApiError {
    fn new(status: StatusCode, code: &'static str, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), status: status.as_u16().to_string(), path: None }
    }

    fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    pub(super) fn missing_body() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "21", "Missing body", "the body is empty: expected a product order in JSON")
    }

    pub(super) fn invalid_body(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "22", "Invalid body", message).at("$")
    }

    pub(super) fn missing_field(path: &str, expected: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "23", "Missing body field", format!("{path} is missing: expected {expected}")).at(path)
    }

    pub(super) fn invalid_field(path: &str, message: impl AsRef<str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "24", "Invalid body field", format!("{path} {}", message.as_ref())).at(path)
    }

    pub(super) fn invalid_header(name: &str, message: impl AsRef<str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "26", "Invalid header value", format!("header {name} {}", message.as_ref())).at(name)
    }

    pub(super) fn invalid_query(name: &str, message: impl AsRef<str>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "28", "Invalid query-string parameter value", format!("parameter {name} {}", message.as_ref())).at(name)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "60", "Resource not found", message)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "61",
            "Method not allowed",
            "this path has no such method: expected one of those in the header Allow",
        )
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "66", "Request entity too large", format!("the body is too large: expected at most {limit} bytes"))
    }

    pub(super) fn media_type(given: &str) -> Self {
        let message = format!("media type `{given}` is not understood: expected application/json");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "68", "Unsupported media type", message).at("Content-Type")
    }

    pub(super) fn conflict(message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "409", "Conflict", message).at("Idempotency-Key")
    }

    pub(super) fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "5", "The service is temporarily unavailable", message.into().into_owned())
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "1", "Internal error", message)
    }

    pub(super) fn unreadable(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => Self::unavailable(error.to_string()),
            ReadError::Damaged { .. } => Self::internal(error.to_string()),
        }
    }

    fn status(&self) -> StatusCode {
        self.status.parse().unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let mut response = reply::json(status, &self);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}
