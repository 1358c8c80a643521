//! `jackfield run show`: why a run is where it is, and what a person can do about it.

use std::process::ExitCode;

use serde_json::Value;

use crate::cli::{client::encode, connection::Connection, output};

pub(super) async fn show(run: &str, connection: &Connection) -> anyhow::Result<ExitCode> {
    let summary: Value = connection.client()?.get(&format!("/api/v1/runs/{}/summary", encode(run))).await?.json()?;
    if connection.json {
        output::say_json(&summary)?;
    } else {
        output::say(&text(&summary))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(summary: &Value) -> String {
    let of = |key: &str| output::cell(&summary[key]);
    let at = |key: &str| summary[key].as_u64().map_or_else(String::new, output::instant);
    let mut lines = vec![
        format!("run         {}", of("run")),
        format!("pipeline    {} (version {})", of("pipeline"), of("version")),
        format!("state       {}", of("state")),
        format!("reason      {}", of("reason")),
        format!("step        {}", of("step")),
        format!("started     {}", at("started_at")),
        format!("last event  {}", at("last_at")),
        format!("trace       {}", of("trace_id")),
    ];
    let error = &summary["last_error"];
    if !error.is_null() {
        lines.push(format!("last error  in {}: {}", place(error), failure(&error["failure"])));
    }
    lines.extend(list(summary, "waits_for").map(|wake| format!("waits for   {}", wait(wake))));
    lines.push(String::new());
    lines.push(steps(summary));
    for fallout in list(summary, "fallouts") {
        lines.push(String::new());
        lines.extend(fallout_lines(&of("run"), fallout));
    }
    lines.join("\n")
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// `provision[2]`, or the step alone where the whole step is meant.
fn place(value: &Value) -> String {
    let step = output::cell(&value["step"]);
    value["item"].as_u64().map_or_else(|| step.clone(), |item| format!("{step}[{item}]"))
}

fn failure(failure: &Value) -> String {
    format!("{} ({}): {}", output::cell(&failure["error_type"]), output::cell(&failure["class"]), output::cell(&failure["message"]))
}

fn wait(wake: &Value) -> String {
    let due = wake["due"].as_u64().map_or_else(String::new, |due| format!(", due {}", output::instant(due)));
    match wake["for"].as_str().unwrap_or_default() {
        "call" => format!("the call of {}, which is being made or will be at once", place(wake)),
        "retry" => format!("the next attempt of {}{due}", place(wake)),
        "poll" => format!("the time to ask {} again{due}", place(wake)),
        "give-up" => format!("{} until it is given up{due}", place(wake)),
        "callback" => format!("a callback for {}", place(wake)),
        "child" => format!("run {} of {}", output::cell(&wake["run"]), place(wake)),
        "person" => format!("a person to resolve fallout {}", output::cell(&wake["fallout"])),
        "parent" => "its parent to take note of its end".to_owned(),
        other => other.to_owned(),
    }
}

fn steps(summary: &Value) -> String {
    let mut rows = Vec::new();
    for step in list(summary, "steps") {
        let name = output::cell(&step["step"]);
        let status = output::cell(&step["status"]);
        let items: Vec<&Value> = list(step, "items").collect();
        if items.is_empty() {
            rows.push(vec![name.clone(), status.clone(), String::new(), String::new(), String::new(), String::new()]);
        }
        for (index, item) in items.iter().enumerate() {
            let item_name = Some(output::cell(&item["label"])).filter(|label| !label.is_empty()).unwrap_or_else(|| index.to_string());
            let activity = output::cell(&item["activity"]);
            let standing = output::cell(&item["standing"]);
            let standing = if activity == "idle" { standing } else { format!("{standing}, {activity}") };
            let (name, status) = if index == 0 { (name.clone(), status.clone()) } else { (String::new(), String::new()) };
            rows.push(vec![name, status, item_name, standing, output::cell(&item["attempts"]), output::cell(&item["provider"])]);
        }
    }
    output::table(&["STEP", "STATUS", "ITEM", "STANDING", "ATTEMPTS", "PROVIDER"], &rows)
}

fn fallout_lines(run: &str, fallout: &Value) -> Vec<String> {
    let id = output::cell(&fallout["id"]);
    let mut lines = vec![format!("fallout {id}: {} in {} ({})", output::cell(&fallout["reason"]), place(fallout), output::cell(&fallout["subject"]))];
    lines.push(format!("  {}", failure(&fallout["failure"])));
    if let Some(by) = fallout["resolved"]["by"].as_str() {
        let at = fallout["resolved"]["at"].as_u64().map_or_else(String::new, output::instant);
        lines.push(format!("  resolved by {by} at {at}"));
        return lines;
    }
    let fitting: Vec<&str> = list(fallout, "resolutions").filter_map(Value::as_str).collect();
    lines.push(format!(
        "  open since {}; these fit: {}",
        fallout["opened_at"].as_u64().map_or_else(String::new, output::instant),
        fitting.join(", ")
    ));
    let example = fitting.first().copied().unwrap_or("fail");
    lines.push(format!("  jackfield run resolve {run} {example} --fallout {id} --by NAME --note TEXT"));
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_held_run_says_why_and_what_to_type() {
        let failure = json!({"class": "rejected", "error_type": "billing_failed", "message": "no such plan"});
        let summary = json!({
            "run": "r1", "pipeline": "order", "version": 1, "state": "held", "reason": "billing_failed", "step": "billing_setup",
            "started_at": 0, "last_at": 1_000_000, "trace_id": "ab",
            "last_error": {"step": "billing_setup", "item": 0, "failure": failure},
            "waits_for": [{"for": "person", "fallout": 1}],
            "steps": [
                {"step": "decompose", "status": "done", "items": [{"label": "", "standing": "done", "activity": "idle", "attempts": 1, "provider": "catalog"}]},
                {"step": "billing_setup", "status": "waiting", "items": []},
            ],
            "fallouts": [{"id": 1, "subject": "failed", "step": "billing_setup", "item": 0, "reason": "billing_failed", "failure": failure, "opened_at": 0, "resolved": null, "resolutions": ["retry", "fail"]}],
        });
        let expected = "\
run         r1
pipeline    order (version 1)
state       held
reason      billing_failed
step        billing_setup
started     1970-01-01 00:00:00.000Z
last event  1970-01-01 00:00:01.000Z
trace       ab
last error  in billing_setup[0]: billing_failed (rejected): no such plan
waits for   a person to resolve fallout 1

STEP           STATUS   ITEM  STANDING  ATTEMPTS  PROVIDER
decompose      done     0     done      1         catalog
billing_setup  waiting

fallout 1: billing_failed in billing_setup[0] (failed)
  billing_failed (rejected): no such plan
  open since 1970-01-01 00:00:00.000Z; these fit: retry, fail
  jackfield run resolve r1 retry --fallout 1 --by NAME --note TEXT";
        assert_eq!(text(&summary), expected);
    }
}
