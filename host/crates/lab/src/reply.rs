//! Answers of back ends.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

/// Why a request is refused.
pub(crate) type Refusal = (StatusCode, String);

/// A JSON answer of a media type.
pub(crate) fn typed(status: StatusCode, media_type: &'static str, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, media_type)], body.to_string()).into_response()
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &Value) -> Response {
    typed(status, "application/json", body)
}

/// An error in the form of systems that follow no standard.
pub(crate) fn error(status: StatusCode, message: impl Into<String>) -> Response {
    json(status, &json!({ "error": message.into() }))
}

/// A body as JSON.
pub(crate) fn parse(body: &str) -> Result<Value, Refusal> {
    serde_json::from_str(body).map_err(|error| (StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}")))
}

/// A body as a JSON object, which is such a thing.
pub(crate) fn parse_object(body: &str, what: &str) -> Result<Value, Refusal> {
    let document = parse(body)?;
    if document.is_object() { Ok(document) } else { Err((StatusCode::BAD_REQUEST, format!("the body is no {what}: expected an object"))) }
}

/// An error in the form of TMF630.
pub(crate) fn tmf_error(status: StatusCode, message: impl Into<String>) -> Response {
    let reason = status.canonical_reason().unwrap_or("Error");
    json(status, &json!({ "code": status.as_str(), "reason": reason, "message": message.into(), "status": status.as_str() }))
}

/// One attribute of a query string, decoded.
pub(crate) fn query_value(query: Option<&str>, key: &str) -> Option<String> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| *name == key).map(|(_, value)| decode(value))
}

/// Percent-decoding; what is not valid stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut position = 0;
    while let Some(&byte) = bytes.get(position) {
        let digits = bytes.get(position + 1..position + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| byte == b'%') {
            Some(value) => (decoded.push(value), position += 3).1,
            None => (decoded.push(byte), position += 1).1,
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
