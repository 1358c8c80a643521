//! Health: is the process alive, can it take work, and in which shape is it.

use std::sync::Arc;

use axum::{
    Json, extract,
    http::{StatusCode, header},
    response::IntoResponse,
};
use engine::{Driver, port::Timers};
use package::TrustList;
use plugin_runtime::{Allocation, Runtime};
use serde_json::{Value, json};
use store_sqlite::Store;
use telemetry::Telemetry;

use crate::{
    registry::Registry,
    serve::{Devices, Host},
};

/// What health is read from.
#[derive(Debug, Clone)]
pub(crate) struct State {
    driver: Arc<Driver>,
    store: Arc<Store>,
    runtime: Runtime,
    telemetry: Arc<Telemetry>,
    registry: Arc<Registry>,
    trust: Arc<TrustList>,
    devices: Option<Arc<Devices>>,
}

impl State {
    pub(crate) fn new(host: &Host) -> Self {
        Self {
            driver: host.driver.clone(),
            store: host.store.clone(),
            runtime: host.runtime.clone(),
            telemetry: host.telemetry.clone(),
            registry: host.registry.clone(),
            trust: host.trust.clone(),
            devices: host.devices.clone(),
        }
    }
}

/// `GET /healthz`: the process is alive. The body says in which shape; it needs no token and holds no business data.
pub(crate) async fn healthz(extract::State(state): extract::State<State>) -> Json<Value> {
    let (plugins, left_alone) = state.registry.in_service();
    let mut health = json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "allocation": allocation(state.runtime.allocation()),
        "runs_in_memory": state.driver.driven(),
        "plugins": plugins,
        "endpoints_left_alone": left_alone,
        "unsigned_plugins": if state.trust.allows_unsigned() { "allowed" } else { "refused" },
        "telemetry": state.telemetry.health(),
    });
    if let Some(devices) = &state.devices {
        health["cpe"] = devices.health();
    }
    Json(health)
}

/// `GET /metrics`: all metrics in the Prometheus text format.
pub(crate) async fn metrics(extract::State(state): extract::State<State>) -> impl IntoResponse {
    let telemetry = state.telemetry.clone();
    let text = tokio::task::spawn_blocking(move || telemetry.metrics_text()).await.unwrap_or_default();
    ([(header::CONTENT_TYPE, Telemetry::metrics_content_type())], text)
}

/// Where the memory of plugins comes from.
fn allocation(allocation: Allocation) -> &'static str {
    match allocation {
        Allocation::Pooling => "pooling",
        Allocation::OnDemand => "on-demand",
    }
}

/// `GET /readyz`: 200 when work is taken, 503 while the store does not answer or the host drains.
pub(crate) async fn readyz(extract::State(state): extract::State<State>) -> (StatusCode, Json<Value>) {
    match (state.driver.is_stopping(), state.store.next().await) {
        (false, Ok(_)) => (StatusCode::OK, Json(json!({"status": "ready"}))),
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "draining"}))),
        (false, Err(error)) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "unavailable", "reason": error.to_string()}))),
    }
}
