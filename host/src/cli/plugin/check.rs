//! `jackfield plugin check`: everything that the host would find out about a component at its start; with a configuration, its grants and its trust too.

mod configuration;
mod text;
mod upgrade;

use std::{convert::Infallible, path::PathBuf, process::ExitCode, str::FromStr};

use anyhow::{Context, bail};
use clap::Args;
use package::{Upgrade, Version};
use plugin_runtime::{Options, Verdict};
use serde::Serialize;

use self::configuration::Configuration;
use super::{package, read, runtime};
use crate::{cli::output, config};

/// A component to check.
#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// The component: a `.wasm` file.
    file: PathBuf,
    /// Compare with that version of the contracts, such as 1.0.0; or with an older file of the same plugin: what changes, and what it asks for more.
    #[arg(long, value_name = "VERSION|FILE.wasm")]
    against: Option<Against>,
    /// Check what this configuration grants to the plugin and whom it trusts, too.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

/// What to compare with.
#[derive(Debug, Clone)]
enum Against {
    Contracts(Version),
    File(PathBuf),
}

impl FromStr for Against {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Version::parse(text).map_or_else(|_| Self::File(text.into()), Self::Contracts))
    }
}

/// What was found out.
#[derive(Debug, Serialize)]
struct Findings {
    #[serde(flatten)]
    verdict: Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    upgrade: Option<Upgrade>,
    #[serde(skip_serializing_if = "Option::is_none")]
    configuration: Option<Configuration>,
}

impl Findings {
    fn is_refused(&self) -> bool {
        let outgrown = |upgrade: &Upgrade| upgrade::is_refused(upgrade, &self.verdict.manifest, self.configuration.is_some());
        !self.verdict.good || self.upgrade.as_ref().is_some_and(outgrown) || self.configuration.as_ref().is_some_and(Configuration::is_refused)
    }
}

impl Check {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let findings = self.find().await?;
        let refused = findings.is_refused();
        if self.json {
            output::say_json(&findings)?;
        } else if refused {
            bail!("{}: {}", self.file.display(), self.text(&findings));
        } else {
            output::say(&self.text(&findings))?;
        }
        Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }

    async fn find(&self) -> anyhow::Result<Findings> {
        let config = self.config.as_deref().map(config::load).transpose()?;
        let options = config.as_ref().map_or_else(Options::default, |config| config.runtime.clone());
        let version = if let Some(Against::Contracts(version)) = &self.against { Some(version) } else { None };
        let verdict = runtime(options)?.verdict(read(&self.file)?, version).await.with_context(|| self.file.display().to_string())?;
        let upgrade = match &self.against {
            Some(Against::File(older)) => Some(Upgrade::between(&package(older)?.1.manifest, &verdict.manifest)),
            Some(Against::Contracts(_)) | None => None,
        };
        let configuration = match &config {
            Some(config) => Some(Configuration::of(config, &package(&self.file)?.1)?),
            None => None,
        };
        Ok(Findings { verdict, upgrade, configuration })
    }

    fn text(&self, findings: &Findings) -> String {
        let Findings { verdict, upgrade, configuration } = findings;
        let judged = if findings.is_refused() { "refused" } else { "good" };
        let mut lines = vec![format!("{}: {judged}", verdict.manifest.title()), verdict.body()];
        if let (Some(upgrade), Some(Against::File(older))) = (upgrade, &self.against) {
            lines.extend(upgrade::text(upgrade, &verdict.manifest, older));
        }
        lines.extend(configuration.iter().flat_map(|configuration| configuration.text(&verdict.manifest.name)));
        if verdict.good && upgrade.is_none() && configuration.is_none() {
            lines.extend(text::to_use(verdict, &self.file));
        }
        lines.join("\n")
    }
}
