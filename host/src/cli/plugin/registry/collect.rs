//! `jackfield plugin gc` and `plugin repin`: what is told of them.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{PATIENCE, Signature, list::digits};
use crate::cli::{connection::Connection, exit::Problem, output};

pub(super) async fn collect(remove: bool, signature: &Signature, connection: &Connection) -> anyhow::Result<ExitCode> {
    let body = json!({"remove": remove, "by": signature.by, "note": signature.note});
    let answer: Value = connection.client()?.post_slowly("/api/v1/plugins/gc", serde_json::to_vec(&body)?, PATIENCE).await?.json()?;
    if connection.json {
        output::say_json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let removed = answer["removed"].as_bool() == Some(true);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for fate in array(&answer["plugins"]) {
        let plugin = &fate["plugin"];
        let name = format!("{}@{} {}", output::cell(&plugin["name"]), output::cell(&plugin["version"]), digits(&plugin["digest"]));
        rows.extend(lines(&name, &fate["kept"], removed));
    }
    for fate in array(&answer["revisions"]) {
        let numbers: Vec<String> = array(&fate["numbers"]).map(output::cell).collect();
        rows.extend(lines(&format!("revision {} {}", numbers.join(", "), digits(&fate["revision"])), &fate["kept"], removed));
    }
    output::say(&output::table(&["WHAT", "FATE", "WHY"], &rows))?;
    if !remove && rows.iter().any(|row| row[1] == "free") {
        output::say("\n`jackfield plugin gc --remove` removes what is free.")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(name: &str, kept: &Value, removed: bool) -> Vec<Vec<String>> {
    let row = |fate: &str, why: String| vec![name.to_owned(), fate.to_owned(), why];
    let reasons: Vec<String> = array(kept).map(output::cell).collect();
    match (reasons.is_empty(), removed) {
        (true, true) => vec![row("removed", "nothing needs it".to_owned())],
        (true, false) => vec![row("free", "nothing needs it".to_owned())],
        (false, _) => reasons.into_iter().map(|why| row("kept", why)).collect(),
    }
}

/// Tells what was moved. Where nothing could be moved of what was meant, that is a refusal; where it ended before its end, a failure.
pub(super) fn told(answer: &Value, connection: &Connection) -> anyhow::Result<ExitCode> {
    if connection.json {
        output::say_json(answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let dry = answer["dry_run"].as_bool() == Some(true);
    let row = |run: &Value| {
        let items: Vec<String> = array(&run["items"]).map(output::cell).collect();
        let fate = match (run["refused"].as_str(), run["moved"].as_u64().unwrap_or(0), dry) {
            (Some(why), 0, _) => why.to_owned(),
            (Some(why), moved, _) => format!("{moved} moved, then: {why}"),
            (None, _, true) => "would be moved".to_owned(),
            (None, _, false) => "moved".to_owned(),
        };
        vec![output::cell(&run["run"]), items.join(", "), fate]
    };
    let rows: Vec<Vec<String>> = array(&answer["runs"]).map(row).collect();
    let moved = answer["moved"].as_u64().unwrap_or(0);
    let refused: Vec<&Value> = array(&answer["runs"]).filter(|run| run["refused"].is_string()).collect();
    let stopped = answer["stopped"].as_str();
    if moved == 0
        && stopped.is_none()
        && let [run] = refused.as_slice()
    {
        return Err(Problem::Refused(format!("run {}: {}", output::cell(&run["run"]), output::cell(&run["refused"]))).into());
    }
    let summary = format!("{moved} items {}", if dry { "would be moved; nothing has changed" } else { "moved" });
    output::say(&if rows.is_empty() { summary } else { format!("{}\n\n{summary}", output::table(&["RUN", "ITEMS", "FATE"], &rows)) })?;
    match stopped {
        Some(why) => anyhow::bail!("not everything was done: {why}"),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
