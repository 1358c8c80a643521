//! `GET /tenants/{id}/drift` and `POST /tenants/{id}/repair`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use engine::api::{Engine as _, Start};
use pipeline::PipelineName;
use serde_json::{Value, json};

use super::{Api, ApiError, begun, manage::run_of};
use crate::{
    drift::{Found, drift as look},
    input::{RepairInput, RepairItem},
    repair_pipeline::{REPAIR_PIPELINE, REPAIRED_STEPS},
};

pub(super) async fn drift(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let (_, found) = api.look(&id).await?;
    let differs = found.iter().any(Found::differs);
    let resources: Vec<Value> = found.iter().map(Found::shown).collect();
    Ok(Json(json!({ "id": id, "drift": differs, "resources": resources })).into_response())
}

pub(super) async fn repair(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let (tenant, found) = api.look(&id).await?;
    if tenant["active"] != true {
        return Err(ApiError::conflict(format!("tenant {id} is {}: only what is active is repaired", tenant["state"].as_str().unwrap_or_default())));
    }
    let (wanted, other): (Vec<Found>, Vec<Found>) =
        found.into_iter().filter(Found::differs).partition(|found| found.can_be_made_again() && REPAIRED_STEPS.contains(&found.step.as_str()));
    let left: Vec<Value> = other.iter().map(Found::shown).collect();
    if wanted.is_empty() {
        return Ok(Json(json!({ "id": id, "run": null, "repairs": [], "left": left })).into_response());
    }
    let text = |field: &str| tenant[field].as_str().unwrap_or_default().to_owned();
    let repairs: Vec<Value> = wanted.iter().map(Found::shown).collect();
    let items = wanted.into_iter().map(|found| RepairItem { step: found.step, label: found.label, request: found.request }).collect();
    let input = RepairInput { id: text("id"), slug: text("slug"), plan: text("plan"), region: text("region"), items };
    let start = Start {
        tenant: api.service.clone(),
        pipeline: PipelineName::new(REPAIR_PIPELINE).expect("the pipeline's name is a valid name"),
        input: json!(input),
        idempotency_key: None,
        trace: None,
    };
    let started = api.driver.start(start).await?;
    Ok(begun(&json!({ "id": id, "run": started.run, "repairs": repairs, "left": left })))
}

impl Api {
    /// Compares what was made with what is there.
    async fn look(&self, id: &str) -> Result<(Value, Vec<Found>), ApiError> {
        let tenant = self.tenant(id).await?;
        let run = run_of(&tenant)?;
        let view = self.driver.query(&run).await?.ok_or_else(|| ApiError::not_found(format!("run {run} of tenant {id} is not known")))?;
        let found = look(&*self.runner, &crate::definition(&self.options), &view.run).await;
        Ok((tenant, found))
    }
}
