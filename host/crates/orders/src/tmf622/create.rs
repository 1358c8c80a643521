//! `POST /productOrder`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use engine::api::{EngineError, InboundTrace, RunView, Start, StartError, Started};
use http_body_util::BodyExt;
use pipeline::{Event, PipelineName, RunId};
use serde_json::{Value, json};

use super::{ApiError, Intake, MAX_BODY, lossless, reply, validate};
use crate::{
    input::OrderInput,
    order_pipeline::PIPELINE,
    projection::{COLLECTION, accepted, href},
};

/// The header under which a repeated POST finds the order of the first one.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// How much of a body that is too large is read all the same, in bytes.
const MAX_DISCARDED: usize = 16 * 1024 * 1024;

/// The longest idempotency key, in bytes: what the engine stores.
const MAX_KEY: usize = 256;

pub(super) async fn create(State(intake): State<Arc<Intake>>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let key = idempotency_key(&parts.headers)?;
    let order = read(&parts.headers, body).await?;
    validate::validate(&order)?;
    let start = Start {
        tenant: intake.tenant.clone(),
        pipeline: PipelineName::new(PIPELINE).expect("the pipeline's name is a valid name"),
        input: json!(OrderInput::read(order.clone(), &intake.categories)),
        idempotency_key: key,
        trace: inbound_trace(&parts.headers),
    };
    // From here on the order exists, whatever happens to the answer.
    let Started { run, created } = intake.engine.start(start).await.map_err(not_started)?;
    if created { Ok(show_accepted(&intake, &run, &order).await) } else { show_again(&intake, &run, &order).await }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Value, ApiError> {
    let media_type = headers.get(header::CONTENT_TYPE).map_or(Ok("application/json"), HeaderValue::to_str).unwrap_or("");
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::media_type(&super::shortened(media_type)));
    }
    let bytes = read_bytes(headers, body).await?;
    if bytes.is_empty() {
        return Err(ApiError::missing_body());
    }
    let order = serde_json::from_slice(&bytes).map_err(|error| ApiError::invalid_body(format!("the body cannot be read as JSON: {error}")))?;
    lossless::check(&bytes)?;
    Ok(order)
}

/// Reads a body up to the limit. Of one that is larger the rest is read and thrown away, within bounds: a client that is still sending would not see an
/// answer before it has finished.
async fn read_bytes(headers: &HeaderMap, mut body: Body) -> Result<Vec<u8>, ApiError> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok()).unwrap_or(0);
    let waits = headers.contains_key(header::EXPECT);
    if declared > MAX_DISCARDED || (declared > MAX_BODY && waits) {
        return Err(ApiError::too_large(MAX_BODY));
    }
    let (mut bytes, mut size) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| ApiError::invalid_body(format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        size += data.len();
        if size <= MAX_BODY {
            bytes.extend_from_slice(&data);
        } else if size > MAX_DISCARDED {
            break;
        }
    }
    if size > MAX_BODY { Err(ApiError::too_large(MAX_BODY)) } else { Ok(bytes) }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut given = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(first) = given.next() else { return Ok(None) };
    let expected = format!("is not valid: expected one value of 1 to {MAX_KEY} visible ASCII characters");
    let text = first.to_str().unwrap_or_default();
    if given.next().is_some() || text.is_empty() || text.len() > MAX_KEY {
        return Err(ApiError::invalid_header(IDEMPOTENCY_KEY, expected));
    }
    Ok(Some(text.to_owned()))
}

fn inbound_trace(headers: &HeaderMap) -> Option<InboundTrace> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    InboundTrace::parse(text("traceparent")?, text("tracestate").unwrap_or_default())
}

fn not_started(error: StartError) -> ApiError {
    match error {
        StartError::UnknownPipeline(_) => ApiError::internal(error.to_string()),
        StartError::TooLarge { limit, .. } => ApiError::too_large(limit),
        StartError::Unavailable(_) => ApiError::unavailable(error.to_string()),
    }
}

/// The order as it was accepted. It is durable, so the answer is 201 even when it cannot be read back: the client must not send it again.
async fn show_accepted(intake: &Intake, run: &RunId, order: &Value) -> Response {
    let started_at = match intake.engine.query(run).await {
        Ok(view) => view.map(|view| view.run.started_at()),
        Err(error) => {
            tracing::warn!(order = %run, %error, "the order was accepted but could not be read back at once");
            None
        }
    };
    let body = accepted(order, run, started_at);
    let mut response = reply::json(StatusCode::CREATED, &body);
    let location = HeaderValue::from_str(&href(run)).expect("a run id is made of hexadecimal digits and hyphens");
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// The order that an earlier POST with the same key made, if it was the same order.
async fn show_again(intake: &Intake, run: &RunId, order: &Value) -> Result<Response, ApiError> {
    let view = intake.engine.query(run).await.map_err(unreadable)?;
    let view = view.ok_or_else(|| ApiError::internal(format!("order {run} was started but is not known")))?;
    if posted(&view) != Some(order) {
        return Err(ApiError::conflict(format!("the key was used for another order, {run}: expected the same body or another key")));
    }
    let found = intake.documents.get(COLLECTION, run.as_str()).await.map_err(ApiError::unreadable)?;
    let body = found.map_or_else(|| accepted(order, run, Some(view.run.started_at())), |document| document.body);
    Ok(reply::json(StatusCode::OK, &body))
}

/// What was sent when the run started. A person may have given the run other input since.
fn posted(view: &RunView) -> Option<&Value> {
    let Event::RunStarted(started) = &view.records.first()?.event else { return None };
    started.input.get("order")
}

fn unreadable(error: EngineError) -> ApiError {
    match error {
        EngineError::Read(error) => ApiError::unreadable(error),
        EngineError::Unavailable(_) => ApiError::unavailable(error.to_string()),
        EngineError::Journal { .. } | EngineError::TooLarge { .. } => ApiError::internal(error.to_string()),
    }
}
