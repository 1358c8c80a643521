//! `jackfield plugin activate`: a version gets the traffic of its name, or a share of it on trial.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::{Signature, change};
use crate::cli::{client::read_input, connection::Connection, exit::Problem};

/// The largest grant, in bytes.
const MAX_GRANT: usize = 1 << 20;

/// A version to put into service.
#[derive(Debug, Args)]
pub(in crate::cli) struct Activate {
    /// NAME@VERSION or a digest.
    plugin: String,
    /// A file with what it may reach, as below `[plugins.NAME.grant]` in a configuration; secrets are references that the host follows. Default: what the
    /// version has that is bound now, or else the host's configuration.
    #[arg(long, value_name = "FILE")]
    grant: Option<PathBuf>,
    /// Give it this share of the runs only (such as `5%`), and go back by itself when it does worse than the others.
    #[arg(long, value_name = "SHARE", value_parser = parts)]
    canary: Option<u32>,
    /// How long a canary is watched before it gets everything (such as `90s`, `10m`, `2h`).
    #[arg(long = "for", value_name = "TIME", default_value = "10m", value_parser = millis, requires = "canary")]
    watch: u64,
    /// The share of its calls that may fail, if those of the others fail less.
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = parts, requires = "canary")]
    max_error_rate: u32,
    /// How long the slowest of a hundred of its calls may take (such as `200ms`). Default: any time.
    #[arg(long, value_name = "TIME", value_parser = millis, requires = "canary")]
    max_p99: Option<u64>,
    /// How many calls a verdict needs.
    #[arg(long, value_name = "N", default_value_t = 50, requires = "canary")]
    min_calls: u64,
    #[command(flatten)]
    signature: Signature,
    #[command(flatten)]
    connection: Connection,
}

impl Activate {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let canary = self.canary.map(|share| {
            json!({"share": share, "watch_ms": self.watch, "min_calls": self.min_calls, "max_error_rate": self.max_error_rate, "max_p99_ms": self.max_p99})
        });
        let grant = self.grant.as_deref().map(read_toml).transpose()?;
        let Signature { by, note } = &self.signature;
        let body = json!({"plugin": self.plugin, "grant": grant, "canary": canary, "by": by, "note": note});
        change(&self.connection, "/api/v1/plugins/activate", body).await
    }
}

/// A file of TOML as JSON.
pub(in crate::cli) fn read_toml(file: &std::path::Path) -> anyhow::Result<Value> {
    let name = file.display();
    let bytes = read_input(file.to_str().with_context(|| format!("{name} is not UTF-8"))?, MAX_GRANT)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))?;
    toml::from_str(&text).map_err(|error| Problem::Usage(format!("{name}: {error}")).into())
}

/// A share in parts per million: `5%`, `0.5%`.
fn parts(text: &str) -> Result<u32, String> {
    let expected = || format!("`{text}` is no share: expected a number from 0 to 100 with a percent sign, such as 5%");
    let number: f64 = text.strip_suffix('%').and_then(|number| number.trim().parse().ok()).ok_or_else(expected)?;
    if (0.0..=100.0).contains(&number) { Ok((number * 1e4).round() as u32) } else { Err(expected()) }
}

/// A time in milliseconds: `200ms`, `90s`, `10m`, `2h`.
fn millis(text: &str) -> Result<u64, String> {
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let number = |(unit, factor): &(&str, u64)| text.strip_suffix(unit)?.trim().parse::<u64>().ok()?.checked_mul(*factor);
    units.iter().find_map(number).ok_or_else(|| format!("`{text}` is no time: expected a whole number with its unit, such as 200ms, 90s, 10m or 2h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_times_have_units() {
        for (text, expected) in [("5%", Some(50_000)), ("0.5%", Some(5_000)), ("100 %", Some(1_000_000)), ("5", None), ("101%", None), ("-1%", None)]
        {
            assert_eq!(parts(text).ok(), expected, "{text}");
        }
        for (text, expected) in
            [("200ms", Some(200)), ("90s", Some(90_000)), ("10m", Some(600_000)), ("2h", Some(7_200_000)), ("10", None), ("1.5s", None)]
        {
            assert_eq!(millis(text).ok(), expected, "{text}");
        }
    }
}
