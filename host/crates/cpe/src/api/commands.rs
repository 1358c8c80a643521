//! Commands as clients give them: what is secret in them is sealed before anything is kept.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Api, ApiError, BeginQuery, Caller, by, device, shown, wants_wake};
use crate::flow::{Assignment, Command, SettingValue, Transfer, ValueKind};

/// How many names or values one command has at most.
const MAX_NAMES: usize = 1024;

/// The longest name of a parameter, and the longest address of a file (TR-069).
const MAX_NAME: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Values {
    values: Vec<NewValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewValue {
    name: String,
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    secret: Option<String>,
    #[serde(default)]
    kind: ValueKind,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectPath {
    object: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct NewTransfer {
    #[serde(default)]
    file_type: Option<String>,
    url: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: Option<String>,
    #[serde(default)]
    size: u32,
    #[serde(default)]
    target: String,
    #[serde(default)]
    delay_s: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Delay {
    delay_s: u32,
}

pub(super) async fn command(
    State(api): State<Arc<Api>>,
    Path((key, name)): Path<(String, String)>,
    query: BeginQuery,
    caller: Caller,
    body: Bytes,
) -> Result<Response, ApiError> {
    let (device, wakes) = (device(&key)?, wants_wake(query)?);
    let command = api.read(&name, &body)?;
    let run = api.intake.command(&device, command, &by(caller)).await?;
    Ok(api.begun(&device, run.as_str(), wakes).await)
}

impl Api {
    fn read(&self, name: &str, body: &[u8]) -> Result<Command, ApiError> {
        Ok(match name {
            "reboot" => nothing(body, Command::Reboot)?,
            "factory-reset" => nothing(body, Command::FactoryReset)?,
            "get" => Command::Get { names: names(parse::<Names>(body)?.names)? },
            "set" => Command::Set { values: self.values(parse::<Values>(body)?.values)? },
            "add-object" => Command::AddObject { object: object(parse(body)?)? },
            "delete-object" => Command::DeleteObject { object: object(parse(body)?)? },
            "download" => Command::Download(self.transfer(parse(body)?, "1 Firmware Upgrade Image")?),
            "upload" => Command::Upload(self.transfer(parse(body)?, "1 Vendor Configuration File")?),
            "schedule-inform" => Command::ScheduleInform { delay_s: parse::<Delay>(body)?.delay_s.max(1) },
            _ => {
                let expected = "provision, wake, reboot, factory-reset, get, set, add-object, delete-object, download, upload or schedule-inform";
                return Err(ApiError::not_found(format!("there is no such command: expected {expected}")));
            }
        })
    }

    fn values(&self, given: Vec<NewValue>) -> Result<Vec<Assignment>, ApiError> {
        bounded(given.len())?;
        let sealed = given.into_iter().map(|NewValue { name, value, secret, kind }| {
            let value = match (value, secret) {
                (Some(text), None) => SettingValue::Text(text),
                (None, Some(secret)) => SettingValue::Secret(self.secrets.seal(&self.tenant, &secret)?),
                (Some(_), Some(_)) | (None, None) => {
                    return Err(ApiError::bad(format!("values: `{}`: expected either `value` or `secret`", shown(&name))));
                }
            };
            parameter(&name)?;
            Ok(Assignment { name, value, kind })
        });
        sealed.collect()
    }

    fn transfer(&self, given: NewTransfer, file_type: &str) -> Result<Transfer, ApiError> {
        let NewTransfer { file_type: own, url, username, password, size, target, delay_s } = given;
        if url.is_empty() || url.len() > MAX_NAME {
            return Err(ApiError::bad(format!("url is `{}`: expected an address of 1 to {MAX_NAME} bytes", shown(&url))));
        }
        let password = password.map(|password| self.secrets.seal(&self.tenant, &password)).transpose()?;
        Ok(Transfer { file_type: own.unwrap_or_else(|| file_type.to_owned()), url, username, password, size, target, delay_s })
    }
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| ApiError::bad(format!("the body does not fit: {error}")))
}

fn nothing(body: &[u8], command: Command) -> Result<Command, ApiError> {
    let empty = body.trim_ascii();
    if empty.is_empty() || empty == b"{}" { Ok(command) } else { Err(ApiError::bad("this command has no body: expected an empty one")) }
}

fn names(given: Vec<String>) -> Result<Vec<String>, ApiError> {
    bounded(given.len())?;
    given.iter().try_for_each(|name| parameter(name))?;
    Ok(given)
}

fn bounded(count: usize) -> Result<(), ApiError> {
    if (1..=MAX_NAMES).contains(&count) { Ok(()) } else { Err(ApiError::bad(format!("{count} parameters: expected 1 to {MAX_NAMES}"))) }
}

fn parameter(name: &str) -> Result<(), ApiError> {
    let valid = (1..=MAX_NAME).contains(&name.len()) && !name.chars().any(|character| character.is_control() || character.is_whitespace());
    let refused = || ApiError::bad(format!("`{}` is no name of a parameter: expected 1 to {MAX_NAME} bytes without white space", shown(name)));
    valid.then_some(()).ok_or_else(refused)
}

fn object(ObjectPath { object }: ObjectPath) -> Result<String, ApiError> {
    parameter(&object)?;
    if object.ends_with('.') {
        Ok(object)
    } else {
        Err(ApiError::bad(format!("object is `{}`: expected a path with a dot at its end", shown(&object))))
    }
}
