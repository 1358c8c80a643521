//! `jackfield plugin keygen`: the key pair of a publisher, in two files.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::Args;
use package::PrivateKey;
use serde_json::json;

use crate::cli::{exit::Problem, output};

/// A key pair to make.
#[derive(Debug, Args)]
pub(in crate::cli) struct Keygen {
    /// What the files are called: NAME.key is for whoever signs, NAME.pub for whoever trusts. May have a directory.
    name: PathBuf,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

impl Keygen {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let label = self.label()?;
        let (private, public) = (with_suffix(&self.name, ".key"), with_suffix(&self.name, ".pub"));
        // The one is no use without the other: neither is written over.
        if let Some(there) = [&private, &public].into_iter().find(|file| file.exists()) {
            return Err(exists(there));
        }
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| anyhow::anyhow!("the operating system gives no random bytes: {error}"))?;
        let key = PrivateKey::from_seed(seed);
        write_new(&private, &key.to_text(), 0o600)?;
        write_new(&public, &key.public().to_string(), 0o644)?;
        if self.json {
            output::say_json(&json!({"private": private, "public": public, "key": key.public()}))?;
        } else {
            output::say(&format!(
                "wrote {}, which signs: it is readable by you alone, keep it so\nwrote {}, which operators trust; in their configuration it is\n\n\
                 [trust.publishers.{label}]\nkey = \"{}\"\nplugins = [\"{label}-*\"]",
                private.display(),
                public.display(),
                key.public()
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The name as an operator could call the publisher.
    fn label(&self) -> anyhow::Result<String> {
        let name = self.name.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if (1..=64).contains(&name.len()) && name.bytes().all(fits) {
            return Ok(name.to_owned());
        }
        Err(Problem::Usage(format!("`{name}` cannot be the name of a key: expected 1 to 64 characters of [a-z0-9-], after a directory if need be"))
            .into())
    }
}

fn with_suffix(name: &Path, suffix: &str) -> PathBuf {
    let mut file = name.as_os_str().to_owned();
    file.push(suffix);
    file.into()
}

fn exists(file: &Path) -> anyhow::Error {
    Problem::Refused(format!("{} exists already: a key that is overwritten is lost; expected another name", file.display())).into()
}

/// Writes a file that is not there yet.
fn write_new(file: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let made = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    if made.as_ref().is_err_and(|error| error.kind() == ErrorKind::AlreadyExists) {
        return Err(exists(file));
    }
    made.and_then(|mut made| made.write_all(format!("{text}\n").as_bytes())).with_context(|| format!("{} cannot be written", file.display()))
}
