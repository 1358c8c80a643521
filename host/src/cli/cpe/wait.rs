//! Waiting for what was begun with a device.

use std::{process::ExitCode, time::Duration};

use serde_json::Value;

use super::{find, show::outcome};
use crate::cli::{client::Client, output};

/// The pause between two looks. A person sees no difference below it, and a thousand waiting clients are no load.
const PAUSE: Duration = Duration::from_millis(300);

/// Looks at a device until what was begun is over. Anything but done exits with 1.
pub(super) async fn until_it_is_over(client: &Client, device: &str, what: &str, begun: &Value, json: bool) -> anyhow::Result<ExitCode> {
    let mut progress = output::Progress::new();
    loop {
        let found = find(client, device).await?;
        let stands = if what == "provision" { found.clone() } else { command(&found, &begun["run"]) };
        let Some(done) = over(&stands, &begun["run"]) else {
            progress.show(if found["in-session"] == true { "the device is in session" } else { "waiting for the device" });
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        progress.end();
        if json {
            output::say_json(&stands)?;
        } else if done {
            output::say(format!("{what} of {device} is done\n{}", outcome(&stands["output"])).trim_end())?;
        } else {
            output::say(format!("{what} of {device}: {} {}", output::cell(&stands["state"]), output::cell(&stands["message"])).trim_end())?;
        }
        return Ok(if done { ExitCode::SUCCESS } else { ExitCode::from(1) });
    }
}

/// The command of that run among the last ones.
fn command(device: &Value, run: &Value) -> Value {
    let commands = device["commands"].as_array().map_or(&[][..], Vec::as_slice);
    commands.iter().find(|command| command["run"] == *run).cloned().unwrap_or_default()
}

/// Whether it is over, and then whether it is done. Of a run that another one took over from nobody hears any more.
fn over(stands: &Value, run: &Value) -> Option<bool> {
    if stands["run"] != *run {
        return None;
    }
    match stands["state"].as_str()? {
        "provisioned" | "done" => Some(true),
        "unverified" | "held" | "failed" | "cancelled" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_over_when_its_own_run_is() {
        let run = json!("r-1");
        let stands = |run: &str, state: &str| json!({"run": run, "state": state});
        for (stands, expected) in [
            (stands("r-1", "provisioned"), Some(true)),
            (stands("r-1", "done"), Some(true)),
            (stands("r-1", "held"), Some(false)),
            (stands("r-1", "provisioning"), None),
            (stands("r-0", "provisioned"), None),
            (Value::Null, None),
        ] {
            assert_eq!(over(&stands, &run), expected, "{stands}");
        }
        let device = json!({"commands": [stands("r-2", "done"), stands("r-1", "waiting")]});
        assert_eq!(command(&device, &run), stands("r-1", "waiting"));
    }
}
