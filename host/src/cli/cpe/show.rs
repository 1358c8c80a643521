//! What there is to see of devices.

use std::process::ExitCode;

use serde_json::Value;

use super::{DEVICES, find};
use crate::cli::{client::encode, connection::Connection, output};

/// The most devices of a page; the interface has the same limit.
const PAGE: u64 = 200;

pub(super) async fn list(filters: &[(&str, Option<String>)], limit: u64, connection: &Connection) -> anyhow::Result<ExitCode> {
    let client = connection.client()?;
    let given = filters.iter().filter_map(|(name, value)| Some(format!("&{name}={}", encode(value.as_ref()?))));
    let filter: String = given.collect();
    let (mut devices, mut total) = (Vec::<Value>::new(), 0);
    loop {
        let left = limit - devices.len() as u64;
        let page: Value = client.get(&format!("{DEVICES}?offset={}&limit={}{filter}", devices.len(), left.min(PAGE))).await?.json()?;
        total = page["total"].as_u64().unwrap_or(total);
        let found = page["devices"].as_array().cloned().unwrap_or_default();
        let last = found.is_empty();
        devices.extend(found);
        if last || devices.len() as u64 >= limit.min(total) {
            break;
        }
    }
    if connection.json {
        output::say_json(&devices)?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = devices.iter().map(row).collect();
    output::say(&output::table(&["DEVICE", "STATE", "SINCE", "MODEL", "FIRMWARE", "PLAN", "WHY"], &rows))?;
    if total > devices.len() as u64 {
        eprintln!("{} of {total} devices; --limit shows more", devices.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn row(device: &Value) -> Vec<String> {
    let since = device["since"].as_u64().map_or_else(String::new, output::instant);
    let cells = ["device", "state"].map(|key| output::cell(&device[key])).into_iter().chain([since]);
    cells.chain(["model", "software-version", "plan", "result"].map(|key| output::cell(&device[key]))).collect()
}

pub(super) async fn show(device: &str, connection: &Connection) -> anyhow::Result<ExitCode> {
    let found = find(&connection.client()?, device).await?;
    if connection.json {
        output::say_json(&found)?;
    } else {
        output::say(&text(&found))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What people ask for first: where it stands, and why.
const LINES: [&str; 23] = [
    "device",
    "state",
    "since",
    "result",
    "message",
    "run",
    "trigger",
    "customer",
    "plan",
    "assigned-plan",
    "location",
    "profile",
    "plugin",
    "checked",
    "manufacturer",
    "model",
    "hardware-version",
    "software-version",
    "root",
    "peer",
    "proven",
    "wakeable",
    "in-session",
];

fn text(device: &Value) -> String {
    let mut text = String::new();
    for key in LINES.into_iter().filter(|key| !device[*key].is_null()) {
        let value = match (key, device[key].as_u64()) {
            ("since", Some(at)) => output::instant(at),
            _ => output::cell(&device[key]),
        };
        text.push_str(&format!("{key:<18}{value}\n"));
    }
    let commands = device["commands"].as_array().map_or(&[][..], Vec::as_slice);
    if !commands.is_empty() {
        let rows: Vec<Vec<String>> = commands.iter().map(command).collect();
        text.push('\n');
        text.push_str(&output::table(&["COMMAND", "STATE", "SINCE", "BY", "RUN", "WHY"], &rows));
    }
    text.trim_end().to_owned()
}

fn command(command: &Value) -> Vec<String> {
    let since = command["since"].as_u64().map_or_else(String::new, output::instant);
    let cells = ["command", "state"].map(|key| output::cell(&command[key])).into_iter().chain([since]);
    cells.chain(["by", "run", "message"].map(|key| output::cell(&command[key]))).collect()
}

/// What a command brought: values as lines, anything else as it is.
pub(super) fn outcome(output: &Value) -> String {
    let Some(values) = output["values"].as_array() else { return if output.is_null() { String::new() } else { output.to_string() } };
    let values = values.iter().map(|value| format!("{} = {}", output::cell(&value["name"]), output::cell(&value["value"])));
    let absent = output["absent"].as_array().into_iter().flatten().map(|name| format!("{} is not there", output::cell(name)));
    values.chain(absent).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_device_is_shown_with_its_commands_and_without_what_is_not_known() {
        let device = json!({"device": "A-B-C", "state": "held", "since": 1_700_000_000_000_000_u64, "result": "verification_failed", "proven": true,
            "commands": [{"command": "reboot", "state": "waiting", "by": "ann", "run": "r-1"}]});
        let expected = "device            A-B-C\nstate             held\nsince             2023-11-14 22:13:20.000Z\n\
            result            verification_failed\nproven            true\n\n\
            COMMAND  STATE    SINCE  BY   RUN  WHY\nreboot   waiting         ann  r-1";
        assert_eq!(text(&device), expected);
    }

    #[test]
    fn what_a_command_brought_is_lines() {
        let values = json!({"values": [{"name": "Device.A", "value": "1"}], "absent": ["Device.B"]});
        assert_eq!(outcome(&values), "Device.A = 1\nDevice.B is not there");
        assert_eq!((outcome(&Value::Null), outcome(&json!({"applied": "now"}))), (String::new(), "{\"applied\":\"now\"}".to_owned()));
    }
}
