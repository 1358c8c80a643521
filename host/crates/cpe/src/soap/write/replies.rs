//! What a server answers to devices, and how it refuses.

use super::{
    form,
    sheet::{Sheet, problem},
};
use crate::soap::{AcsReply, Fault, Namespace, WriteError, WriteProblem};

/// How many envelopes either side takes at once: the standard allows no other number.
pub(super) const MAX_ENVELOPES: u32 = 1;

pub(super) fn write(sheet: &mut Sheet, reply: &AcsReply) -> Result<(), WriteError> {
    let name = reply.name();
    match reply {
        AcsReply::Inform => sheet.message(name, |sheet| {
            sheet.number("MaxEnvelopes", MAX_ENVELOPES);
            Ok(())
        }),
        AcsReply::GetRpcMethods(methods) => methods_of(sheet, name, methods),
        AcsReply::Kicked { next_url } => sheet.message(name, |sheet| sheet.short("NextURL", next_url, form::PAGE)),
        AcsReply::TransferComplete | AcsReply::RequestDownload => {
            sheet.empty(name);
            Ok(())
        }
        AcsReply::AutonomousTransferComplete => later(sheet, Namespace::V1_1, name),
        AcsReply::DuStateChangeComplete | AcsReply::AutonomousDuStateChangeComplete => later(sheet, Namespace::V1_2, name),
    }
}

fn later(sheet: &mut Sheet, first: Namespace, name: &str) -> Result<(), WriteError> {
    sheet.since(first, name)?;
    sheet.empty(name);
    Ok(())
}

/// The answer to `GetRPCMethods`, which both sides give.
pub(super) fn methods_of(sheet: &mut Sheet, name: &str, methods: &[String]) -> Result<(), WriteError> {
    if methods.is_empty() {
        return Err(problem("MethodList", WriteProblem::Entries { found: 0, expected: "one or more" }));
    }
    sheet.message(name, |sheet| sheet.strings("MethodList", methods, form::TYPE))
}

/// A refusal, of either side.
pub(super) fn fault(sheet: &mut Sheet, fault: &Fault) -> Result<(), WriteError> {
    let Fault { code, string, parameters } = fault;
    let codes = parameters.iter().map(|parameter| parameter.code).chain([*code]);
    if codes.into_iter().any(|code| !form::is_fault(code, sheet.namespace())) {
        return Err(problem("FaultCode", WriteProblem::Form("a code that the version has")));
    }
    sheet.open("soap-env:Fault");
    sheet.text("faultcode", blamed(*code))?;
    sheet.text("faultstring", "CWMP fault")?;
    sheet.open("detail");
    sheet.message("Fault", |sheet| {
        sheet.number("FaultCode", *code);
        sheet.text("FaultString", string)?;
        for parameter in parameters {
            sheet.open("SetParameterValuesFault");
            sheet.text("ParameterName", &parameter.name)?;
            sheet.number("FaultCode", parameter.code);
            sheet.text("FaultString", &parameter.string)?;
            sheet.close("SetParameterValuesFault");
        }
        Ok(())
    })?;
    sheet.close("detail");
    sheet.close("soap-env:Fault");
    Ok(())
}

/// Whose mistake SOAP is told it was: whoever sent arguments that are not right, or else whoever refuses.
fn blamed(code: u32) -> &'static str {
    match code {
        8003 | 9003 | 9005..=9008 => "Client",
        _ => "Server",
    }
}
