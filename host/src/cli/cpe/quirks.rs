//! How devices differ from the standard: what the host knows of it, and what an operator adds.

use std::{process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Subcommand;
use serde_json::Value;

use crate::cli::{
    client::{encode, read_input},
    connection::Connection,
    output,
};

/// Where quirk records are.
const QUIRKS: &str = "/api/v1/cpe/quirks";

/// The largest file of a record, in bytes.
const MAX_FILE: usize = 1 << 20;

/// How long keeping a record may take: as long as any other answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What can be done with quirk records.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Quirks {
    /// List all records in the order in which they apply; later ones change what earlier ones say.
    List {
        #[command(flatten)]
        connection: Connection,
    },
    /// Keep a record over those of the product and the configuration. It applies from each device's next session on.
    Set {
        /// Its name; records apply in the order of their names.
        name: String,
        /// A JSON file such as {"manufacturer": "Acme*", "set": {"set_batch": 16}}, or `-` for standard input.
        file: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Forget a record that was kept.
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        connection: Connection,
    },
}

impl Quirks {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let (answer, said, connection) = match self {
            Self::List { connection } => {
                let all: Value = connection.client()?.get(QUIRKS).await?.json()?;
                let text = table(&all);
                (all, text, connection)
            }
            Self::Set { name, file, connection } => {
                let bytes = read_input(&file, MAX_FILE)?;
                let _is_json: Value = serde_json::from_slice(&bytes).with_context(|| format!("{file} is not JSON"))?;
                let answer = connection.client()?.put(&format!("{QUIRKS}/{}", encode(&name)), bytes, PATIENCE).await?.json()?;
                (answer, format!("quirk record {name} applies from each device's next session on"), connection)
            }
            Self::Remove { name, connection } => {
                connection.client()?.delete(&format!("{QUIRKS}/{}", encode(&name))).await?;
                (Value::Null, format!("quirk record {name} is forgotten"), connection)
            }
        };
        if connection.json {
            output::say_json(&answer)?;
        } else {
            output::say(&said)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// All records, a line each.
fn table(all: &Value) -> String {
    let list = |from: &'static str| all[from].as_array().into_iter().flatten().map(move |record| row("", from, record));
    let kept = all["kept"].as_object().into_iter().flatten().map(|(name, record)| row(name, "kept", record));
    let rows: Vec<Vec<String>> = list("built-in").chain(list("configured")).chain(kept).collect();
    output::table(&["NAME", "FROM", "MANUFACTURER", "OUI", "MODEL", "FIRMWARE", "SET", "NOTE"], &rows)
}

fn row(name: &str, from: &str, record: &Value) -> Vec<String> {
    let about = ["manufacturer", "oui", "model", "firmware"].map(|field| output::cell(&record[field]));
    let set = record["set"].as_object().into_iter().flatten().map(|(field, value)| format!("{field}={}", output::cell(value)));
    let rest = [set.collect::<Vec<_>>().join(" "), output::cell(&record["note"])];
    [name.to_owned(), from.to_owned()].into_iter().chain(about).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_are_lines_in_the_order_in_which_they_apply() {
        let all = json!({
            "built-in": [{"manufacturer": "ChinaNMS*", "note": "why", "set": {"prolog": false}}], "configured": [],
            "kept": {"few": {"oui": "00D09E", "set": {"set_batch": 4, "boolean": "true"}}},
        });
        let expected = "NAME  FROM      MANUFACTURER  OUI     MODEL  FIRMWARE  SET                       NOTE\n      \
            built-in  ChinaNMS*                              prolog=false              why\n\
            few   kept                    00D09E                   boolean=true set_batch=4";
        assert_eq!(table(&all), expected);
    }
}
