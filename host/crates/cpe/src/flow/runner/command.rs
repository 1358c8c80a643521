//! Carries out commands. What a device does later, after a restart or in weeks, is found again by the command key, which is the run's own.

mod transfer;

use std::{collections::BTreeSet, time::Duration};

use pipeline::{Failure, FailureClass, RunId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(super) use self::transfer::ended;
use self::transfer::{download, upload};
use super::{
    Empty,
    fault::{Stop, names},
    objects::orphan,
    once::{Once, nobody_knows},
    talk::Talk,
};
use crate::{
    flow::{
        answers::put_away,
        command::Command,
        contract::{Assignment, Parameter, SettingValue},
    },
    soap::ParameterValue,
    value::same,
};

/// How many values a command returns at most, and of how many bytes in all.
const MAX_VALUES: usize = 4096;
const MAX_VALUE_BYTES: usize = 512 << 10;

/// What was done so far.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct State {
    /// The sending of what must not be done twice.
    once: Once,
    /// The session in which the device took the command on.
    taken: Option<String>,
    /// When, or when it was to be asked to.
    since: u64,
    /// Whether it is sent although it may have been sent before, which is as well.
    again: bool,
}

/// The command key of a run: its id without the hyphens, 32 characters, the most that there may be.
fn command_key(run: &RunId) -> String {
    run.as_str().replace('-', "")
}

/// The run of a command key, if it is one of ours.
pub(crate) fn run_of_command_key(key: &str) -> Option<RunId> {
    let part = |from, to| key.get(from..to);
    if key.len() != 32 {
        return None;
    }
    RunId::new([part(0, 8)?, part(8, 12)?, part(12, 16)?, part(16, 20)?, part(20, 32)?].join("-")).ok()
}

pub(super) async fn command(talk: &mut Talk<'_>, command: &Command, state: &mut State) -> Result<Value, Stop> {
    let key = command_key(&talk.call.run);
    match command {
        Command::Reboot => restart(talk, state, &key).await,
        Command::FactoryReset => reset(talk, state).await,
        Command::Get { names } => get(talk, names).await,
        Command::Set { values } => set(talk, values, &key).await,
        Command::AddObject { object } => add(talk, object, state, &key).await,
        Command::DeleteObject { object } => delete(talk, object, state, &key).await,
        Command::Download(transfer) => download(talk, transfer, state, key).await,
        Command::Upload(transfer) => upload(talk, transfer, state, key).await,
        Command::ScheduleInform { delay_s } => talk.schedule_inform(*delay_s, key).await.map(|()| json!(Empty {})),
    }
}

/// What a status of 1 means to a person.
fn applied(status: u8) -> &'static str {
    if status == 1 { "later" } else { "now" }
}

/// A restart is over when the device is back: with the command key, or at least in another session after it booted.
async fn restart(talk: &mut Talk<'_>, state: &mut State, key: &str) -> Result<Value, Stop> {
    let booted = talk.has_event("M Reboot", Some(key)) || talk.has_event("1 BOOT", None);
    if let Some(taken) = &state.taken {
        return if *taken != talk.session() && booted { Ok(json!(Empty {})) } else { Err(Stop::Wait) };
    }
    if state.once.in_doubt(talk)? {
        return if booted { Ok(json!(Empty {})) } else { Err(nobody_knows("Reboot", "the device has not restarted")) };
    }
    state.once.send(talk, async |talk| talk.reboot(key.to_owned()).await).await?;
    taken(talk, state)
}

/// A reset is over when the device begins anew.
async fn reset(talk: &mut Talk<'_>, state: &mut State) -> Result<Value, Stop> {
    let anew = talk.has_event("0 BOOTSTRAP", None);
    if let Some(taken) = &state.taken {
        return if *taken != talk.session() && anew { Ok(json!(Empty {})) } else { Err(Stop::Wait) };
    }
    if state.once.in_doubt(talk)? {
        return if anew { Ok(json!(Empty {})) } else { Err(nobody_knows("FactoryReset", "the device has not begun anew")) };
    }
    state.once.send(talk, async |talk| talk.factory_reset().await).await?;
    taken(talk, state)
}

/// Adds an instance. One whose number nobody heard is found by the parameter key, and is the youngest.
async fn add(talk: &mut Talk<'_>, object: &str, state: &mut State, key: &str) -> Result<Value, Stop> {
    if state.once.in_doubt(talk)? && is_shown(talk, "AddObject", key)? {
        let found = orphan(talk, object, &BTreeSet::new()).await?;
        let instance = found.ok_or_else(|| nobody_knows("AddObject", "the device has no instance there"))?;
        return Ok(json!({ "instance": instance, "applied": applied(0) }));
    }
    let parameter_key = talk.kept_key(key);
    let (instance, status) = state.once.send(talk, async |talk| talk.add_object(object.to_owned(), parameter_key).await).await?;
    Ok(json!({ "instance": instance, "applied": applied(status) }))
}

/// Deletes an instance. One that is gone after a lost answer was deleted.
async fn delete(talk: &mut Talk<'_>, object: &str, state: &mut State, key: &str) -> Result<Value, Stop> {
    state.again |= state.once.in_doubt(talk)?;
    let parameter_key = talk.kept_key(key);
    match state.once.send(talk, async |talk| talk.delete_object(object.to_owned(), parameter_key).await).await {
        Ok(status) => Ok(json!({ "applied": applied(status) })),
        Err(Stop::Fault { fault, .. }) if state.again && fault.code == 9005 => Ok(json!({ "applied": applied(0) })),
        Err(stop) => Err(stop),
    }
}

/// Whether the parameter key of the device is that of the command. A device that shows none leaves it open.
fn is_shown(talk: &Talk<'_>, method: &str, key: &str) -> Result<bool, Stop> {
    let shown = talk.parameter_key().filter(|_| !talk.quirks.omit_parameter_key);
    shown.map(|shown| shown == key).ok_or_else(|| nobody_knows(method, "the device shows no parameter key"))
}

/// The device took the command on; what comes of it shows later.
fn taken<T>(talk: &Talk<'_>, state: &mut State) -> Result<T, Stop> {
    (state.taken, state.since) = (Some(talk.session()), talk.runner.clock.now().0);
    Err(Stop::Wait)
}

/// Reads values. Of those that are secret only the names are returned.
async fn get(talk: &mut Talk<'_>, names: &[String]) -> Result<Value, Stop> {
    let (values, absent) = talk.get(names).await?;
    let bytes: usize = values.iter().map(|value| value.name.len() + value.value.len()).sum();
    if values.len() > MAX_VALUES || bytes > MAX_VALUE_BYTES {
        let message =
            format!("the device has {} values of {bytes} bytes there: expected at most {MAX_VALUES} of {MAX_VALUE_BYTES} bytes", values.len());
        return Err(Stop::Failed(Failure::new(FailureClass::Rejected, "_OTHER", message)));
    }
    let secret: Vec<&String> = values.iter().map(|value| &value.name).filter(|name| talk.quirks.is_secret(name)).collect();
    let sent = values.iter().map(|value| json!(Parameter::sent(value, &talk.quirks))).collect();
    let (documents, kept) = (&*talk.runner.documents, Duration::from_secs(talk.runner.options.answers_s));
    let mut read = put_away(documents, &talk.call.run, sent, talk.runner.clock.now(), kept)
        .await
        .map_err(|error| Stop::Failed(Failure::new(FailureClass::Unavailable, "_OTHER", format!("the values could not be kept: {error}"))))?;
    read["absent"] = json!(absent);
    if !secret.is_empty() {
        read["secret"] = json!(secret);
    }
    Ok(read)
}

/// Sets values and reads them back.
async fn set(talk: &mut Talk<'_>, values: &[Assignment], key: &str) -> Result<Value, Stop> {
    let status = talk.set(values, key.to_owned()).await?;
    if status == 1 {
        return Ok(json!({ "applied": applied(status) }));
    }
    talk.settle().await?;
    let readable: Vec<&Assignment> = values.iter().filter(|value| value.value.handle().is_none()).collect();
    let names_of: Vec<String> = readable.iter().map(|value| value.name.clone()).collect();
    let found: Vec<ParameterValue> = if names_of.is_empty() { Vec::new() } else { talk.get(&names_of).await?.0 };
    let root = if names_of.iter().any(|name| name.starts_with("InternetGatewayDevice.")) { "InternetGatewayDevice." } else { "Device." };
    let wrong = readable.iter().filter(|value| {
        let SettingValue::Text(wanted) = &value.value else { return false };
        let is = found.iter().find(|found| found.name == value.name).is_some_and(|found| same(value.kind.into(), wanted, &found.value, &talk.quirks));
        !is && !talk.quirks.is_hidden(root, &value.name)
    });
    let wrong: Vec<String> = wrong.map(|value| value.name.clone()).collect();
    if wrong.is_empty() {
        return Ok(json!({ "applied": applied(status), "checked": readable.len() }));
    }
    let message = format!("the device took the values and does not have them: {}", names(&wrong));
    Err(Stop::Failed(Failure::new(FailureClass::Rejected, "verification_failed", message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_key_is_the_run_and_of_the_greatest_length() {
        let run = pipeline::testing::run_id(77);
        let key = command_key(&run);
        assert_eq!((key.len(), run_of_command_key(&key)), (32, Some(run)));
        for other in ["", "Download 7", "0123456789abcdef0123456789abcdeZ", "é0123456789abcdef0123456789abcd"] {
            assert_eq!(run_of_command_key(other), None, "{other}");
        }
    }
}
