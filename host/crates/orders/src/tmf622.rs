//! The TMF622 v4 interface: product orders are submitted, shown and listed.
//!
//! | method and path under `/tmf-api/productOrderingManagement/v4` | success |
//! |---|---|
//! | `POST /productOrder` | 201 when the order is durable; 200 when the same `Idempotency-Key` brought the same order before |
//! | `GET /productOrder/{id}?fields=` | 200 |
//! | `GET /productOrder?fields=&offset=&limit=&<attribute>=` | 200 with `X-Total-Count` and `X-Result-Count` |
//! | `GET /openapi.json` | 200, this interface as an OpenAPI 3.1 document |
//!
//! Every error has a TMF630 body that says what, where (a JSON path or the name of a parameter) and what was expected.

mod create;
mod error;
mod list;
mod lossless;
mod reply;
mod validate;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Path, RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::{api::Engine, port::Documents};
use pipeline::TenantName;

pub use self::error::ApiError;
use crate::projection::{BASE, COLLECTION, select};

/// The largest body of a request, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;

/// This interface as an OpenAPI document.
pub const OPENAPI: &str = include_str!("tmf622/openapi.json");

/// What the interface needs.
#[derive(Debug, Clone)]
pub struct Intake {
    /// Starts and shows runs.
    pub engine: Arc<dyn Engine>,
    /// The projected orders.
    pub documents: Arc<dyn Documents>,
    /// Whose orders come in here.
    pub tenant: TenantName,
    /// The order types of their own; see [`crate::Options::categories`].
    pub categories: Vec<String>,
}

/// The input of the pipeline for an order that is only looked at.
///
/// # Errors
///
/// The order would not be accepted.
pub fn pipeline_input(order: serde_json::Value, categories: &[String]) -> Result<serde_json::Value, ApiError> {
    validate::validate(&order)?;
    Ok(serde_json::json!(crate::OrderInput::read(order, categories)))
}

/// The routes, complete with their base path.
pub fn router(intake: Intake) -> Router {
    let routes = Router::new()
        .route("/productOrder", post(create::create).get(list::list))
        .route("/productOrder/{id}", get(show))
        .route("/openapi.json", get(openapi))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(no_such_path)
        .with_state(Arc::new(intake));
    Router::new().nest(BASE, routes)
}

async fn show(State(intake): State<Arc<Intake>>, Path(id): Path<String>, RawQuery(query): RawQuery) -> Result<Response, ApiError> {
    let fields = list::only_fields(query.as_deref())?;
    let found = intake.documents.get(COLLECTION, &id).await.map_err(ApiError::unreadable)?;
    let order = found.ok_or_else(|| ApiError::not_found(format!("there is no product order `{}`", shortened(&id))))?.body;
    Ok(reply::json(StatusCode::OK, &fields.map_or(order.clone(), |fields| select(order, &fields))))
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, reply::JSON)], OPENAPI).into_response()
}

async fn method_not_allowed() -> ApiError {
    ApiError::method_not_allowed()
}

async fn no_such_path() -> ApiError {
    ApiError::not_found(format!("there is no such path: expected {BASE}/productOrder or {BASE}/productOrder/{{id}}"))
}

/// Enough of what a client sent to recognise it.
fn shortened(text: &str) -> String {
    text.chars().take(64).collect()
}
