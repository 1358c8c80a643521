//! The admin API of runs: list, show, resolve, undo.

mod supplied;
mod undo;

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use engine::{
    Driver,
    api::{Decision, Engine, ResolveError},
    port::{Journal, ReadError, RunRow, RunState, Timers},
};
use pipeline::{Definition, Resolution, RunId};
use serde::Deserialize;
use serde_json::{Value, json};
use store_sqlite::Store;

use super::{
    auth::{Caller, signed},
    problem::{problem, unreadable},
};

/// The most rows of a page.
const MAX_ROWS: usize = 1000;

#[derive(Clone)]
struct Runs {
    driver: Arc<Driver>,
    store: Arc<Store>,
    definitions: Arc<Vec<Arc<Definition>>>,
}

/// `/api/v1/runs`, `/api/v1/runs/{id}`, `/api/v1/runs/{id}/resolve`, `/api/v1/runs/{id}/undo`.
pub(crate) fn router(driver: Arc<Driver>, store: Arc<Store>, definitions: Vec<Arc<Definition>>) -> Router {
    Router::new()
        .route("/api/v1/runs", get(list))
        .route("/api/v1/runs/{id}", get(show))
        .route("/api/v1/runs/{id}/resolve", post(resolve))
        .route("/api/v1/runs/{id}/undo", post(undo::undo))
        .with_state(Runs { driver, store, definitions: Arc::new(definitions) })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    state: Option<String>,
    after: Option<String>,
    limit: Option<usize>,
}

async fn list(State(runs): State<Runs>, query: Result<Query<ListQuery>, axum::extract::rejection::QueryRejection>) -> Response {
    let Ok(Query(query)) = query else { return bad("expected the parameters `state`, `after` and `limit`") };
    let after = match query.after.as_deref().map(RunId::new).transpose() {
        Ok(after) => after,
        Err(error) => return bad(&format!("after: {error}")),
    };
    let limit = query.limit.unwrap_or(100).clamp(1, MAX_ROWS);
    if query.state.as_deref() == Some("stuck") {
        return match runs.stuck(limit).await {
            Ok(stuck) => Json(stuck).into_response(),
            Err(error) => unavailable(&error.to_string()),
        };
    }
    let states = match query.state.as_deref() {
        None => RunState::ALL.to_vec(),
        Some(name) => match RunState::parse(name) {
            Some(state) => vec![state],
            None => return bad(&format!("state: `{name}` is none of active, waiting, held, ended, stuck")),
        },
    };
    let mut rows = Vec::new();
    for state in states {
        match runs.store.in_state(state, after.as_ref(), limit).await {
            Ok(found) => rows.extend(found),
            Err(error) => return unavailable(&error.to_string()),
        }
    }
    rows.sort_by(|a, b| a.run.cmp(&b.run));
    rows.truncate(limit);
    Json(rows.iter().map(|row| row_json(row, row.state.as_str())).collect::<Vec<_>>()).into_response()
}

impl Runs {
    /// The rows of stuck runs. Their journals are not looked at: a damaged one is a reason for being stuck.
    async fn stuck(&self, limit: usize) -> Result<Vec<Value>, ReadError> {
        let mut rows = Vec::new();
        for run in self.driver.stuck().await?.iter().take(limit) {
            rows.extend(self.store.row(run).await?.map(|row| row_json(&row, "stuck")));
        }
        Ok(rows)
    }
}

fn row_json(row: &RunRow, state: &str) -> Value {
    json!({
        "run": row.run,
        "pipeline": row.pipeline,
        "state": state,
        "detail": row.detail,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "wake_at": row.wake_at,
    })
}

async fn show(State(runs): State<Runs>, Path(id): Path<String>) -> Response {
    let Ok(id) = RunId::new(&id) else { return not_found(&id) };
    match runs.driver.query(&id).await {
        Ok(Some(view)) => {
            let fallouts: Vec<_> = view.run.open_fallouts().map(|fallout| json!(fallout.opened)).collect();
            Json(json!({"run": id, "state": view.run, "open_fallouts": fallouts, "records": view.records})).into_response()
        }
        Ok(None) => not_found(id.as_str()),
        Err(error) => unreadable(&error),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolve {
    fallout: Option<u32>,
    resolution: Resolution,
    by: Option<String>,
    #[serde(default)]
    note: String,
}

async fn resolve(State(runs): State<Runs>, Extension(Caller(caller)): Extension<Caller>, Path(id): Path<String>, body: String) -> Response {
    let Ok(run) = RunId::new(&id) else { return not_found(&id) };
    let Resolve { fallout, resolution, by, note } = match serde_json::from_str(&body) {
        Ok(resolve) => resolve,
        Err(error) => return bad(&format!("the decision cannot be read: {error}")),
    };
    if let Some(misfit) = runs.misfit(&run, fallout, &resolution).await {
        return bad(&misfit);
    }
    let decision = Decision { run, fallout, resolution, by: signed(by, caller), note };
    match runs.driver.resolve(decision).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(ResolveError::UnknownRun(run)) => not_found(run.as_str()),
        Err(error @ ResolveError::Invalid(_)) => bad(&error.to_string()),
        Err(ResolveError::Ambiguous { run, open: 0 }) => {
            problem(StatusCode::CONFLICT, &format!("run {run} has no open fallouts: there is nothing to decide"))
        }
        Err(error @ (ResolveError::Ambiguous { .. } | ResolveError::Refused(_))) => problem(StatusCode::CONFLICT, &error.to_string()),
        Err(ResolveError::Engine(error)) => unreadable(&error),
    }
}

impl Runs {
    /// What is wrong with what a person supplies. What cannot be looked at is left to the engine.
    async fn misfit(&self, run: &RunId, fallout: Option<u32>, resolution: &Resolution) -> Option<String> {
        if !matches!(resolution, Resolution::RetryWith(_) | Resolution::SkipWith(_)) {
            return None;
        }
        let view = self.driver.query(run).await.ok()??;
        let started = view.run.started();
        let definition = self.definitions.iter().find(|known| known.name == started.pipeline && known.version == started.version)?;
        supplied::misfit(definition, &view, fallout, resolution)
    }
}

fn bad(message: &str) -> Response {
    problem(StatusCode::BAD_REQUEST, message)
}

fn not_found(id: &str) -> Response {
    problem(StatusCode::NOT_FOUND, &format!("there is no run `{id}`"))
}

fn unavailable(message: &str) -> Response {
    problem(StatusCode::SERVICE_UNAVAILABLE, message)
}
