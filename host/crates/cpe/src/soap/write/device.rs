//! What devices say, for whoever plays a device. The fields are written as they are given.

use super::{replies, sheet::Sheet};
use crate::soap::{
    AccessAttributes, Answer, AutonomousTransferComplete, DeviceRpc, DuResult, Inform, ParameterInfo, Transfer, TransferComplete, WriteError,
};

/// No bound: a device may send what it likes, and so may who plays one.
const ANY: usize = usize::MAX;

pub(super) fn inform(sheet: &mut Sheet, inform: &Inform) -> Result<(), WriteError> {
    let Inform { device, events, current_time, retry_count, parameters } = inform;
    sheet.message("Inform", |sheet| {
        sheet.open("DeviceId");
        sheet.text("Manufacturer", &device.manufacturer)?;
        sheet.text("OUI", &device.oui)?;
        sheet.text("ProductClass", &device.product_class)?;
        sheet.text("SerialNumber", &device.serial)?;
        sheet.close("DeviceId");
        sheet.array("Event", "cwmp:EventStruct", events, |sheet, event| {
            sheet.open("EventStruct");
            sheet.text("EventCode", &event.code)?;
            sheet.text("CommandKey", &event.command_key)?;
            sheet.close("EventStruct");
            Ok(())
        })?;
        sheet.number("MaxEnvelopes", replies::MAX_ENVELOPES);
        sheet.text("CurrentTime", current_time)?;
        sheet.number("RetryCount", *retry_count);
        sheet.parameters(parameters)
    })
}

pub(super) fn answer(sheet: &mut Sheet, answer: &Answer) -> Result<(), WriteError> {
    let name = answer.name();
    match answer {
        Answer::GetRpcMethods(methods) => replies::methods_of(sheet, name, methods),
        Answer::SetParameterValues { status } | Answer::DeleteObject { status } => sheet.message(name, |sheet| {
            sheet.number("Status", (*status).into());
            Ok(())
        }),
        Answer::GetParameterValues(list) => sheet.message(name, |sheet| sheet.parameters(list)),
        Answer::GetParameterNames(list) => {
            sheet.message(name, |sheet| sheet.array("ParameterList", "cwmp:ParameterInfoStruct", list, parameter_info))
        }
        Answer::GetParameterAttributes(list) => {
            sheet.message(name, |sheet| sheet.array("ParameterList", "cwmp:ParameterAttributeStruct", list, attributes))
        }
        Answer::AddObject { instance, status } => sheet.message(name, |sheet| {
            sheet.number("InstanceNumber", *instance);
            sheet.number("Status", (*status).into());
            Ok(())
        }),
        Answer::Download(Transfer { status, start, complete }) | Answer::Upload(Transfer { status, start, complete }) => {
            sheet.message(name, |sheet| {
                sheet.number("Status", (*status).into());
                sheet.text("StartTime", start)?;
                sheet.text("CompleteTime", complete)
            })
        }
        Answer::SetParameterAttributes | Answer::Reboot | Answer::FactoryReset | Answer::ScheduleInform | Answer::CancelTransfer => {
            sheet.empty(name);
            Ok(())
        }
    }
}

fn parameter_info(sheet: &mut Sheet, ParameterInfo { name, writable }: &ParameterInfo) -> Result<(), WriteError> {
    sheet.open("ParameterInfoStruct");
    sheet.text("Name", name)?;
    sheet.boolean("Writable", *writable);
    sheet.close("ParameterInfoStruct");
    Ok(())
}

fn attributes(sheet: &mut Sheet, AccessAttributes { name, notification, access }: &AccessAttributes) -> Result<(), WriteError> {
    sheet.open("ParameterAttributeStruct");
    sheet.text("Name", name)?;
    sheet.number("Notification", (*notification).into());
    sheet.strings("AccessList", access, ANY)?;
    sheet.close("ParameterAttributeStruct");
    Ok(())
}

pub(super) fn event(sheet: &mut Sheet, event: &DeviceRpc) -> Result<(), WriteError> {
    let name = event.name();
    match event {
        DeviceRpc::TransferComplete(transfer) => sheet.message(name, |sheet| {
            let TransferComplete { command_key, fault_code, fault_string, start, complete } = transfer;
            sheet.text("CommandKey", command_key)?;
            ended(sheet, "FaultStruct", *fault_code, fault_string)?;
            sheet.text("StartTime", start)?;
            sheet.text("CompleteTime", complete)
        }),
        DeviceRpc::AutonomousTransferComplete(transfer) => sheet.message(name, |sheet| autonomous(sheet, transfer)),
        DeviceRpc::GetRpcMethods => {
            sheet.empty(name);
            Ok(())
        }
        DeviceRpc::RequestDownload { file_type, arguments } => sheet.message(name, |sheet| {
            sheet.text("FileType", file_type)?;
            sheet.array("FileTypeArg", "cwmp:ArgStruct", arguments, |sheet, (name, value)| {
                sheet.open("ArgStruct");
                sheet.text("Name", name)?;
                sheet.text("Value", value)?;
                sheet.close("ArgStruct");
                Ok(())
            })
        }),
        DeviceRpc::Kicked { command, referer, arg, next } => sheet.message(name, |sheet| {
            sheet.text("Command", command)?;
            sheet.text("Referer", referer)?;
            sheet.text("Arg", arg)?;
            sheet.text("Next", next)
        }),
        DeviceRpc::DuStateChangeComplete { command_key, results } => sheet.message(name, |sheet| {
            results.iter().try_for_each(|result| du_result(sheet, result))?;
            sheet.text("CommandKey", command_key)
        }),
        DeviceRpc::AutonomousDuStateChangeComplete { results } => {
            sheet.message(name, |sheet| results.iter().try_for_each(|result| du_result(sheet, result)))
        }
    }
}

fn autonomous(sheet: &mut Sheet, transfer: &AutonomousTransferComplete) -> Result<(), WriteError> {
    sheet.text("AnnounceURL", &transfer.announce_url)?;
    sheet.text("TransferURL", &transfer.transfer_url)?;
    sheet.boolean("IsDownload", transfer.is_download);
    sheet.text("FileType", &transfer.file_type)?;
    sheet.number("FileSize", transfer.file_size);
    sheet.text("TargetFileName", &transfer.target_file_name)?;
    ended(sheet, "FaultStruct", transfer.fault_code, &transfer.fault_string)?;
    sheet.text("StartTime", &transfer.start)?;
    sheet.text("CompleteTime", &transfer.complete)
}

/// How something ended: 0, or a code and why.
fn ended(sheet: &mut Sheet, name: &str, code: u32, string: &str) -> Result<(), WriteError> {
    sheet.open(name);
    sheet.number("FaultCode", code);
    sheet.text("FaultString", string)?;
    sheet.close(name);
    Ok(())
}

fn du_result(sheet: &mut Sheet, result: &DuResult) -> Result<(), WriteError> {
    sheet.open("Results");
    sheet.text("UUID", &result.uuid)?;
    sheet.text("DeploymentUnitRef", &result.reference)?;
    sheet.text("Version", &result.version)?;
    sheet.text("CurrentState", &result.state)?;
    sheet.boolean("Resolved", result.resolved);
    sheet.text("ExecutionUnitRefList", &result.execution_units)?;
    sheet.text("StartTime", &result.start)?;
    sheet.text("CompleteTime", &result.complete)?;
    ended(sheet, "Fault", result.fault_code, &result.fault_string)?;
    if let Some(operation) = &result.operation {
        sheet.text("OperationPerformed", operation)?;
    }
    sheet.close("Results");
    Ok(())
}
