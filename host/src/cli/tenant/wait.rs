//! Waiting for a tenant until it has come to rest, and no longer than somebody wants to wait.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Wait, path, show::text};
use crate::cli::{client::Client, output};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// Tells what was begun with a tenant, and what came of it where that is wanted. Only the states in `done` are what was wanted.
pub(super) async fn after(client: &Client, id: &str, wait: Wait, done: &[&str], begun: &Value, json: bool, doing: &str) -> anyhow::Result<ExitCode> {
    if !wait.wait {
        if json {
            output::say_json(begun)?;
        } else {
            output::say(&format!("tenant {id} {doing}"))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (mut progress, since) = (output::Progress::new(), Instant::now());
    // Something that was only begun may not show yet.
    let before = begun["removal"].is_string() || begun["fallouts"].is_array();
    let tenant = loop {
        let tenant: Value = client.get(&path(id, "")).await?.json()?;
        let state = output::cell(&tenant["state"]);
        let settled = match state.as_str() {
            "provisioning" | "removing" => false,
            "ready" if before && !done.contains(&"ready") => false,
            "held" | "manual_cleanup_required" => !before || since.elapsed() > Duration::from_secs(2),
            _ => true,
        };
        if settled {
            break tenant;
        }
        if since.elapsed() >= Duration::from_secs(wait.timeout) {
            progress.end();
            anyhow::bail!("tenant {id} is {state} after {} s; it goes on by itself, `jackfield tenant show {id}` says where it is", wait.timeout);
        }
        progress.show(&format!("{state}: {}", under_way(&tenant)));
        tokio::time::sleep(PAUSE).await;
    };
    progress.end();
    if json {
        output::say_json(&tenant)?;
    } else {
        output::say(&text(&tenant))?;
    }
    Ok(if tenant["state"].as_str().is_some_and(|state| done.contains(&state)) { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The steps that are being worked on.
fn under_way(tenant: &Value) -> String {
    let steps = tenant["steps"].as_array().into_iter().flatten();
    let busy = steps.filter(|step| matches!(step["state"].as_str(), Some("running" | "retrying" | "pending" | "undoing")));
    busy.map(|step| format!("{} {}", output::cell(&step["step"]), output::cell(&step["state"]))).collect::<Vec<_>>().join(", ")
}
