//! What devices answer, and what they refuse.

use super::{
    SoapError,
    cursor::{Cursor, Step},
    field::{INSTANCE, NOTIFICATION, STATUS, boolean, fields, number, parameter_values, strings, word},
};
use crate::soap::{AccessAttributes, AcsReply, Answer, Fault, Message, ParameterFault, ParameterInfo, Transfer};

pub(super) fn read(cursor: &mut Cursor<'_>, name: &[u8]) -> Result<Option<Message>, SoapError> {
    let answer = match name {
        b"Fault" => return fault(cursor).map(|fault| Some(Message::Fault(fault))),
        b"GetRPCMethodsResponse" => Answer::GetRpcMethods(list(cursor, b"MethodList", strings)?),
        b"SetParameterValuesResponse" => Answer::SetParameterValues { status: statuses(cursor)?.1 },
        b"GetParameterValuesResponse" => Answer::GetParameterValues(list(cursor, b"ParameterList", parameter_values)?),
        b"GetParameterNamesResponse" => Answer::GetParameterNames(list(cursor, b"ParameterList", names)?),
        b"GetParameterAttributesResponse" => Answer::GetParameterAttributes(list(cursor, b"ParameterList", attributes)?),
        b"AddObjectResponse" => match statuses(cursor)? {
            (Some(instance), status) => Answer::AddObject { instance, status },
            (None, _) => return Err(INSTANCE.refuse(cursor, "")),
        },
        b"DeleteObjectResponse" => Answer::DeleteObject { status: statuses(cursor)?.1 },
        b"DownloadResponse" => Answer::Download(transfer(cursor)?),
        b"UploadResponse" => Answer::Upload(transfer(cursor)?),
        b"SetParameterAttributesResponse" => done(cursor, Answer::SetParameterAttributes)?,
        b"RebootResponse" => done(cursor, Answer::Reboot)?,
        b"FactoryResetResponse" => done(cursor, Answer::FactoryReset)?,
        b"ScheduleInformResponse" => done(cursor, Answer::ScheduleInform)?,
        b"CancelTransferResponse" => done(cursor, Answer::CancelTransfer)?,
        _ => return Ok(reply(cursor, name)?.map(Message::Reply)),
    };
    Ok(Some(Message::Answer(answer)))
}

fn reply(cursor: &mut Cursor<'_>, name: &[u8]) -> Result<Option<AcsReply>, SoapError> {
    Ok(Some(match name {
        b"InformResponse" => done(cursor, AcsReply::Inform)?,
        b"KickedResponse" => {
            let mut next_url = String::new();
            cursor.children(|cursor, _, _| word(cursor).map(|word| next_url = word))?;
            AcsReply::Kicked { next_url }
        }
        b"TransferCompleteResponse" => done(cursor, AcsReply::TransferComplete)?,
        b"AutonomousTransferCompleteResponse" => done(cursor, AcsReply::AutonomousTransferComplete)?,
        b"RequestDownloadResponse" => done(cursor, AcsReply::RequestDownload)?,
        b"DUStateChangeCompleteResponse" => done(cursor, AcsReply::DuStateChangeComplete)?,
        b"AutonomousDUStateChangeCompleteResponse" => done(cursor, AcsReply::AutonomousDuStateChangeComplete)?,
        _ => return Ok(None),
    }))
}

fn done<T>(cursor: &mut Cursor<'_>, answer: T) -> Result<T, SoapError> {
    cursor.skip().map(|()| answer)
}

/// The one list of a message; empty if it is not there. Where it comes in pieces, they are one list.
pub(super) fn list<T>(
    cursor: &mut Cursor<'_>,
    wanted: &[u8],
    mut read: impl FnMut(&mut Cursor<'_>, &mut Vec<T>) -> Result<(), SoapError>,
) -> Result<Vec<T>, SoapError> {
    let mut list = Vec::new();
    cursor.children(|cursor, name, _| if name == wanted { read(cursor, &mut list) } else { cursor.skip() })?;
    Ok(list)
}

/// `InstanceNumber`, and `Status`, which is 0 where it is missing.
fn statuses(cursor: &mut Cursor<'_>) -> Result<(Option<u32>, u8), SoapError> {
    let (mut instance, mut status) = (None, 0);
    fields!(cursor {
        b"InstanceNumber" => instance = Some(INSTANCE.read(cursor)?),
        b"Status" => status = STATUS.read(cursor)?,
    })?;
    Ok((instance, status))
}

fn transfer(cursor: &mut Cursor<'_>) -> Result<Transfer, SoapError> {
    let mut transfer = Transfer::default();
    fields!(cursor {
        b"Status" => transfer.status = STATUS.read(cursor)?,
        b"StartTime" => transfer.start = word(cursor)?,
        b"CompleteTime" => transfer.complete = word(cursor)?,
    })?;
    Ok(transfer)
}

fn names(cursor: &mut Cursor<'_>, list: &mut Vec<ParameterInfo>) -> Result<(), SoapError> {
    cursor.list(list, None, "a list of names", cursor.limits().parameters, |cursor| {
        let mut entry = ParameterInfo::default();
        fields!(cursor {
            b"Name" => entry.name = word(cursor)?,
            b"Writable" => entry.writable = boolean(cursor)?,
        })?;
        Ok(entry)
    })
}

fn attributes(cursor: &mut Cursor<'_>, list: &mut Vec<AccessAttributes>) -> Result<(), SoapError> {
    cursor.list(list, None, "a list of attributes", cursor.limits().parameters, |cursor| {
        let mut entry = AccessAttributes::default();
        fields!(cursor {
            b"Name" => entry.name = word(cursor)?,
            b"Notification" => entry.notification = NOTIFICATION.read(cursor)?,
            b"AccessList" => strings(cursor, &mut entry.access)?,
        })?;
        Ok(entry)
    })
}

/// A refusal. Its details may stand anywhere within, also inside `faultstring`; where there is no code either, what SOAP says stands in for them.
fn fault(cursor: &mut Cursor<'_>) -> Result<Fault, SoapError> {
    let mut fault = Fault::default();
    let mut said = String::new();
    let outside = cursor.depth() - 1;
    let mut saying = false;
    while cursor.depth() > outside {
        match cursor.step()? {
            Step::Open(start) => {
                saying = false;
                match start.local_name().as_ref() {
                    b"FaultCode" => fault.code = number(cursor)?,
                    b"FaultString" => fault.string = word(cursor)?,
                    b"SetParameterValuesFault" => {
                        let entry = parameter_fault(cursor)?;
                        cursor.push(&mut fault.parameters, "a list of faults", cursor.limits().parameters, entry)?;
                    }
                    b"faultstring" | b"Text" => saying = true,
                    _ => {}
                }
            }
            Step::Text(text) if saying && said.len() < cursor.limits().text => said.push_str(&text),
            Step::Text(_) => {}
            Step::Close => saying = false,
            Step::End => return Err(cursor.truncated()),
        }
    }
    if fault.code == 0 && fault.string.is_empty() {
        said.trim().clone_into(&mut fault.string);
    }
    Ok(fault)
}

fn parameter_fault(cursor: &mut Cursor<'_>) -> Result<ParameterFault, SoapError> {
    let mut fault = ParameterFault::default();
    fields!(cursor {
        b"ParameterName" => fault.name = word(cursor)?,
        b"FaultCode" => fault.code = number(cursor)?,
        b"FaultString" => fault.string = word(cursor)?,
    })?;
    Ok(fault)
}
