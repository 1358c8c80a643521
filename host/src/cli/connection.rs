//! Which host a command talks to, and with which token.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::{client::Client, exit::Problem};
use crate::config;

/// Options of every command that talks to a host.
#[derive(Debug, Args)]
pub(super) struct Connection {
    /// The configuration of the host: its data directory says where the host listens and holds the administrator's token.
    #[arg(long, default_value = "jackfield.toml", value_name = "FILE")]
    config: PathBuf,
    /// Talk to the host at this address (http://HOST:PORT) instead of the one of the configuration. Needs a token of its own, so that none goes
    /// where it does not belong.
    #[arg(long, requires = "token_file", value_name = "URL")]
    url: Option<String>,
    /// A file with the token to use instead of the administrator's.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Print JSON for programs instead of text for people.
    #[arg(long)]
    pub(super) json: bool,
}

impl Connection {
    /// A client for that host. Nothing has been sent yet.
    pub(super) fn client(&self) -> anyhow::Result<Client> {
        if let (Some(url), Some(file)) = (&self.url, &self.token_file) {
            return Client::new(url, read_token(file)?);
        }
        let config = config::load(&self.config)?;
        let data = config.data_directory();
        let endpoint = data.join("endpoint");
        let url = std::fs::read_to_string(&endpoint).map_err(|_| {
            Problem::Unreachable(format!(
                "no host serves from {}: there is no file `endpoint`; start one with `jackfield serve --config {}`",
                data.display(),
                self.config.display()
            ))
        })?;
        let file = self.token_file.clone().unwrap_or_else(|| data.join("admin-token"));
        Client::new(url.trim(), read_token(&file)?)
    }
}

fn read_token(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| {
        format!(
            "{} cannot be read: expected a file with a token (the host writes `admin-token` at its first start; name another with --token-file)",
            file.display()
        )
    })?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        anyhow::bail!("{} holds no token: expected one line of printable characters", file.display());
    }
    Ok(token.to_owned())
}
