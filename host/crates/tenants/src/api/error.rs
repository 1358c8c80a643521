//! Errors of the interface: what is wrong, where, and what was expected.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use engine::{
    api::{EngineError, ResolveError, StartError},
    port::{DocumentError, ReadError, SecretsError},
};
use serde_json::json;

use crate::{credentials::CredentialError, removal::RemovalError, sign_up::SignUpError};

/// Seconds after which a client may try again when the host cannot take something in.
const RETRY_AFTER: u64 = 5;

/// An error as a client gets it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    status: StatusCode,
    message: Cow<'static, str>,
    place: Option<Cow<'static, str>>,
    expected: Option<Cow<'static, str>>,
    retry_after: Option<u64>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER);
        Self { status, message: message.into(), place: None, expected: None, retry_after }
    }

    /// Something is wrong in one place of the request.
    pub(super) fn bad(place: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>, expected: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message).at(place).expecting(expected)
    }

    pub(super) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn conflict(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, message)
    }

    pub(super) fn unavailable(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    pub(super) fn internal(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    fn at(mut self, place: impl Into<Cow<'static, str>>) -> Self {
        self.place = Some(place.into());
        self
    }

    pub(super) fn expecting(mut self, expected: impl Into<Cow<'static, str>>) -> Self {
        self.expected = Some(expected.into());
        self
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable(_) => Self::unavailable(error.to_string()),
            ReadError::Damaged { .. } => Self::internal(error.to_string()),
        }
    }
}

impl From<EngineError> for ApiError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Read(error) => error.into(),
            EngineError::Unavailable(_) => Self::unavailable(error.to_string()),
            EngineError::Journal { .. } | EngineError::TooLarge { .. } => Self::internal(error.to_string()),
        }
    }
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        let status = match error {
            StartError::UnknownPipeline(_) => StatusCode::INTERNAL_SERVER_ERROR,
            StartError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            StartError::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::new(status, error.to_string())
    }
}

impl From<ResolveError> for ApiError {
    fn from(error: ResolveError) -> Self {
        match error {
            ResolveError::UnknownRun(_) => Self::not_found(error.to_string()),
            ResolveError::Ambiguous { .. } | ResolveError::Refused(_) => Self::conflict(error.to_string()),
            ResolveError::Invalid(message) => Self::new(StatusCode::BAD_REQUEST, message),
            ResolveError::Engine(error) => error.into(),
        }
    }
}

impl From<DocumentError> for ApiError {
    fn from(error: DocumentError) -> Self {
        Self::unavailable(error.to_string())
    }
}

impl From<SecretsError> for ApiError {
    fn from(error: SecretsError) -> Self {
        let message = format!("secrets of tenants cannot be used: {error}");
        match error {
            SecretsError::NoKey => Self::unavailable(message).expecting("`seal_key` in [secrets] of the host's configuration"),
            SecretsError::Unavailable(_) => Self::unavailable(message),
            SecretsError::TooLong { .. } | SecretsError::Unknown => Self::internal(message),
        }
    }
}

impl From<RemovalError> for ApiError {
    fn from(error: RemovalError) -> Self {
        match error {
            RemovalError::Engine(error) => error.into(),
            RemovalError::Documents(error) => error.into(),
            RemovalError::Refused(message) => Self::new(StatusCode::BAD_REQUEST, message),
        }
    }
}

impl From<CredentialError> for ApiError {
    fn from(error: CredentialError) -> Self {
        let message = error.to_string();
        match error {
            CredentialError::Read => Self::new(StatusCode::GONE, message).expecting("a rotation first"),
            CredentialError::Rotating(_) | CredentialError::NotRotated(_) | CredentialError::NotReady => Self::conflict(message),
            CredentialError::Unavailable(_) => Self::unavailable(message),
            CredentialError::Secrets(error) => error.into(),
            CredentialError::Start(error) => error.into(),
            CredentialError::Engine(error) => error.into(),
            CredentialError::Documents(error) => error.into(),
            CredentialError::Internal(_) => Self::internal(message),
        }
    }
}

impl From<SignUpError> for ApiError {
    fn from(error: SignUpError) -> Self {
        let message = error.to_string();
        match error {
            SignUpError::Invalid { place, what: _, expected } => Self::bad(place, message, expected),
            SignUpError::Taken(_) => Self::conflict(message).at("slug").expecting("another slug"),
            SignUpError::Full { .. } => Self::conflict(message).at("plan").expecting("another plan"),
            SignUpError::KeyUsed { .. } => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, message).at("Idempotency-Key").expecting("the same body or another key")
            }
            SignUpError::TooMany { wait, .. } => {
                let refused = Self::new(StatusCode::TOO_MANY_REQUESTS, message);
                Self { retry_after: Some(wait.as_secs() + 1), ..refused }
            }
            SignUpError::Secrets(error) => error.into(),
            SignUpError::Material(_) => Self::unavailable(message),
            SignUpError::Start(error) => error.into(),
            SignUpError::Engine(error) => error.into(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { status, message, place, expected, retry_after } = self;
        let mut body = json!({ "error": message });
        if let Some(place) = place {
            body["where"] = place.into();
        }
        if let Some(expected) = expected {
            body["expected"] = expected.into();
        }
        let mut response = (status, Json(body)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
