//! `jackfield binding explain`: which plugin each step of an order would get, and why.

use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use crate::{
    cli::{
        client::{encode, read_input},
        connection::Connection,
        output,
    },
    config::NATIVE,
};

/// The largest order, in bytes: what the host takes.
const MAX_ORDER: usize = 1 << 20;

pub(super) async fn explain(order: Option<&str>, device: Option<&str>, run: Option<&str>, connection: &Connection) -> anyhow::Result<ExitCode> {
    let client = connection.client()?;
    let who = if device.is_some() { "device" } else { "order" };
    let about = match (order, device) {
        (_, Some(device)) => json!({"device": client.get(&format!("/api/v1/cpe/devices/{}", encode(device))).await?.json::<Value>()?, "run": run}),
        (order, None) => {
            let file = order.unwrap_or("-");
            let order: Value = serde_json::from_slice(&read_input(file, MAX_ORDER)?).with_context(|| format!("{file} is not JSON"))?;
            json!({"order": order, "run": run})
        }
    };
    let steps: Vec<Value> = client.post("/api/v1/bindings/explain", &[], serde_json::to_vec(&about)?).await?.json()?;
    if connection.json {
        output::say_json(&steps)?;
    } else {
        output::say(&steps.iter().map(|found| step(found, who)).collect::<Vec<_>>().join("\n\n"))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn step(step: &Value, who: &str) -> String {
    let mut lines = vec![format!("{}: {}", output::cell(&step["step"]), output::cell(&step["contract"]))];
    let given = array(&step["selectors"]).map(|pair| format!("{} = {}", output::cell(&pair[0]), output::cell(&pair[1])));
    lines.push(format!("  {:<16}{}", format!("the {who} says"), or(given.collect::<Vec<_>>().join(", "), "nothing to select by")));
    let unknown: Vec<String> = array(&step["unknown"]).map(output::cell).collect();
    if !unknown.is_empty() {
        lines.push(format!("  left open       {} (not in the {who}, or said by an earlier step)", unknown.join(", ")));
    }
    lines.extend(array(&step["rules"]).flat_map(rule));
    lines.extend(step["unbound"].as_str().map(|why| format!("  held: {why}")));
    lines.join("\n")
}

fn rule(rule: &Value) -> Vec<String> {
    let values = |values: &Value| array(values).map(output::cell).collect::<Vec<_>>().join(" | ");
    let when: Vec<String> = rule["when"].as_object().into_iter().flatten().map(|(name, wanted)| format!("{name} = {}", values(wanted))).collect();
    let depends: Vec<String> = array(&rule["depends_on"]).map(output::cell).collect();
    let reason = match (when.is_empty(), depends.is_empty()) {
        (true, _) => "the rule for everything".to_owned(),
        (false, true) => format!("{} fits", when.join(", ")),
        (false, false) => format!("if {} (depends on {})", when.join(", "), depends.join(", ")),
    };
    array(&rule["choices"]).map(|choice| chosen(choice, &reason)).collect()
}

fn chosen(choice: &Value, reason: &str) -> String {
    let plugin = &choice["pin"]["provider"]["plugin"];
    let name = match plugin.is_object() {
        true => format!("{}@{}", output::cell(&plugin["name"]), output::cell(&plugin["version"])),
        false => format!("{NATIVE}{}", output::cell(&choice["pin"]["provider"]["native"]["name"])),
    };
    let (weight, of) = (choice["weight"].as_f64().unwrap_or(0.0), choice["of"].as_f64().unwrap_or(1.0));
    let share = if weight < of { format!(", {} of the runs", output::share(weight, of)) } else { String::new() };
    let this = match choice["chosen"].as_bool() {
        Some(true) if weight < of => ", and this run",
        Some(_) | None => "",
    };
    format!("  -> {name}: {reason}{share}{this}")
}

fn or(text: String, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
