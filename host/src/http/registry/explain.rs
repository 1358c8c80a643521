//! `POST /api/v1/bindings/explain`: which plugin each step of an order would get, and why.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use pipeline::{PipelineName, TenantName};
use serde::Deserialize;
use serde_json::Value;

use super::{bad, refused};
use crate::registry::Registry;

#[derive(Clone)]
struct Explain {
    registry: Arc<Registry>,
    tenant: TenantName,
    categories: Arc<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    order: Value,
    run: Option<String>,
}

pub(super) fn router(registry: Arc<Registry>, tenant: TenantName, categories: Vec<String>) -> Router {
    let explain = Explain { registry, tenant, categories: Arc::new(categories) };
    Router::new().route("/api/v1/bindings/explain", post(answer)).with_state(explain)
}

async fn answer(State(explain): State<Explain>, body: String) -> Response {
    let Question { order, run } = match serde_json::from_str(&body) {
        Ok(question) => question,
        Err(error) => return bad(&format!("the request cannot be read: {error}")),
    };
    let input = match orders::tmf622::pipeline_input(order, &explain.categories) {
        Ok(input) => input,
        Err(error) => return error.into_response(),
    };
    let pipeline = PipelineName::new(orders::PIPELINE).expect("the pipeline's name is a valid name");
    match explain.registry.preview(&explain.tenant, &pipeline, input, run.as_deref()) {
        Ok(steps) => Json(steps).into_response(),
        Err(error) => refused(&error),
    }
}
