//! Runs explained: what a run does and waits for, and its trace, both computed from its journal.

mod summary;
mod trace;

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use engine::{
    Driver,
    api::{Engine, RunView},
    port::{Clock, Journal, SystemClock},
};
use pipeline::{Definition, RunId};
use serde_json::Value;
use store_sqlite::Store;

use super::problem::{problem, unreadable};

/// What an explanation is made of.
#[derive(Debug, Clone)]
struct Inspect {
    driver: Arc<Driver>,
    store: Arc<Store>,
    definitions: Arc<Vec<Arc<Definition>>>,
}

/// `/api/v1/runs/{id}/summary`, `/api/v1/runs/{id}/trace`.
pub(crate) fn router(driver: Arc<Driver>, store: Arc<Store>, definitions: Vec<Arc<Definition>>) -> Router {
    Router::new().route("/api/v1/runs/{id}/summary", get(summary)).route("/api/v1/runs/{id}/trace", get(trace)).with_state(Inspect {
        driver,
        store,
        definitions: Arc::new(definitions),
    })
}

async fn summary(State(inspect): State<Inspect>, Path(id): Path<String>) -> Response {
    let (view, definition) = match inspect.find(&id).await {
        Ok(found) => found,
        Err(refused) => return refused,
    };
    match inspect.store.row(view.run.id()).await {
        Ok(row) => Json(summary::summary(&definition, &view.run, row.as_ref())).into_response(),
        Err(error) => problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
    }
}

async fn trace(State(inspect): State<Inspect>, Path(id): Path<String>) -> Response {
    let (view, definition) = match inspect.find(&id).await {
        Ok(found) => found,
        Err(refused) => return refused,
    };
    // The fold of a long journal takes a while, and this thread has others to serve.
    let traced: Result<Result<Value, _>, _> = tokio::task::spawn_blocking(move || trace::trace(&definition, &view, SystemClock.now())).await;
    match traced {
        Ok(Ok(trace)) => Json(trace).into_response(),
        Ok(Err(illegal)) => problem(StatusCode::INTERNAL_SERVER_ERROR, &format!("the journal of run {id} cannot be read: {illegal}")),
        Err(_) => problem(StatusCode::INTERNAL_SERVER_ERROR, "the trace was not finished"),
    }
}

impl Inspect {
    /// The run with the definition that it began with.
    async fn find(&self, id: &str) -> Result<(RunView, Arc<Definition>), Response> {
        let unknown = || problem(StatusCode::NOT_FOUND, &format!("there is no run `{id}`"));
        let run = RunId::new(id).map_err(|_| unknown())?;
        let view = self.driver.query(&run).await.map_err(|error| unreadable(&error))?.ok_or_else(unknown)?;
        let started = view.run.started();
        let known = self.definitions.iter().find(|known| known.name == started.pipeline && known.version == started.version);
        let definition = known.cloned().ok_or_else(|| {
            problem(
                StatusCode::NOT_IMPLEMENTED,
                &format!("run {id} is of pipeline `{}` version {}, which this host does not know", started.pipeline, started.version),
            )
        })?;
        Ok((view, definition))
    }
}
