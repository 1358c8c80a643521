//! Taking in devices, plans and credentials.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::cli::{
    client::{Client, read_input},
    connection::Connection,
    exit::Problem,
    output,
};

/// The largest file, in bytes: some 100,000 devices.
const MAX_FILE: usize = 64 << 20;

/// How many devices go in one request; the interface has the same limit.
const AT_ONCE: usize = 500;

/// A file to take in.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// A JSON file: an array of devices, or an object with `plans`, `devices` and `credentials`; or `-` for standard input.
    file: String,
    #[command(flatten)]
    connection: Connection,
}

/// The object form. Every entry is as the interface takes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Everything {
    plans: Vec<Value>,
    devices: Vec<Value>,
    credentials: Vec<Value>,
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let bytes = read_input(&self.file, MAX_FILE)?;
        let given: Value = serde_json::from_slice(&bytes).with_context(|| format!("{} is not JSON", self.file))?;
        let Everything { plans, devices, credentials } = read(given).map_err(|error| Problem::Usage(format!("{}: {error}", self.file)))?;
        let client = self.connection.client()?;
        // Plans first: a device that comes at once finds its own.
        for plan in &plans {
            post(&client, "plans", plan).await?;
        }
        for credential in &credentials {
            post(&client, "credentials", credential).await?;
        }
        for some in devices.chunks(AT_ONCE) {
            post(&client, "devices", &json!(some)).await?;
        }
        let counts = json!({"plans": plans.len(), "devices": devices.len(), "credentials": credentials.len()});
        if self.connection.json {
            output::say_json(&counts)?;
        } else {
            output::say(&format!("took in {} plans, {} devices and {} shared credentials", plans.len(), devices.len(), credentials.len()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn read(given: Value) -> Result<Everything, String> {
    match given {
        Value::Array(devices) => Ok(Everything { devices, ..Everything::default() }),
        given @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => {
            serde_json::from_value(given).map_err(|error| error.to_string())
        }
    }
}

async fn post(client: &Client, what: &str, body: &Value) -> anyhow::Result<()> {
    client.post(&format!("/api/v1/cpe/{what}"), &[], serde_json::to_vec(body)?).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read_and_others_refused() {
        let counts = |given: Value| read(given).map(|all| (all.plans.len(), all.devices.len(), all.credentials.len()));
        assert_eq!(counts(json!([{}, {}])), Ok((0, 2, 0)));
        assert_eq!(counts(json!({"plans": [{}], "credentials": [{}]})), Ok((1, 0, 1)));
        assert!(counts(json!({"device": []})).unwrap_err().contains("unknown field `device`"));
        assert!(counts(json!("x")).is_err());
    }
}
