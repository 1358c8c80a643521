//! `jackfield backup` and `jackfield restore`: copies of the store, and the way back.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::{connection::Connection, output};
use crate::config;

/// How long a backup may take: the copy of a large store on a slow disk.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A copy of a live store.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write. It must not exist. The host writes it, so it lies on the host's machine; it holds the store's secret and is readable by its
    /// owner only.
    file: PathBuf,
    #[command(flatten)]
    connection: Connection,
}

/// A store from a copy.
#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup.
    file: PathBuf,
    /// The configuration whose store is to be made: `store.path` says where. There must be no store yet.
    #[arg(long, default_value = "jackfield.toml", value_name = "FILE")]
    config: PathBuf,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

impl Backup {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let path = std::path::absolute(&self.file).with_context(|| format!("{} is no path", self.file.display()))?;
        let path = path.to_str().with_context(|| format!("{} is not UTF-8", self.file.display()))?.to_owned();
        let body = serde_json::to_vec(&json!({ "path": path }))?;
        let client = self.connection.client()?;
        let mut progress = output::Progress::new();
        progress.show("the host copies its store");
        let copied = client.post_slowly("/api/v1/backup", body, PATIENCE).await;
        progress.end();
        copied?;
        if self.connection.json {
            output::say_json(&json!({ "backup": path }))?;
        } else {
            output::say(&format!("wrote {path}"))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Restore {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = config::load(&self.config)?;
        store_sqlite::restore(&self.file, &config.store.path)?;
        if self.json {
            output::say_json(&json!({ "store": config.store.path, "backup": self.file }))?;
        } else {
            output::say(&format!("restored {} from {}", config.store.path.display(), self.file.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
