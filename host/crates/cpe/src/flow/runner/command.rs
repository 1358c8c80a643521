//! Carries out commands. What a device does later, after a restart or in weeks, is found again by the command key, which is the run's own.

use std::{collections::BTreeSet, time::Duration};

use pipeline::{Failure, FailureClass, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    DeviceRunner, Empty, fault,
    fault::{Stop, names},
    misfit,
    objects::orphan,
    once::{Once, nobody_knows},
    talk::Talk,
    text,
};
use crate::{
    flow::{
        command::{Command, Transfer},
        contract::{Assignment, Parameter, SettingValue},
        intake::TRANSFER_COLLECTION,
    },
    soap::{self, Download, Fault, ParameterValue, TransferComplete, Upload},
    value::same,
};

/// How many values a command returns at most, and of how many bytes in all.
const MAX_VALUES: usize = 4096;
const MAX_VALUE_BYTES: usize = 512 << 10;

/// How long the end of a transfer is waited for of which nobody knows whether the device began it.
const TRANSFER_IN_DOUBT: Duration = Duration::from_secs(86_400);

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

/// The end of a transfer, if it has come; the device need not be in session to hear of it.
pub(super) async fn ended(
    runner: &DeviceRunner,
    call: &engine::port::Call,
    command: &Command,
    checkpoint: Option<&str>,
) -> Result<Option<Value>, Failure> {
    let (method, transfer) = match command {
        Command::Download(transfer) => ("Download", transfer),
        Command::Upload(transfer) => ("Upload", transfer),
        Command::Reboot
        | Command::FactoryReset
        | Command::Get { .. }
        | Command::Set { .. }
        | Command::AddObject { .. }
        | Command::DeleteObject { .. }
        | Command::ScheduleInform { .. } => return Ok(None),
    };
    let unreadable = |error: engine::port::ReadError| Failure::new(FailureClass::Unavailable, "host.internal", error.to_string());
    let Some(state) = checkpoint.and_then(|checkpoint| serde_json::from_str::<State>(checkpoint).ok()) else { return Ok(None) };
    let key = command_key(&call.run);
    let found = runner.documents.get(TRANSFER_COLLECTION, &key).await.map_err(unreadable)?;
    if let Some(document) = found {
        let complete =
            TransferComplete::deserialize(&document.body).map_err(|error| misfit(&format!("the end of a transfer does not fit: {error}")))?;
        if complete.fault_code != 0 {
            // The operation is over: asking again would find the same end. Whoever gave the command can give it again.
            let failure = fault::failure(method, &Fault::new(complete.fault_code, complete.fault_string));
            return Err(Failure { class: FailureClass::Rejected, ..failure });
        }
        return Ok(Some(json!({ "url": transfer.url, "start": complete.start, "complete": complete.complete })));
    }
    // Some devices never say that a download is over.
    let assumed = runner.silent_after(call, command, &state).is_some_and(|due| runner.clock.now() >= due);
    Ok(assumed.then(|| json!({ "url": transfer.url, "assumed": true })))
}

impl DeviceRunner {
    /// When a download counts as done although nobody said so. The quirks are those of the session that took it on, or of the one that is open.
    fn silent_after(&self, call: &engine::port::Call, command: &Command, state: &State) -> Option<Timestamp> {
        let (Command::Download(_), Some(_)) = (command, &state.taken) else { return None };
        let device = super::key(text(&call.request, "device"))?;
        let quirks = self.sessions.in_session(&device)?.quirks;
        let seconds = quirks.download_success_without_transfer_complete_s?;
        Some(Timestamp(state.since).plus(Duration::from_secs(u64::from(seconds))))
    }
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
    let mut read = json!({ "values": values.iter().map(|value| Parameter::sent(value, &talk.quirks)).collect::<Vec<_>>(), "absent": absent });
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

async fn download(talk: &mut Talk<'_>, transfer: &Transfer, state: &mut State, command_key: String) -> Result<Value, Stop> {
    may_begin(talk, state, transfer, "Download").await?;
    let download = Download {
        command_key,
        file_type: transfer.file_type.clone(),
        url: transfer.url.clone(),
        username: transfer.username.clone(),
        password: password(talk, transfer)?,
        file_size: transfer.size,
        target_file_name: transfer.target.clone(),
        delay_s: transfer.delay_s,
        ..Download::default()
    };
    let answer = state.once.send(talk, async |talk| talk.download(download).await).await;
    let answer = answer.map_err(|stop| if transfer.password.is_some() { fault::discreet(stop, &[]) } else { stop })?;
    over(talk, transfer, state, &answer)
}

async fn upload(talk: &mut Talk<'_>, transfer: &Transfer, state: &mut State, command_key: String) -> Result<Value, Stop> {
    may_begin(talk, state, transfer, "Upload").await?;
    let upload = Upload {
        command_key,
        file_type: transfer.file_type.clone(),
        url: transfer.url.clone(),
        username: transfer.username.clone(),
        password: password(talk, transfer)?,
        delay_s: transfer.delay_s,
    };
    let answer = state.once.send(talk, async |talk| talk.upload(upload).await).await;
    let answer = answer.map_err(|stop| if transfer.password.is_some() { fault::discreet(stop, &[]) } else { stop })?;
    over(talk, transfer, state, &answer)
}

/// Goes on where the transfer is to be begun. One that may have been begun is waited for, and after a while a person is asked.
async fn may_begin(talk: &Talk<'_>, state: &mut State, transfer: &Transfer, method: &str) -> Result<(), Stop> {
    if state.taken.is_some() {
        return Err(Stop::Wait);
    }
    let now = talk.runner.clock.now();
    if state.once.in_doubt(talk)? {
        let told = talk.has_event(&format!("M {method}"), Some(&command_key(&talk.call.run)));
        let limit = Timestamp(state.since).plus(TRANSFER_IN_DOUBT + Duration::from_secs(transfer.delay_s.into()));
        return Err(if told || now < limit { Stop::Wait } else { nobody_knows(method, "the device has not told of its end") });
    }
    state.since = now.0;
    forget_end(talk, &command_key(&talk.call.run)).await
}

/// The end of an earlier attempt is not that of the next.
async fn forget_end(talk: &Talk<'_>, key: &str) -> Result<(), Stop> {
    let forgotten = talk.runner.documents.remove(TRANSFER_COLLECTION, key).await;
    forgotten.map_err(|error| Stop::Failed(Failure::new(FailureClass::Unavailable, "host.internal", error.to_string())))
}

fn over(talk: &Talk<'_>, transfer: &Transfer, state: &mut State, answer: &soap::Transfer) -> Result<Value, Stop> {
    if answer.status == 0 {
        return Ok(json!({ "url": transfer.url, "start": answer.start, "complete": answer.complete }));
    }
    taken(talk, state)
}

fn password(talk: &Talk<'_>, transfer: &Transfer) -> Result<String, Stop> {
    let opened = transfer.password.as_ref().map(|handle| talk.open("password", handle)).transpose()?;
    Ok(opened.map(|password| password.to_string()).unwrap_or_default())
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
