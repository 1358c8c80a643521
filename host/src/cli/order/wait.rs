//! Waiting for an order: what the run records meanwhile is the progress that is shown.

use std::{process::ExitCode, time::Duration};

use serde_json::Value;

use super::{find, output};
use crate::cli::{
    client::{Client, encode},
    run::progress,
};

/// The pause between two looks. A person sees no difference below it, and a thousand waiting clients are no load.
const PAUSE: Duration = Duration::from_millis(300);

/// Looks at an order until it ends or is held, and returns it.
pub(super) async fn until_it_rests(client: &Client, id: &str) -> anyhow::Result<Value> {
    let mut progress = output::Progress::new();
    loop {
        let order = find(client, id).await?;
        if rests(&order) {
            progress.end();
            return Ok(order);
        }
        // The run of an order has the order's id.
        let summary: Value = client.get(&format!("/api/v1/runs/{}/summary", encode(id))).await?.json()?;
        progress.show(&progress::line(&summary));
        tokio::time::sleep(PAUSE).await;
    }
}

fn rests(order: &Value) -> bool {
    matches!(order["state"].as_str(), Some("held" | "completed" | "failed" | "cancelled") | None)
}

/// Success for a completed order; for a held one also what to type.
pub(super) fn exit_code(order: &Value) -> ExitCode {
    match order["state"].as_str() {
        Some("completed") => ExitCode::SUCCESS,
        Some("held") => {
            eprintln!("jackfield: the order waits for a person: `jackfield run show {}` says why and what can be done", output::cell(&order["id"]));
            ExitCode::from(1)
        }
        Some(_) | None => ExitCode::from(1),
    }
}
