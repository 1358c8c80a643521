//! Transfers of files, which a device makes in its own time: asked for once, and over when the device says so.

use std::time::Duration;

use pipeline::{Failure, FailureClass, Timestamp};
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::{
    super::{DeviceRunner, fault, fault::Stop, key, misfit, once::nobody_knows, talk::Talk, text},
    State, command_key, taken,
};
use crate::{
    flow::{
        command::{Command, Transfer},
        intake::TRANSFER_COLLECTION,
    },
    soap::{self, Download, Fault, TransferComplete, Upload},
};

/// How long the end of a transfer is waited for of which nobody knows whether the device began it.
const TRANSFER_IN_DOUBT: Duration = Duration::from_secs(86_400);

/// The end of a transfer, if it has come; the device need not be in session to hear of it.
pub(in super::super) async fn ended(
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
        let device = key(text(&call.request, "device"))?;
        let quirks = self.sessions.in_session(&device)?.quirks;
        let seconds = quirks.download_success_without_transfer_complete_s?;
        Some(Timestamp(state.since).plus(Duration::from_secs(u64::from(seconds))))
    }
}

/// Has the device fetch a file.
pub(super) async fn download(talk: &mut Talk<'_>, transfer: &Transfer, state: &mut State, command_key: String) -> Result<Value, Stop> {
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

/// Has the device deliver a file.
pub(super) async fn upload(talk: &mut Talk<'_>, transfer: &Transfer, state: &mut State, command_key: String) -> Result<Value, Stop> {
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
