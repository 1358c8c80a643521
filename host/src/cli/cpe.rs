//! `jackfield cpe`: devices that contact the host (TR-069), and what is done with them.

mod import;
mod quirks;
mod show;
mod wait;

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    client::{Client, encode, read_input},
    connection::Connection,
    exit::Problem,
    output,
};

/// Where devices are.
const DEVICES: &str = "/api/v1/cpe/devices";

/// The largest file with a secret: longer ones are none.
const MAX_SECRET: usize = 16 << 10;

/// What can be done with devices.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List devices that contacted the host, the newest first.
    List {
        /// Only devices in this state: provisioning, provisioned, held, failed, cancelled.
        #[arg(long)]
        state: Option<String>,
        /// Only devices with this plan.
        #[arg(long)]
        plan: Option<String>,
        /// Only devices with this serial number.
        #[arg(long)]
        serial: Option<String>,
        /// Only devices of this model.
        #[arg(long)]
        model: Option<String>,
        /// How many at most.
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=100_000))]
        limit: u64,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show a device: what it says of itself, where its provisioning stands, its last commands.
    Show {
        /// The device: OUI-ProductClass-Serial.
        device: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Provision a device anew, now or when it contacts the host next.
    Provision {
        #[command(flatten)]
        target: Target,
    },
    /// Ask a device to contact the host (connection request).
    Wake {
        /// The device: OUI-ProductClass-Serial.
        device: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Read parameters, or all below a path that ends with a dot.
    Get {
        #[command(flatten)]
        target: Target,
        /// The parameters.
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Set parameters: NAME=VALUE.
    Set {
        #[command(flatten)]
        target: Target,
        /// The type of the values: string, int, unsigned-int, long, unsigned-long, boolean, date-time, base64, hex-binary.
        #[arg(long = "type", default_value = "string", value_name = "TYPE")]
        kind: String,
        /// A parameter whose value is in a file and is nothing to be seen: NAME=FILE.
        #[arg(long, value_name = "NAME=FILE")]
        secret: Vec<String>,
        /// The parameters with their values.
        #[arg(value_name = "NAME=VALUE", required_unless_present = "secret")]
        values: Vec<String>,
    },
    /// Restart a device.
    Reboot {
        #[command(flatten)]
        target: Target,
    },
    /// Reset a device to what it left the factory with. It is provisioned anew when it is back.
    FactoryReset {
        #[command(flatten)]
        target: Target,
    },
    /// Have a device fetch a file, such as a firmware.
    Download {
        #[command(flatten)]
        target: Target,
        /// Where the file is.
        #[arg(value_name = "URL")]
        file: String,
        /// What kind of file it is.
        #[arg(long, default_value = "1 Firmware Upgrade Image")]
        file_type: String,
        /// Its size in bytes, where the device wants to know.
        #[arg(long, default_value_t = 0)]
        size: u32,
        /// The user name at the file server.
        #[arg(long, default_value = "")]
        username: String,
        /// A file with the password at the file server.
        #[arg(long, value_name = "FILE")]
        password_file: Option<String>,
    },
    /// Take in devices, plans and shared credentials from a JSON file.
    Import(import::Import),
    /// How devices differ from the standard: list what is known, set or remove records.
    #[command(subcommand)]
    Quirks(quirks::Quirks),
}

/// A device that something is done with.
#[derive(Debug, Args)]
pub(super) struct Target {
    /// The device: OUI-ProductClass-Serial.
    device: String,
    /// Do not ask the device to come: it is done when it contacts the host by itself.
    #[arg(long)]
    no_wake: bool,
    /// Wait until it is done, has failed or is held for a person; anything but done exits with 1.
    #[arg(long)]
    wait: bool,
    /// How long to wait at most, in seconds. What was begun goes on after that.
    #[arg(long, value_name = "SECONDS", default_value_t = 600, requires = "wait", value_parser = clap::value_parser!(u64).range(1..=2_592_000))]
    timeout: u64,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::List { state, plan, serial, model, limit, connection } => {
            let filters = [("state", state), ("plan", plan), ("serial", serial), ("model", model)];
            show::list(&filters, limit, &connection).await
        }
        Command::Show { device, connection } => show::show(&device, &connection).await,
        Command::Wake { device, connection } => wake(&device, &connection).await,
        Command::Provision { target } => begin(&target, "provision", None).await,
        Command::Reboot { target } => begin(&target, "reboot", None).await,
        Command::FactoryReset { target } => begin(&target, "factory-reset", None).await,
        Command::Get { target, names } => begin(&target, "get", Some(json!({ "names": names }))).await,
        Command::Set { target, kind, secret, values } => {
            begin(&target, "set", Some(json!({ "values": assignments(&kind, &secret, &values)? }))).await
        }
        Command::Download { target, file, file_type, size, username, password_file } => {
            let mut body = json!({"url": file, "file-type": file_type, "size": size, "username": username});
            if let Some(path) = password_file {
                body["password"] = secret(&path)?.into();
            }
            begin(&target, "download", Some(body)).await
        }
        Command::Import(import) => import.run().await,
        Command::Quirks(quirks) => quirks.run().await,
    }
}

async fn wake(device: &str, connection: &Connection) -> anyhow::Result<ExitCode> {
    let answer: Value = connection.client()?.post(&format!("{DEVICES}/{}/wake", encode(device)), &[], Vec::new()).await?.json()?;
    if connection.json {
        output::say_json(&answer)?;
    } else {
        output::say(&format!("device {device} said that it comes"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Begins something that the device takes part in, and waits for it if that is wanted.
async fn begin(target: &Target, what: &str, body: Option<Value>) -> anyhow::Result<ExitCode> {
    let Target { device, no_wake, wait, timeout, connection } = target;
    let client = connection.client()?;
    let body = body.map(|body| serde_json::to_vec(&body)).transpose()?.unwrap_or_default();
    let begun: Value = client.post(&format!("{DEVICES}/{}/{what}?wake={}", encode(device), !no_wake), &[], body).await?.json()?;
    if *wait {
        eprintln!("{}", told(&begun, what));
        let run = begun["run"].as_str().context("the answer names no run: is it a Jackfield host of this version?")?;
        let patience = Duration::from_secs(*timeout);
        return wait::until_it_is_over(&client, &wait::Waited { device, what, run, patience, json: connection.json }).await;
    }
    if connection.json {
        output::say_json(&begun)?
    } else {
        output::say(&told(&begun, what))?
    }
    Ok(ExitCode::SUCCESS)
}

/// What was begun, and whether the device comes for it.
fn told(begun: &Value, what: &str) -> String {
    let comes = match &begun["woken"] {
        Value::Bool(true) => "the device said that it comes".to_owned(),
        Value::String(why) => format!("it waits until the device contacts the host: {why}"),
        Value::Null | Value::Bool(false) | Value::Number(_) | Value::Array(_) | Value::Object(_) => "it waits for the device".to_owned(),
    };
    format!("{what} of {} is run {}; {comes}", output::cell(&begun["device"]), output::cell(&begun["run"]))
}

async fn find(client: &Client, device: &str) -> anyhow::Result<Value> {
    client.get(&format!("{DEVICES}/{}", encode(device))).await?.json()
}

fn assignments(kind: &str, secrets: &[String], values: &[String]) -> anyhow::Result<Vec<Value>> {
    let pair = |text: &str, what: &str| {
        let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
        pair.map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| Problem::Usage(format!("`{text}`: expected NAME={what}")))
    };
    let mut all = Vec::new();
    for text in values {
        let (name, value) = pair(text, "VALUE")?;
        all.push(json!({"name": name, "value": value, "kind": kind}));
    }
    for text in secrets {
        let (name, path) = pair(text, "FILE")?;
        all.push(json!({"name": name, "secret": secret(&path)?, "kind": kind}));
    }
    Ok(all)
}

/// A secret in a file, without the end of its line.
fn secret(path: &str) -> anyhow::Result<String> {
    let text = String::from_utf8(read_input(path, MAX_SECRET)?).with_context(|| format!("{path} is not UTF-8"))?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_pairs_and_secrets_come_from_files() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("key");
        std::fs::write(&file, "hunter2\n").unwrap();
        let secret = format!("Device.B={}", file.display());
        let found = assignments("boolean", &[secret], &["Device.A=x=y".to_owned()]).unwrap();
        let expected = json!([{"name": "Device.A", "value": "x=y", "kind": "boolean"}, {"name": "Device.B", "secret": "hunter2", "kind": "boolean"}]);
        assert_eq!(Value::from(found), expected);
        for wrong in ["Device.A", "=x"] {
            assert_eq!(assignments("string", &[], &[wrong.to_owned()]).unwrap_err().to_string(), format!("`{wrong}`: expected NAME=VALUE"));
        }
    }

    #[test]
    fn what_was_begun_is_told_with_what_became_of_the_device() {
        for (woken, expected) in [
            (json!(true), "the device said that it comes"),
            (json!("the device is busy"), "it waits until the device contacts the host: the device is busy"),
            (Value::Null, "it waits for the device"),
        ] {
            let begun = json!({"device": "A-B-C", "run": "r", "woken": woken});
            assert_eq!(told(&begun, "reboot"), format!("reboot of A-B-C is run r; {expected}"));
        }
    }
}
