//! `GET /tenants/stats`: how long the steps of sign-ups take, and which of them fail most.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use engine::port::{DocumentPage, DocumentQuery};
use serde_json::{Value, json};

use super::{Api, ApiError, manage::number};
use crate::{projection::TENANT_COLLECTION, sign_up::shown};

/// How far back is looked unless the client says otherwise: a week, in microseconds.
const WEEK: u64 = 7 * 24 * 3_600 * 1_000_000;

/// How many tenants are looked at, at most: the newest ones.
const MAX_TENANTS: u64 = 50_000;
const PAGE: u64 = 2_000;

/// What became of many sign-ups.
#[derive(Default)]
struct Sums {
    tenants: u64,
    states: BTreeMap<String, u64>,
    steps: BTreeMap<String, Step>,
}

/// What became of the steps of one name.
#[derive(Default)]
struct Step {
    /// How long it took where it was done, in microseconds.
    took: Vec<u64>,
    attempts: u64,
    /// How many sign-ups ended, or are held, because of it.
    failed: u64,
    errors: BTreeMap<String, u64>,
}

pub(super) async fn stats(State(api): State<Arc<Api>>, Query(query): Query<BTreeMap<String, String>>) -> Result<Response, ApiError> {
    let now = api.clock.now().0;
    let mut since = now.saturating_sub(WEEK);
    for (name, value) in &query {
        match name.as_str() {
            "since" => since = number("since", value, 0, u64::MAX)?,
            _ => return Err(ApiError::bad("query", format!("the parameter {} is not known: expected since", shown(name)), "since")),
        }
    }
    let sums = sums(&api, since).await?;
    let most_failing = sums.steps.iter().filter(|(_, step)| step.failed > 0).max_by_key(|(_, step)| step.failed).map(|(name, _)| name.clone());
    let steps: Vec<Value> = sums.steps.into_iter().map(|(name, step)| told(&name, step)).collect();
    let slowest = steps.iter().filter(|step| step["done"] != 0).max_by_key(|step| step["p95_ms"].as_u64()).map(|step| step["step"].clone());
    let body = json!({
        "since": since,
        "until": now,
        "tenants": sums.tenants,
        "states": sums.states,
        "steps": steps,
        "most_failing": most_failing,
        "slowest": slowest,
    });
    Ok(Json(body).into_response())
}

async fn sums(api: &Api, since: u64) -> Result<Sums, ApiError> {
    let (mut sums, mut offset) = (Sums::default(), 0);
    while offset < MAX_TENANTS {
        let query = DocumentQuery { collection: TENANT_COLLECTION, equal: Vec::new(), offset, limit: PAGE };
        let DocumentPage { documents, total } = api.documents.find(query).await?;
        for document in documents {
            // The newest come first.
            if document.rank < since {
                return Ok(sums);
            }
            sums.add(&document.body);
        }
        offset += PAGE;
        if offset >= total {
            break;
        }
    }
    Ok(sums)
}

impl Sums {
    fn add(&mut self, tenant: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        self.tenants += 1;
        *self.states.entry(text(&tenant["state"])).or_default() += 1;
        for shown in tenant["steps"].as_array().into_iter().flatten() {
            let step = self.steps.entry(text(&shown["step"])).or_default();
            step.attempts += shown["attempts"].as_u64().unwrap_or(0);
            if let (Some(since), Some(until), true) = (shown["since"].as_u64(), shown["until"].as_u64(), shown["state"] != "skipped") {
                step.took.push(until.saturating_sub(since));
            }
        }
        if let Some(name) = tenant["error"]["step"].as_str() {
            let step = self.steps.entry(name.to_owned()).or_default();
            step.failed += 1;
            *step.errors.entry(text(&tenant["error"]["type"])).or_default() += 1;
        }
    }
}

fn told(name: &str, step: Step) -> Value {
    let Step { mut took, attempts, failed, errors } = step;
    took.sort_unstable();
    // The nearest rank: the smallest figure that so many of a hundred do not exceed.
    let percentile = |percent: usize| took.get((took.len() * percent).div_ceil(100).saturating_sub(1)).map(|micros| micros / 1_000);
    json!({
        "step": name,
        "done": took.len(),
        "attempts": attempts,
        "failed": failed,
        "errors": errors,
        "p50_ms": percentile(50),
        "p95_ms": percentile(95),
        "max_ms": percentile(100),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_steps_that_were_done() {
        let took = (1..=100).rev().map(|ms| ms * 1_000).collect();
        let shown = told("dns", Step { took, attempts: 130, ..Step::default() });
        assert_eq!((&shown["p50_ms"], &shown["p95_ms"], &shown["max_ms"]), (&json!(50), &json!(95), &json!(100)));
        assert_eq!(told("dns", Step::default())["p50_ms"], Value::Null);
    }
}
