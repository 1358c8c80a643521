//! What the registry of a host is shown as.

use std::process::ExitCode;

use serde_json::Value;

use crate::cli::{connection::Connection, output};

/// Enough of a digest to name a plugin by.
const DIGITS: usize = 12;

pub(super) async fn list(connection: &Connection) -> anyhow::Result<ExitCode> {
    let answer: Value = connection.client()?.get("/api/v1/plugins").await?.json()?;
    if connection.json {
        output::say_json(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = array(&answer["plugins"]).map(row).collect();
    let mut text = output::table(&["NAME", "VERSION", "DIGEST", "STANDING", "PUBLISHER", "INSTALLED", "BOUND TO"], &rows);
    for (name, canary) in answer["canaries"].as_object().into_iter().flatten() {
        text.push_str(&format!("\n\n{}", canary_text(name, canary)));
    }
    for (digest, entry) in answer["quarantine"].as_object().into_iter().flatten() {
        text.push_str(&format!("\n\nquarantined by {}: {digest}\n  {}", output::cell(&entry["by"]), output::cell(&entry["reason"])));
    }
    for line in array(&answer["plugins"]).filter_map(plugin_trouble).chain(array(&answer["endpoints"]).filter_map(endpoint_trouble)) {
        text.push_str(&format!("\n\n{line}"));
    }
    output::say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What is to be said of a plugin whose breaker is not closed.
fn plugin_trouble(plugin: &Value) -> Option<String> {
    let named = format!("{}@{}", output::cell(&plugin["name"]), output::cell(&plugin["version"]));
    trouble(&named, "calls", &plugin["health"])
}

fn endpoint_trouble(endpoint: &Value) -> Option<String> {
    trouble(&output::cell(&endpoint["endpoint"]), "requests", endpoint)
}

fn trouble(named: &str, what: &str, health: &Value) -> Option<String> {
    let breaker = health["breaker"].as_str().filter(|breaker| *breaker != "closed")?;
    let number = |key: &str| health[key].as_u64().unwrap_or(0);
    let (failures, refused) = (number("consecutive_failures"), number("refused"));
    Some(format!("the breaker of {named} is {breaker}: {failures} failures in a row, {refused} {what} refused since the start"))
}

fn row(plugin: &Value) -> Vec<String> {
    let at = plugin["at"].as_u64().map_or_else(String::new, output::instant);
    let bound: Vec<String> = array(&plugin["bound_to"]).map(output::cell).collect();
    let publisher = plugin["publisher"].as_str().unwrap_or("nobody").to_owned();
    let cell = |key: &str| output::cell(&plugin[key]);
    vec![cell("name"), cell("version"), digits(&plugin["digest"]), cell("standing"), publisher, at, bound.join(", ")]
}

fn canary_text(name: &str, canary: &Value) -> String {
    let rollout = &canary["rollout"];
    let side = |label: &str, seen: &Value| {
        let rate = seen["error_rate"].as_f64().unwrap_or(0.0) * 100.0;
        format!("  {label:<9} {} calls, {rate:.2} % failed, p99 {:.1} ms", seen["calls"], seen["p99_ms"].as_f64().unwrap_or(0.0))
    };
    let share = rollout["share"].as_f64().unwrap_or(0.0) / 1e4;
    let watch = output::duration(rollout["watch_ms"].as_u64().unwrap_or(0) * 1000);
    let head = format!("canary of {name}: {} gets {share} % for {watch}, judged from {} calls on", digits(&rollout["canary"]), rollout["min_calls"]);
    [head, side("canary", &canary["canary"]), side("the rest", &canary["baseline"])].join("\n")
}

/// What an installation is told as.
pub(super) fn installed(answer: &Value) -> String {
    let plugin = &answer["plugin"];
    let name = format!("{}@{}", output::cell(&plugin["name"]), output::cell(&plugin["version"]));
    let done = if answer["fresh"].as_bool() == Some(true) { "installed" } else { "was installed before" };
    let mut lines = vec![format!("{name} {done}; sha256 {}", output::cell(&plugin["digest"]))];
    match array(&answer["verdict"]["contracts"]).map(compared).collect::<Vec<_>>().as_slice() {
        [] => lines.extend(array(&plugin["contracts"]).map(|contract| format!("  answers {}", output::cell(contract)))),
        compared => lines.extend_from_slice(compared),
    }
    let upgrade = &answer["upgrade"];
    if upgrade.is_object() {
        lines.push(format!("  in place of {}:", output::cell(&upgrade["from"])));
        lines.extend(array(&upgrade["asks_more"]).map(|ask| format!("    asks for {}{}", output::cell(&ask["capability"]), why(ask))));
        lines.extend(array(&upgrade["asks_less"]).map(|name| format!("    asks no more for {}", output::cell(name))));
        lines.extend(array(&upgrade["changes"]).map(changed));
    }
    match answer["needs"].as_str() {
        Some(needs) => lines.push(format!("Its activation needs a grant with these lines (--grant FILE, without the heading):\n{needs}")),
        None => lines.push(format!("It gets no traffic until: jackfield plugin activate {name}")),
    }
    lines.join("\n")
}

/// A contract of a verdict.
fn compared(contract: &Value) -> String {
    let works: Vec<String> = array(&contract["verbs"]).filter(|verb| verb["works"] == true).map(|verb| output::cell(&verb["verb"])).collect();
    let (exported, host) = (output::cell(&contract["exported"]), output::cell(&contract["host"]));
    format!("  answers {exported}, together with version {host} of this host: {}", works.join(", "))
}

fn why(ask: &Value) -> String {
    ask["why"].as_str().map_or_else(String::new, |why| format!(": {why}"))
}

fn changed(change: &Value) -> String {
    let breaking = if change["breaking"].as_bool() == Some(true) { " (breaking)" } else { "" };
    format!("    {} {}{breaking}", output::cell(&change["subject"]), output::cell(&change["change"]))
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

pub(in crate::cli) fn digits(digest: &Value) -> String {
    output::cell(digest).chars().take(DIGITS).collect()
}
