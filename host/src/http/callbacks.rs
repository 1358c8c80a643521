//! Callbacks: events from outside for runs that wait. A sender proves itself by the one-time token in the address that it was given, or, where the operator
//! gave it a key, by a signature over the message (Standard Webhooks 1.0.0) and the name of the operation, which is no secret.

mod signed;

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use engine::{
    Driver,
    api::{Engine, EngineError, SignalAnswer},
    port::Documents,
};
use pipeline::MAX_CROSSING_BYTES;

pub(crate) use self::signed::Keys;

/// What callbacks are delivered with.
#[derive(Clone)]
struct Callbacks {
    driver: Arc<Driver>,
    documents: Arc<dyn Documents>,
    /// By the name of the provider, the keys that its messages may be signed with.
    keys: Arc<BTreeMap<String, Keys>>,
}

/// `POST /callbacks/{token}`, and `POST /callbacks/{operation}` with a signature; a text body of at most 16 KiB.
pub(crate) fn router(driver: Arc<Driver>, documents: Arc<dyn Documents>, keys: BTreeMap<String, Keys>) -> Router {
    let state = Callbacks { driver, documents, keys: Arc::new(keys) };
    Router::new().route("/callbacks/{address}", post(receive)).layer(DefaultBodyLimit::max(MAX_CROSSING_BYTES + 1)).with_state(state)
}

async fn receive(State(callbacks): State<Callbacks>, Path(address): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let token = if signed::is_signed(&headers) {
        match callbacks.verified(&address, &headers, &body).await {
            Ok(token) => token,
            Err(refused) => return refused,
        }
    } else {
        address
    };
    let Ok(body) = String::from_utf8(body.into()) else { return (StatusCode::BAD_REQUEST, "the body is no text in UTF-8\n").into_response() };
    match callbacks.driver.signal(&token, body).await {
        // A repeated delivery gets the answer of the first: senders retry until they hear 2xx.
        Ok(SignalAnswer::Accepted | SignalAnswer::AlreadyUsed) => StatusCode::ACCEPTED.into_response(),
        Ok(SignalAnswer::TooLate) => (StatusCode::GONE, "nothing waits for this callback any more\n").into_response(),
        Ok(SignalAnswer::Unknown) => unknown(),
        Err(error) => failed(&error),
    }
}

fn unknown() -> Response {
    (StatusCode::NOT_FOUND, "no such callback was ever asked for\n").into_response()
}

fn failed(error: &EngineError) -> Response {
    let status = match error {
        EngineError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        EngineError::Read(_) | EngineError::Unavailable(_) | EngineError::Journal { .. } => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{error}\n")).into_response()
}
