//! What a server asks of devices. A server never receives it; whoever plays a device does.

use super::{
    SoapError,
    answers::list,
    cursor::Cursor,
    field::{NOTIFICATION, boolean, fields, number, parameter_values, strings, value, word},
};
use crate::{
    soap::{Attributes, Download, Message, Rpc, SetValue, Upload},
    value::ValueType,
};

pub(super) fn read(cursor: &mut Cursor<'_>, name: &[u8]) -> Result<Option<Message>, SoapError> {
    Ok(Some(Message::Rpc(match name {
        b"SetParameterValues" => set_values(cursor)?,
        b"GetParameterValues" => Rpc::GetParameterValues { names: list(cursor, b"ParameterNames", strings)? },
        b"GetParameterNames" => names(cursor)?,
        b"SetParameterAttributes" => Rpc::SetParameterAttributes { list: list(cursor, b"ParameterList", attributes)? },
        b"GetParameterAttributes" => Rpc::GetParameterAttributes { names: list(cursor, b"ParameterNames", strings)? },
        b"AddObject" => {
            let Keys { object, parameter_key, .. } = keys(cursor)?;
            Rpc::AddObject { object, parameter_key }
        }
        b"DeleteObject" => {
            let Keys { object, parameter_key, .. } = keys(cursor)?;
            Rpc::DeleteObject { object, parameter_key }
        }
        b"Download" => Rpc::Download(Box::new(transfer(cursor)?)),
        b"Upload" => {
            let Download { command_key, file_type, url, username, password, delay_s, .. } = transfer(cursor)?;
            Rpc::Upload(Box::new(Upload { command_key, file_type, url, username, password, delay_s }))
        }
        b"Reboot" => Rpc::Reboot { command_key: keys(cursor)?.command_key },
        b"FactoryReset" => {
            cursor.skip()?;
            Rpc::FactoryReset
        }
        b"ScheduleInform" => {
            let Keys { command_key, delay_s, .. } = keys(cursor)?;
            Rpc::ScheduleInform { delay_s, command_key }
        }
        b"CancelTransfer" => Rpc::CancelTransfer { command_key: keys(cursor)?.command_key },
        _ => return Ok(None),
    })))
}

fn set_values(cursor: &mut Cursor<'_>) -> Result<Rpc, SoapError> {
    let (mut values, mut parameter_key) = (Vec::new(), String::new());
    fields!(cursor {
        b"ParameterList" => parameter_values(cursor, &mut values)?,
        b"ParameterKey" => parameter_key = word(cursor)?,
    })?;
    let list = values.into_iter().map(|parameter| {
        let kind = ValueType::of_name(&parameter.xsd).unwrap_or_default();
        SetValue { name: parameter.name, value: parameter.value, kind }
    });
    Ok(Rpc::SetParameterValues { list: list.collect(), parameter_key })
}

fn names(cursor: &mut Cursor<'_>) -> Result<Rpc, SoapError> {
    let (mut path, mut next_level) = (String::new(), false);
    fields!(cursor {
        b"ParameterPath" => path = word(cursor)?,
        b"NextLevel" => next_level = boolean(cursor)?,
    })?;
    Ok(Rpc::GetParameterNames { path, next_level })
}

fn attributes(cursor: &mut Cursor<'_>, list: &mut Vec<Attributes>) -> Result<(), SoapError> {
    cursor.list(list, None, "a list of attributes", cursor.limits().parameters, one_attributes)
}

fn one_attributes(cursor: &mut Cursor<'_>) -> Result<Attributes, SoapError> {
    let (mut name, mut notification, mut access) = (String::new(), 0, Vec::new());
    let (mut notify, mut accessed) = (false, false);
    fields!(cursor {
        b"Name" => name = word(cursor)?,
        b"NotificationChange" => notify = boolean(cursor)?,
        b"Notification" => notification = NOTIFICATION.read(cursor)?,
        b"AccessListChange" => accessed = boolean(cursor)?,
        b"AccessList" => strings(cursor, &mut access)?,
    })?;
    Ok(Attributes { name, notification: notify.then_some(notification), access: accessed.then_some(access) })
}

/// The fields of the short requests.
#[derive(Default)]
struct Keys {
    object: String,
    parameter_key: String,
    command_key: String,
    delay_s: u32,
}

fn keys(cursor: &mut Cursor<'_>) -> Result<Keys, SoapError> {
    let mut keys = Keys::default();
    fields!(cursor {
        b"ObjectName" => keys.object = word(cursor)?,
        b"ParameterKey" => keys.parameter_key = word(cursor)?,
        b"CommandKey" => keys.command_key = word(cursor)?,
        b"DelaySeconds" => keys.delay_s = number(cursor)?,
    })?;
    Ok(keys)
}

fn transfer(cursor: &mut Cursor<'_>) -> Result<Download, SoapError> {
    let mut file = Download::default();
    fields!(cursor {
        b"CommandKey" => file.command_key = word(cursor)?,
        b"FileType" => file.file_type = word(cursor)?,
        b"URL" => file.url = word(cursor)?,
        b"Username" => file.username = word(cursor)?,
        b"Password" => file.password = value(cursor)?,
        b"FileSize" => file.file_size = number(cursor)?,
        b"TargetFileName" => file.target_file_name = word(cursor)?,
        b"DelaySeconds" => file.delay_s = number(cursor)?,
        b"SuccessURL" => file.success_url = word(cursor)?,
        b"FailureURL" => file.failure_url = word(cursor)?,
    })?;
    Ok(file)
}
