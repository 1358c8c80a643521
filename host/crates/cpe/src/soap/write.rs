//! Writes what devices are sent: strictly by the schema of their version, whatever they sent.

mod device;
mod form;
mod replies;
mod requests;
mod sheet;
#[cfg(test)]
mod tests;

pub(crate) use form::forbidden;
use sheet::Sheet;

use super::{Envelope, Message, Style, WriteError, WriteProblem};

/// Writes one envelope. What a server says is checked against the limits of the schema; what a device would say is written as it is given.
///
/// # Errors
/// A text that XML cannot carry; a field that is longer or otherwise than the schema allows; a message that the version does not have.
pub fn write(envelope: &Envelope, style: &Style) -> Result<String, WriteError> {
    let mut sheet = Sheet::new(envelope.namespace, style);
    header(&mut sheet, envelope)?;
    sheet.open("soap-env:Body");
    match &envelope.message {
        Message::Inform(inform) => device::inform(&mut sheet, inform)?,
        Message::Rpc(rpc) => requests::write(&mut sheet, rpc)?,
        Message::Answer(answer) => device::answer(&mut sheet, answer)?,
        Message::Event(event) => device::event(&mut sheet, event)?,
        Message::Reply(reply) => replies::write(&mut sheet, reply)?,
        Message::Fault(fault) => replies::fault(&mut sheet, fault)?,
        Message::Unknown { name } => return Err(WriteError { field: name.clone(), problem: WriteProblem::Form("a message that can be written") }),
    }
    sheet.close("soap-env:Body");
    Ok(sheet.end())
}

fn header(sheet: &mut Sheet, envelope: &Envelope) -> Result<(), WriteError> {
    let Envelope { id, namespace: _, hold_requests, no_more_requests, session_timeout, supported_versions, use_version, message: _ } = envelope;
    let versions = (!supported_versions.is_empty()).then(|| supported_versions.join(","));
    if id.is_none() && !hold_requests && !no_more_requests && session_timeout.is_none() && versions.is_none() && use_version.is_none() {
        return Ok(());
    }
    sheet.open("soap-env:Header");
    if let Some(id) = id {
        sheet.header("ID", true, id)?;
    }
    if *hold_requests {
        sheet.header("HoldRequests", true, sheet.literal(true))?;
    }
    if *no_more_requests {
        sheet.header("NoMoreRequests", true, sheet.literal(true))?;
    }
    if let Some(seconds) = session_timeout {
        sheet.header("SessionTimeout", false, &seconds.to_string())?;
    }
    if let Some(versions) = versions {
        sheet.header("SupportedCWMPVersions", false, &versions)?;
    }
    if let Some(version) = use_version {
        sheet.header("UseCWMPVersion", true, version)?;
    }
    sheet.close("soap-env:Header");
    Ok(())
}
