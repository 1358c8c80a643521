//! What devices say by themselves: `Inform` and its relatives.

use super::{
    SoapError,
    cursor::Cursor,
    field::{boolean, fields, number, parameter_values, word},
};
use crate::{
    device::DeviceId,
    soap::{AutonomousTransferComplete, DeviceRpc, DuResult, EventCode, Inform, Message, TransferComplete},
};

/// The longest field of a device's identity; the standard allows 64 characters.
const LONGEST_IDENTITY: usize = 256;

pub(super) fn read(cursor: &mut Cursor<'_>, name: &[u8]) -> Result<Option<Message>, SoapError> {
    Ok(Some(match name {
        b"Inform" => Message::Inform(Box::new(inform(cursor)?)),
        b"TransferComplete" => Message::Event(DeviceRpc::TransferComplete(transfer_complete(cursor)?)),
        b"AutonomousTransferComplete" => Message::Event(DeviceRpc::AutonomousTransferComplete(autonomous(cursor)?)),
        b"GetRPCMethods" => {
            cursor.skip()?;
            Message::Event(DeviceRpc::GetRpcMethods)
        }
        b"RequestDownload" => Message::Event(request_download(cursor)?),
        b"Kicked" => Message::Event(kicked(cursor)?),
        b"DUStateChangeComplete" => {
            let (command_key, results) = du_results(cursor)?;
            Message::Event(DeviceRpc::DuStateChangeComplete { command_key, results })
        }
        b"AutonomousDUStateChangeComplete" => Message::Event(DeviceRpc::AutonomousDuStateChangeComplete { results: du_results(cursor)?.1 }),
        _ => return Ok(None),
    }))
}

fn inform(cursor: &mut Cursor<'_>) -> Result<Inform, SoapError> {
    let mut inform = Inform::default();
    fields!(cursor {
        b"DeviceId" => inform.device = device(cursor)?,
        b"Event" => cursor.list(&mut inform.events, Some(b"EventStruct"), "the number of events", cursor.limits().events, event)?,
        b"CurrentTime" => inform.current_time = word(cursor)?,
        b"RetryCount" => inform.retry_count = number(cursor)?,
        b"ParameterList" => parameter_values(cursor, &mut inform.parameters)?,
    })?;
    if inform.device.serial.is_empty() {
        return Err(cursor.field("SerialNumber", "", "the serial number of the device"));
    }
    Ok(inform)
}

fn device(cursor: &mut Cursor<'_>) -> Result<DeviceId, SoapError> {
    let mut device = DeviceId::default();
    fields!(cursor {
        // Some lay it out over two lines; it identifies nothing.
        b"Manufacturer" => {
            device.manufacturer = cursor.text()?.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_IDENTITY).collect()
        },
        b"OUI" => device.oui = identity(cursor, "OUI")?,
        b"ProductClass" => device.product_class = identity(cursor, "ProductClass")?,
        b"SerialNumber" => device.serial = identity(cursor, "SerialNumber")?,
    })?;
    Ok(device)
}

fn identity(cursor: &mut Cursor<'_>, field: &'static str) -> Result<String, SoapError> {
    let text = word(cursor)?;
    if text.len() > LONGEST_IDENTITY || text.contains(char::is_control) {
        return Err(cursor.field(field, &text, "at most 256 bytes without control characters"));
    }
    Ok(text)
}

fn event(cursor: &mut Cursor<'_>) -> Result<EventCode, SoapError> {
    let mut event = EventCode::default();
    fields!(cursor {
        b"EventCode" => event.code = word(cursor)?,
        b"CommandKey" => event.command_key = word(cursor)?,
    })?;
    Ok(event)
}

fn transfer_complete(cursor: &mut Cursor<'_>) -> Result<TransferComplete, SoapError> {
    let mut transfer = TransferComplete::default();
    fields!(cursor {
        b"CommandKey" => transfer.command_key = word(cursor)?,
        b"FaultStruct" => (transfer.fault_code, transfer.fault_string) = fault(cursor)?,
        b"StartTime" => transfer.start = word(cursor)?,
        b"CompleteTime" => transfer.complete = word(cursor)?,
    })?;
    Ok(transfer)
}

fn autonomous(cursor: &mut Cursor<'_>) -> Result<AutonomousTransferComplete, SoapError> {
    let mut transfer = AutonomousTransferComplete::default();
    fields!(cursor {
        b"AnnounceURL" => transfer.announce_url = word(cursor)?,
        b"TransferURL" => transfer.transfer_url = word(cursor)?,
        b"IsDownload" => transfer.is_download = boolean(cursor)?,
        b"FileType" => transfer.file_type = word(cursor)?,
        b"FileSize" => transfer.file_size = number(cursor)?,
        b"TargetFileName" => transfer.target_file_name = word(cursor)?,
        b"FaultStruct" => (transfer.fault_code, transfer.fault_string) = fault(cursor)?,
        b"StartTime" => transfer.start = word(cursor)?,
        b"CompleteTime" => transfer.complete = word(cursor)?,
    })?;
    Ok(transfer)
}

/// What stands for a code that is no number: the code of the standard for an internal error. It must not be taken for 0, which is success.
const UNREADABLE: u32 = 9002;

/// A code and a text; 0 where there is no code.
fn fault(cursor: &mut Cursor<'_>) -> Result<(u32, String), SoapError> {
    let (mut code, mut string) = (0, String::new());
    fields!(cursor {
        b"FaultCode" => {
            let text = word(cursor)?;
            code = if text.is_empty() { 0 } else { text.parse().unwrap_or(UNREADABLE) };
        },
        b"FaultString" => string = word(cursor)?,
    })?;
    Ok((code, string))
}

fn request_download(cursor: &mut Cursor<'_>) -> Result<DeviceRpc, SoapError> {
    let (mut file_type, mut arguments) = (String::new(), Vec::new());
    fields!(cursor {
        b"FileType" => file_type = word(cursor)?,
        b"FileTypeArg" => cursor.list(&mut arguments, None, "a list", cursor.limits().parameters, argument)?,
    })?;
    Ok(DeviceRpc::RequestDownload { file_type, arguments })
}

fn argument(cursor: &mut Cursor<'_>) -> Result<(String, String), SoapError> {
    let (mut key, mut value) = Default::default();
    fields!(cursor {
        b"Name" => key = word(cursor)?,
        b"Value" => value = word(cursor)?,
    })?;
    Ok((key, value))
}

fn kicked(cursor: &mut Cursor<'_>) -> Result<DeviceRpc, SoapError> {
    let [mut command, mut referer, mut arg, mut next] = [const { String::new() }; 4];
    fields!(cursor {
        b"Command" => command = word(cursor)?,
        b"Referer" => referer = word(cursor)?,
        b"Arg" => arg = word(cursor)?,
        b"Next" => next = word(cursor)?,
    })?;
    Ok(DeviceRpc::Kicked { command, referer, arg, next })
}

fn du_results(cursor: &mut Cursor<'_>) -> Result<(String, Vec<DuResult>), SoapError> {
    let (mut command_key, mut results) = (String::new(), Vec::new());
    fields!(cursor {
        b"CommandKey" => command_key = word(cursor)?,
        b"Results" => {
            let result = du_result(cursor)?;
            cursor.push(&mut results, "a list", cursor.limits().parameters, result)?;
        },
    })?;
    Ok((command_key, results))
}

fn du_result(cursor: &mut Cursor<'_>) -> Result<DuResult, SoapError> {
    let mut result = DuResult::default();
    fields!(cursor {
        b"UUID" => result.uuid = word(cursor)?,
        b"DeploymentUnitRef" => result.reference = word(cursor)?,
        b"Version" => result.version = word(cursor)?,
        b"CurrentState" => result.state = word(cursor)?,
        b"Resolved" => result.resolved = boolean(cursor)?,
        b"ExecutionUnitRefList" => result.execution_units = word(cursor)?,
        b"StartTime" => result.start = word(cursor)?,
        b"CompleteTime" => result.complete = word(cursor)?,
        b"Fault" => (result.fault_code, result.fault_string) = fault(cursor)?,
        b"OperationPerformed" => result.operation = Some(word(cursor)?),
    })?;
    Ok(result)
}
