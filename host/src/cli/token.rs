//! `jackfield token`: named tokens for the HTTP interface. The host keeps hashes only.

use std::{collections::BTreeSet, process::ExitCode};

use clap::Subcommand;
use serde_json::json;

use super::{exit::Problem, output};
use crate::{config::Role, serve::new_token};

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token: it is printed once, with the line of configuration that makes a host accept it.
    New {
        /// Whose token it is; the name is written into the journal with every decision. 1 to 64 characters of [a-zA-Z0-9_-].
        name: String,
        /// What may be done with it; may be given several times. A token that may only look is made without it.
        #[arg(long = "role", value_name = "ROLE", default_value = "viewer")]
        roles: Vec<Role>,
        /// Print JSON for programs instead of text for people.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: &Command) -> anyhow::Result<ExitCode> {
    let Command::New { name, roles, json } = command;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !(1..=64).contains(&name.len()) || !name.bytes().all(fits) {
        return Err(Problem::Usage(format!("`{name}` cannot be the name of a token: expected 1 to 64 characters of [a-zA-Z0-9_-]")).into());
    }
    let token = new_token()?;
    let hash = blake3::hash(token.as_bytes()).to_hex();
    let roles: Vec<&str> = roles.iter().copied().collect::<BTreeSet<_>>().into_iter().map(Role::name).collect();
    if *json {
        output::say_json(&json!({"name": name, "token": token, "blake3": hash.as_str(), "roles": roles}))?;
    } else {
        output::say(&format!(
            "{token}\n\nThe token is shown this once. To accept it, add to the configuration and restart the host:\n\n[tokens]\n\
             {name} = {{ blake3 = \"{hash}\", roles = {roles:?} }}"
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}
