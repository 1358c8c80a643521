//! `POST /api/v1/bindings/explain`: which plugin each step of an order would get, or each step of the provisioning of a device, and why.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::post,
};
use pipeline::{PipelineName, TenantName};
use serde::Deserialize;
use serde_json::{Value, json};

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
    /// A product order.
    order: Option<Value>,
    /// A device as it names itself: `manufacturer`, `oui`, `product-class`, `serial`, `model`, `root`. What is not said is empty.
    device: Option<cpe::flow::Device>,
    run: Option<String>,
}

pub(super) fn router(registry: Arc<Registry>, tenant: TenantName, categories: Vec<String>) -> Router {
    let explain = Explain { registry, tenant, categories: Arc::new(categories) };
    Router::new().route("/api/v1/bindings/explain", post(answer)).with_state(explain)
}

async fn answer(State(explain): State<Explain>, body: String) -> Response {
    let Question { order, device, run } = match serde_json::from_str(&body) {
        Ok(question) => question,
        Err(error) => return bad(&format!("the request cannot be read: {error}")),
    };
    let (pipeline, input) = match (order, device) {
        (Some(order), None) => match orders::tmf622::pipeline_input(order, &explain.categories) {
            Ok(input) => (orders::PIPELINE, input),
            Err(error) => return error.into_response(),
        },
        (None, Some(device)) => (cpe::flow::PIPELINE, provisioning(&device)),
        (Some(_), Some(_)) | (None, None) => return bad("expected either `order` or `device`"),
    };
    let pipeline = PipelineName::new(pipeline).expect("the names of the pipelines are valid names");
    match explain.registry.preview(&explain.tenant, &pipeline, input, run.as_deref()) {
        Ok(steps) => Json(steps).into_response(),
        Err(error) => refused(&error),
    }
}

/// What a provisioning of a device begins with, as far as it decides about bindings.
fn provisioning(device: &cpe::flow::Device) -> Value {
    json!({"id": "", "device": device, "trigger": "operator", "model-label": ""})
}
