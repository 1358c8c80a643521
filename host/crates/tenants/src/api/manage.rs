//! Tenants as they are shown, listed, tried again and taken away.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use engine::{
    api::{Decision, Engine as _},
    port::{DocumentPage, DocumentQuery},
};
use pipeline::{Resolution, RunId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, ApiError, Body, By, begun, by};
use crate::{
    projection::{CERTIFICATE_COLLECTION, REPAIR_COLLECTION, TENANT_COLLECTION, TenantState},
    removal::Removal,
    sign_up::shown,
};

/// How many tenants a page has unless the client says otherwise, and at most.
const DEFAULT_LIMIT: u64 = 20;
const MAX_LIMIT: u64 = 200;

/// The deepest offset. The store counts through skipped rows.
const MAX_OFFSET: u64 = 1_000_000;

/// How many of its last repairs are shown with a tenant.
const REPAIRS: u64 = 10;

/// What a list of tenants can be filtered by.
const FILTERS: [&str; 4] = ["state", "plan", "slug", "region"];

/// What of a tenant is in a list.
const LISTED: [&str; 11] = ["id", "run", "slug", "name", "plan", "region", "domain", "state", "active", "since", "changed"];

pub(super) async fn list(State(api): State<Arc<Api>>, Query(query): Query<BTreeMap<String, String>>) -> Result<Response, ApiError> {
    let query = wanted(query)?;
    let (offset, limit) = (query.offset, query.limit);
    let DocumentPage { documents, total } = api.documents.find(query).await?;
    let tenants: Vec<Value> = documents.into_iter().map(|document| listed(&document.body)).collect();
    Ok(Json(json!({ "tenants": tenants, "total": total, "offset": offset, "limit": limit })).into_response())
}

fn listed(body: &Value) -> Value {
    let fields = LISTED.iter().filter(|field| !body[**field].is_null()).map(|field| ((*field).to_owned(), body[*field].clone()));
    let mut listed = Value::Object(fields.collect());
    if body["error"].is_object() {
        listed["error"] = json!({ "step": body["error"]["step"], "type": body["error"]["type"] });
    }
    listed
}

fn wanted(query: BTreeMap<String, String>) -> Result<DocumentQuery, ApiError> {
    let mut wanted = DocumentQuery { collection: TENANT_COLLECTION, equal: Vec::new(), offset: 0, limit: DEFAULT_LIMIT };
    for (name, value) in query {
        match name.as_str() {
            "offset" => wanted.offset = number("offset", &value, 0, MAX_OFFSET)?,
            "limit" => wanted.limit = number("limit", &value, 1, u64::MAX)?.min(MAX_LIMIT),
            "state" if TenantState::of_name(&value).is_none() => {
                let names = TenantState::ALL.map(TenantState::as_str).join(", ");
                return Err(ApiError::bad("state", format!("there is no state {}: expected one of {names}", shown(&value)), names));
            }
            known if FILTERS.contains(&known) => wanted.equal.push((name, value)),
            _ => {
                let names = format!("offset, limit, {}", FILTERS.join(", "));
                return Err(ApiError::bad("query", format!("the parameter {} is not known: expected {names}", shown(&name)), names));
            }
        }
    }
    Ok(wanted)
}

pub(super) fn number(name: &'static str, value: &str, least: u64, most: u64) -> Result<u64, ApiError> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    let expected = format!("a whole number from {least}");
    number.ok_or_else(|| ApiError::bad(name, format!("{name} is {}: expected {expected}", shown(value)), expected))
}

pub(super) async fn show(State(api): State<Arc<Api>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    Ok(Json(api.shown(&id).await?).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirmation {
    slug: String,
    #[serde(default)]
    note: String,
}

/// Takes a tenant away. Whoever names the slug knows whose everything is about to go.
pub(super) async fn remove(
    State(api): State<Arc<Api>>,
    caller: Option<Extension<By>>,
    Path(id): Path<String>,
    Body(Confirmation { slug, note }): Body<Confirmation>,
) -> Result<Response, ApiError> {
    let tenant = api.tenant(&id).await?;
    if tenant["slug"] != slug.as_str() {
        let expected = "the slug of the tenant, to be sure that it is the one";
        return Err(ApiError::bad("slug", format!("{} is not the slug of tenant {id}: expected {expected}", shown(&slug)), expected));
    }
    let run = run_of(&tenant)?;
    let removal = match api.remover.remove(&id, &run, &by(caller), &note).await? {
        Removal::Begun => "begun",
        Removal::Later => "later",
        Removal::Nothing => "nothing",
    };
    Ok(begun(&json!({ "id": id, "run": run, "removal": removal })))
}

/// Tries again what a person is needed for: a step that failed after activation, or something that could not be taken away.
pub(super) async fn retry(State(api): State<Arc<Api>>, caller: Option<Extension<By>>, Path(id): Path<String>) -> Result<Response, ApiError> {
    let run = run_of(&api.tenant(&id).await?)?;
    let view = api.driver.query(&run).await?.ok_or_else(|| ApiError::not_found(format!("run {run} of tenant {id} is not known")))?;
    let open: Vec<u32> = view.run.open_fallouts().map(|fallout| fallout.opened.id).collect();
    if open.is_empty() {
        return Err(ApiError::conflict(format!("tenant {id} waits for nobody: there is nothing to try again")));
    }
    let by = by(caller);
    for fallout in &open {
        let decision = Decision { run: run.clone(), fallout: Some(*fallout), resolution: Resolution::Retry, by: by.clone(), note: String::new() };
        api.driver.resolve(decision).await?;
    }
    Ok(begun(&json!({ "id": id, "run": run, "fallouts": open })))
}

/// The run that made a tenant.
pub(super) fn run_of(tenant: &Value) -> Result<RunId, ApiError> {
    let run = tenant["run"].as_str().unwrap_or_default();
    RunId::new(run).map_err(|error| ApiError::internal(format!("the document of the tenant names no run: {error}")))
}

impl Api {
    /// The document of a tenant.
    pub(super) async fn tenant(&self, id: &str) -> Result<Value, ApiError> {
        let found = self.documents.get(TENANT_COLLECTION, id).await?;
        found.map(|document| document.body).ok_or_else(|| ApiError::not_found(format!("there is no tenant {}", shown(id))))
    }

    /// A tenant with everything that is known of it.
    pub(super) async fn shown(&self, id: &str) -> Result<Value, ApiError> {
        let mut tenant = self.tenant(id).await?;
        timings(&mut tenant);
        if let Some(renewed) = self.documents.get(CERTIFICATE_COLLECTION, id).await? {
            // A certificate that a run of its own has fetched is newer than that of the sign-up.
            if renewed.body["state"] == "done" && tenant["active"] == true {
                tenant["certificate"] = renewed.body["certificate"].clone();
            }
            tenant["renewal"] = json!({ "run": renewed.body["run"], "state": renewed.body["state"] });
            if renewed.body["error"].is_object() {
                tenant["renewal"]["error"] = renewed.body["error"].clone();
            }
        }
        let equal = vec![("tenant".to_owned(), id.to_owned())];
        let repairs = self.documents.find(DocumentQuery { collection: REPAIR_COLLECTION, equal, offset: 0, limit: REPAIRS }).await?;
        if !repairs.documents.is_empty() {
            tenant["repairs"] = repairs.documents.into_iter().map(|document| document.body).collect();
        }
        Ok(tenant)
    }
}

/// How long each step took, and which took longest: why a sign-up took as long as it did.
fn timings(tenant: &mut Value) {
    let (mut slowest, mut last) = (None, None);
    for step in tenant["steps"].as_array_mut().into_iter().flatten().filter(|step| step["state"] != "skipped") {
        let (Some(since), Some(until)) = (step["since"].as_u64(), step["until"].as_u64()) else { continue };
        let took = until.saturating_sub(since) / 1_000;
        step["took_ms"] = took.into();
        slowest = slowest.max(Some((took, step["step"].as_str().unwrap_or_default().to_owned())));
        last = last.max(Some(until));
    }
    if let Some((took, step)) = slowest {
        tenant["slowest"] = json!({ "step": step, "took_ms": took });
    }
    if let (Some(until), Some(since)) = (last, tenant["since"].as_u64()) {
        tenant["took_ms"] = (until.saturating_sub(since) / 1_000).into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timings_say_which_step_took_longest() {
        let steps = json!([
            {"step": "database", "state": "done", "since": 1_000_000, "until": 1_020_000},
            {"step": "dns", "state": "done", "since": 1_000_000, "until": 241_000_000},
            {"step": "seed_data", "state": "skipped", "since": 0, "until": 900_000_000},
            {"step": "activate", "state": "running", "since": 241_000_000},
        ]);
        let mut tenant = json!({"since": 1_000_000, "steps": steps});
        timings(&mut tenant);
        assert_eq!((&tenant["slowest"], &tenant["took_ms"]), (&json!({"step": "dns", "took_ms": 240_000}), &json!(240_000)));
        assert_eq!(tenant["steps"][0]["took_ms"], 20);
    }
}
