//! What a server asks of devices.

use super::{
    form::{self, Direction},
    sheet::{Sheet, problem},
};
use crate::soap::{Attributes, Download, Namespace, Rpc, SetValue, Upload, WriteError, WriteProblem};

pub(super) fn write(sheet: &mut Sheet, rpc: &Rpc) -> Result<(), WriteError> {
    let name = rpc.name();
    match rpc {
        Rpc::GetRpcMethods | Rpc::FactoryReset => {
            sheet.empty(name);
            Ok(())
        }
        Rpc::SetParameterValues { list, parameter_key } => sheet.message(name, |sheet| {
            sheet.array("ParameterList", "cwmp:ParameterValueStruct", list, set_value)?;
            sheet.short("ParameterKey", parameter_key, form::KEY)
        }),
        Rpc::GetParameterValues { names } | Rpc::GetParameterAttributes { names } => sheet.message(name, |sheet| {
            some("ParameterNames", names.len())?;
            sheet.strings("ParameterNames", names, form::NAME)
        }),
        Rpc::GetParameterNames { path, next_level } => sheet.message(name, |sheet| {
            sheet.short("ParameterPath", path, form::NAME)?;
            sheet.boolean("NextLevel", *next_level);
            Ok(())
        }),
        Rpc::SetParameterAttributes { list } => sheet.message(name, |sheet| {
            some("ParameterList", list.len())?;
            sheet.array("ParameterList", "cwmp:SetParameterAttributesStruct", list, attributes)
        }),
        Rpc::AddObject { object, parameter_key } | Rpc::DeleteObject { object, parameter_key } => sheet.message(name, |sheet| {
            if !object.ends_with('.') || object.contains(['\n', '\r']) {
                return Err(problem("ObjectName", WriteProblem::Form("a path that ends with `.`")));
            }
            sheet.short("ObjectName", object, form::NAME)?;
            sheet.short("ParameterKey", parameter_key, form::KEY)
        }),
        Rpc::Download(file) => sheet.message(name, |sheet| download(sheet, file)),
        Rpc::Upload(file) => sheet.message(name, |sheet| upload(sheet, file)),
        Rpc::Reboot { command_key } => sheet.message(name, |sheet| sheet.short("CommandKey", command_key, form::KEY)),
        Rpc::CancelTransfer { command_key } => {
            sheet.since(Namespace::V1_2, name)?;
            sheet.message(name, |sheet| sheet.short("CommandKey", command_key, form::KEY))
        }
        Rpc::ScheduleInform { delay_s, command_key } => sheet.message(name, |sheet| {
            sheet.number("DelaySeconds", *delay_s);
            sheet.short("CommandKey", command_key, form::KEY)
        }),
    }
}

fn some(field: &str, found: usize) -> Result<(), WriteError> {
    if found == 0 { Err(problem(field, WriteProblem::Entries { found, expected: "one or more" })) } else { Ok(()) }
}

fn set_value(sheet: &mut Sheet, SetValue { name, value, kind }: &SetValue) -> Result<(), WriteError> {
    if !form::is_literal(*kind, value) {
        return Err(problem(name, WriteProblem::Form(expected(*kind))));
    }
    sheet.parameter(name, form::xsd(*kind), value)
}

fn expected(kind: crate::value::ValueType) -> &'static str {
    use crate::value::ValueType as Kind;
    match kind {
        Kind::String => "a text",
        Kind::Int => "a number of the type `int`",
        Kind::UnsignedInt => "a number of the type `unsignedInt`",
        Kind::Long => "a number of the type `long`",
        Kind::UnsignedLong => "a number of the type `unsignedLong`",
        Kind::Boolean => "`0`, `1`, `true` or `false`",
        Kind::DateTime => "a time such as `2026-01-31T12:00:00Z`",
        Kind::Base64 => "base64 with its padding",
        Kind::HexBinary => "an even number of hexadecimal digits",
    }
}

fn attributes(sheet: &mut Sheet, entry: &Attributes) -> Result<(), WriteError> {
    let Attributes { name, notification, access } = entry;
    let level = notification.unwrap_or(0);
    let highest = if sheet.namespace() < Namespace::V1_2 { 2 } else { 6 };
    if level > highest {
        return Err(problem(name, WriteProblem::Form("a level of notification that the version has")));
    }
    let entities = access.as_deref().unwrap_or_default();
    if entities.iter().any(|entity| entity != "Subscriber") {
        return Err(problem(name, WriteProblem::Form("the access list `Subscriber`, or an empty one")));
    }
    sheet.open("SetParameterAttributesStruct");
    sheet.short("Name", name, form::NAME)?;
    sheet.boolean("NotificationChange", notification.is_some());
    sheet.number("Notification", level.into());
    sheet.boolean("AccessListChange", access.is_some());
    sheet.strings("AccessList", entities, form::TYPE)?;
    sheet.close("SetParameterAttributesStruct");
    Ok(())
}

fn file_type(sheet: &mut Sheet, text: &str, direction: Direction) -> Result<(), WriteError> {
    if !form::is_file_type(text, direction, sheet.namespace()) {
        return Err(problem("FileType", WriteProblem::Form("a type of file such as `1 Firmware Upgrade Image` that the version has")));
    }
    sheet.short("FileType", text, form::TYPE)
}

fn download(sheet: &mut Sheet, file: &Download) -> Result<(), WriteError> {
    sheet.short("CommandKey", &file.command_key, form::KEY)?;
    file_type(sheet, &file.file_type, Direction::Download)?;
    sheet.short("URL", &file.url, form::NAME)?;
    sheet.short("Username", &file.username, form::NAME)?;
    sheet.short("Password", &file.password, form::NAME)?;
    sheet.number("FileSize", file.file_size);
    sheet.short("TargetFileName", &file.target_file_name, form::NAME)?;
    sheet.number("DelaySeconds", file.delay_s);
    sheet.short("SuccessURL", &file.success_url, form::NAME)?;
    sheet.short("FailureURL", &file.failure_url, form::NAME)
}

fn upload(sheet: &mut Sheet, file: &Upload) -> Result<(), WriteError> {
    sheet.short("CommandKey", &file.command_key, form::KEY)?;
    file_type(sheet, &file.file_type, Direction::Upload)?;
    sheet.short("URL", &file.url, form::NAME)?;
    sheet.short("Username", &file.username, form::NAME)?;
    sheet.short("Password", &file.password, form::NAME)?;
    sheet.number("DelaySeconds", file.delay_s);
    Ok(())
}
