//! Errors of the interface: a status and a sentence.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use engine::{
    api::StartError,
    port::{DocumentError, ReadError, SecretsError},
};
use serde_json::json;

use crate::{
    device::DeviceKey,
    flow::{CommandError, InventoryError, ProvisionError},
};

/// Seconds after which a client may try again when the host cannot take something in.
const RETRY_AFTER: &str = "5";

/// An error as a client gets it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    status: StatusCode,
    message: String,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    pub(super) fn unknown_device(device: &DeviceKey) -> Self {
        Self::not_found(format!("there is no device {device}"))
    }

    /// The device, or what it said of itself, is the reason.
    pub(super) fn not_woken(reason: &str) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, reason)
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        let status = match error {
            ReadError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            ReadError::Damaged { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl From<DocumentError> for ApiError {
    fn from(error: DocumentError) -> Self {
        let status = match error {
            DocumentError::TooMuch { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            DocumentError::Write(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<SecretsError> for ApiError {
    fn from(error: SecretsError) -> Self {
        let status = match error {
            SecretsError::NoKey => StatusCode::CONFLICT,
            SecretsError::TooLong { .. } | SecretsError::Unknown => StatusCode::BAD_REQUEST,
            SecretsError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, format!("a secret cannot be sealed: {error}"))
    }
}

impl From<InventoryError> for ApiError {
    fn from(error: InventoryError) -> Self {
        match error {
            InventoryError::Invalid(message) => Self::bad(message),
            InventoryError::Taken { .. } => Self::new(StatusCode::CONFLICT, error.to_string()),
            InventoryError::Secrets(error) => error.into(),
            InventoryError::Read(error) => error.into(),
            InventoryError::Write(error) => error.into(),
        }
    }
}

impl From<ProvisionError> for ApiError {
    fn from(error: ProvisionError) -> Self {
        match &error {
            ProvisionError::NotSeen(_) => Self::not_found(error.to_string()),
            ProvisionError::Busy => Self::unavailable(error.to_string()),
        }
    }
}

impl From<CommandError> for ApiError {
    fn from(error: CommandError) -> Self {
        let status = match &error {
            CommandError::NotSeen(_) => StatusCode::NOT_FOUND,
            CommandError::TooMany(_) => StatusCode::CONFLICT,
            CommandError::Start(StartError::TooLarge { .. }) => StatusCode::PAYLOAD_TOO_LARGE,
            CommandError::Start(StartError::UnknownPipeline(_) | StartError::Unavailable(_)) | CommandError::Unavailable(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({ "error": self.message }))).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static(RETRY_AFTER));
        }
        response
    }
}
