//! Waiting for what was begun with a device: until its run is over or held, and no longer than somebody wants to wait.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{find, show::outcome};
use crate::cli::{
    client::{Client, encode},
    output,
};

/// The pause between two looks. A person sees no difference below it, and a thousand waiting clients are no load.
const PAUSE: Duration = Duration::from_millis(300);

/// What is waited for.
#[derive(Debug)]
pub(super) struct Waited<'a> {
    /// The device.
    pub(super) device: &'a str,
    /// What was begun with it: `provision` or a command.
    pub(super) what: &'a str,
    /// The run that was begun.
    pub(super) run: &'a str,
    /// How long at most.
    pub(super) patience: Duration,
    /// Whether a program reads what comes of it.
    pub(super) json: bool,
}

/// Looks at a run until it is over. Anything but done exits with 1.
pub(super) async fn until_it_is_over(client: &Client, waited: &Waited<'_>) -> anyhow::Result<ExitCode> {
    let Waited { device, what, run, patience, json } = *waited;
    let (mut progress, since) = (output::Progress::new(), Instant::now());
    let end = loop {
        let summary: Value = client.get(&format!("/api/v1/runs/{}/summary", encode(run))).await?.json()?;
        if let Some(end) = end_of(&summary) {
            break end;
        }
        let doing = doing(&summary);
        if since.elapsed() >= patience {
            progress.end();
            anyhow::bail!(
                "{what} of {device} is not over after {} s: {doing}; it goes on by itself, `jackfield run show {run}` says where it is",
                patience.as_secs()
            );
        }
        progress.show(&doing);
        tokio::time::sleep(PAUSE).await;
    };
    progress.end();
    // What it came to is the run's; what it brought is among what is shown of the device, unless it was forgotten meanwhile.
    let shown = find(client, device).await.unwrap_or_default();
    let stands = if what == "provision" { &shown } else { command(&shown, run) };
    // A person may have decided that what the device has is not looked at.
    let end =
        if end == End::Done && stands["state"] == "unverified" { End::Not("unverified: what was sent was not read back".to_owned()) } else { end };
    match &end {
        _ if json => output::say_json(stands)?,
        End::Done => output::say(format!("{what} of {device} is done\n{}", outcome(&stands["output"])).trim_end())?,
        End::Not(why) => output::say(&format!("{what} of {device}: {why}"))?,
    }
    Ok(if end == End::Done { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Done,
    /// Held, failed or cancelled, and why.
    Not(String),
}

/// What a run came to, if nothing more comes of it without a person.
fn end_of(summary: &Value) -> Option<End> {
    let reason = output::cell(&summary["reason"]);
    match summary["state"].as_str() {
        Some("ended") if reason == "completed" => Some(End::Done),
        Some("ended") => Some(End::Not(reason)),
        Some("held") => {
            let message = output::cell(&summary["last_error"]["failure"]["message"]);
            Some(End::Not(format!("held: {reason} {message}").trim_end().to_owned()))
        }
        _ => None,
    }
}

/// What a run does, or what it waits for.
fn doing(summary: &Value) -> String {
    let step = output::cell(&summary["step"]);
    let waits = summary["waits_for"].as_array().is_some_and(|wakes| wakes.iter().any(|wake| wake["for"] == "poll"));
    if waits { format!("{step} waits until the device contacts the host") } else { format!("{step} is under way") }
}

/// The command of that run among the last ones.
fn command<'a>(device: &'a Value, run: &str) -> &'a Value {
    let commands = device["commands"].as_array().map_or(&[][..], Vec::as_slice);
    commands.iter().find(|command| command["run"] == run).unwrap_or(&Value::Null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn it_is_over_when_its_run_is_or_when_a_person_must_decide() {
        let not = |why: &str| Some(End::Not(why.to_owned()));
        for (summary, expected) in [
            (json!({"state": "ended", "reason": "completed"}), Some(End::Done)),
            (json!({"state": "ended", "reason": "cancelled"}), not("cancelled")),
            (json!({"state": "ended", "reason": "failed in get: cwmp.fault: 9005"}), not("failed in get: cwmp.fault: 9005")),
            (
                json!({"state": "held", "reason": "verification_failed", "last_error": {"failure": {"message": "Device.A differs"}}}),
                not("held: verification_failed Device.A differs"),
            ),
            (json!({"state": "active"}), None),
            (json!({"state": "waiting", "reason": "pending"}), None),
            (Value::Null, None),
        ] {
            assert_eq!(end_of(&summary), expected, "{summary}");
        }
        let waiting = json!({"step": "push_config", "waits_for": [{"for": "poll"}, {"for": "give-up"}]});
        assert_eq!(doing(&waiting), "push_config waits until the device contacts the host");
        assert_eq!(doing(&json!({"step": "verify", "waits_for": [{"for": "retry"}]})), "verify is under way");
        let device = json!({"commands": [{"run": "r-2"}, {"run": "r-1", "state": "done"}]});
        assert_eq!((&command(&device, "r-1")["state"], command(&device, "r-3")), (&json!("done"), &Value::Null));
    }
}
