//! Answers in the media type of TMF622.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// The media type that TMF622 v4 names.
pub(super) const JSON: &str = "application/json;charset=utf-8";

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("JSON values and error bodies have only text keys");
    (status, [(header::CONTENT_TYPE, JSON)], body).into_response()
}
