//! `jackfield plugin verify`: who has signed a plugin, and whether a host would take it.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, bail};
use clap::Args;
use engine::port::{Clock as _, SystemClock};
use package::{Admission, Instant, Package, PublicKey, Question, Refusal, Signer, TrustList, TrustOptions, Version};
use serde_json::{Value, json};

use super::{package, read};
use crate::{cli::output, config};

/// A plugin to verify.
#[derive(Debug, Args)]
pub(in crate::cli) struct Verify {
    /// The plugin: a `.wasm` file.
    file: PathBuf,
    /// Trust whom this configuration trusts.
    #[arg(long, value_name = "FILE", required_unless_present = "key")]
    config: Option<PathBuf>,
    /// Trust this key and no other: a file NAME.pub of `jackfield plugin keygen`.
    #[arg(long, value_name = "NAME.pub", conflicts_with = "config")]
    key: Option<PathBuf>,
    /// Judge as a host that has had this version of the plugin: nothing older is taken.
    #[arg(long, value_name = "VERSION")]
    newest: Option<Version>,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let (_, package) = package(&self.file)?;
        let question = Question { package: &package, now: Some(Instant::of(SystemClock.now())), newest: self.newest.as_ref() };
        let answer = self.trust()?.admit(&question);
        let code = if answer.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if self.json {
            output::say_json(&document(&package, &answer))?;
            return Ok(code);
        }
        match &answer {
            Ok(admission) => output::say(&taken(&package, admission))?,
            Err(refusal) => bail!("{}: it is refused ({}): {refusal}", self.file.display(), refusal.code()),
        }
        Ok(code)
    }

    fn trust(&self) -> anyhow::Result<TrustList> {
        let mut options = TrustOptions::default();
        match (&self.key, &self.config) {
            (Some(file), _) => {
                let key: PublicKey = String::from_utf8_lossy(&read(file)?).parse().with_context(|| file.display().to_string())?;
                let name = file.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
                options.trust_with_everything(&name, key);
            }
            (None, Some(file)) => options = config::load(file)?.trust,
            (None, None) => {}
        }
        Ok(TrustList::new(options)?)
    }
}

fn taken(package: &Package, admission: &Admission) -> String {
    let (name, version) = (&package.manifest.name, &package.manifest.version);
    let by = match &admission.publisher {
        Some(publisher) => format!("it is taken, publisher `{publisher}` vouches for it"),
        None => "it is taken, but only because of `allow_unsigned = true` in [trust]; nobody who is trusted vouches for it".to_owned(),
    };
    let mut lines = vec![format!("{name} {version}: {by}")];
    lines.extend(admission.signers.iter().map(|Signer { key, standing }| match standing {
        Ok(publisher) => format!("  signed by {key}: publisher `{publisher}`"),
        Err(problem) => format!("  signed by {key}: {problem}"),
    }));
    if admission.signers.is_empty() {
        lines.push("  not signed".to_owned());
    }
    lines.join("\n")
}

fn document(package: &Package, answer: &Result<Admission, Refusal>) -> Value {
    let mut document = json!({
        "name": package.manifest.name,
        "version": package.manifest.version,
        "digest": package.digest,
        "content_digest": package.content_digest,
        "taken": answer.is_ok(),
    });
    match answer {
        Ok(Admission { publisher, signers }) => {
            document["publisher"] = json!(publisher);
            document["signers"] = signers.iter().map(signer).collect();
        }
        Err(refusal) => {
            document["code"] = json!(refusal.code());
            document["reason"] = json!(refusal.to_string());
            if let Refusal::NotTrusted { signers, .. } = refusal {
                document["signers"] = signers.iter().map(signer).collect();
            }
        }
    }
    document
}

fn signer(Signer { key, standing }: &Signer) -> Value {
    match standing {
        Ok(publisher) => json!({"key": key, "publisher": publisher}),
        Err(problem) => json!({"key": key, "code": problem.code(), "problem": problem.to_string()}),
    }
}
