//! Callbacks: events from outside for runs that wait. The one-time token in the path is all the proof there is, so nothing else is asked for.

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use engine::api::{Engine, EngineError, SignalAnswer};
use pipeline::MAX_CROSSING_BYTES;

/// `POST /callbacks/{token}` with a text body of at most 16 KiB.
pub(crate) fn router(engine: Arc<dyn Engine>) -> Router {
    Router::new().route("/callbacks/{token}", post(receive)).layer(DefaultBodyLimit::max(MAX_CROSSING_BYTES + 1)).with_state(engine)
}

async fn receive(State(engine): State<Arc<dyn Engine>>, Path(token): Path<String>, body: String) -> Response {
    match engine.signal(&token, body).await {
        // A repeated delivery gets the answer of the first: senders retry until they hear 2xx.
        Ok(SignalAnswer::Accepted | SignalAnswer::AlreadyUsed) => StatusCode::ACCEPTED.into_response(),
        Ok(SignalAnswer::TooLate) => (StatusCode::GONE, "nothing waits for this callback any more\n").into_response(),
        Ok(SignalAnswer::Unknown) => (StatusCode::NOT_FOUND, "no such callback was ever asked for\n").into_response(),
        Err(error @ EngineError::TooLarge { .. }) => (StatusCode::PAYLOAD_TOO_LARGE, format!("{error}\n")).into_response(),
        Err(error @ (EngineError::Read(_) | EngineError::Unavailable(_) | EngineError::Journal { .. })) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response()
        }
    }
}
