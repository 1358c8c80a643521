//! `POST /api/v1/runs/{id}/undo`: takes back what a run did that is over.

use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use engine::UndoError;
use pipeline::RunId;
use serde::Deserialize;

use super::{Runs, bad, not_found, signed};
use crate::http::{
    auth::Caller,
    problem::{problem, unreadable},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Undo {
    by: Option<String>,
    #[serde(default)]
    note: String,
}

pub(super) async fn undo(State(runs): State<Runs>, Extension(Caller(caller)): Extension<Caller>, Path(id): Path<String>, body: String) -> Response {
    let Ok(run) = RunId::new(&id) else { return not_found(&id) };
    let Undo { by, note } = match serde_json::from_str(&body) {
        Ok(undo) => undo,
        Err(error) => return bad(&format!("the request cannot be read: {error}")),
    };
    match runs.driver.undo_ended(&run, &signed(by, caller), &note).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(UndoError::UnknownRun(run)) => not_found(run.as_str()),
        Err(error @ UndoError::Invalid(_)) => bad(&error.to_string()),
        Err(error @ UndoError::Refused(_)) => problem(StatusCode::CONFLICT, &error.to_string()),
        Err(UndoError::Engine(error)) => unreadable(&error),
    }
}
