//! What devices and their simulators really sent, and the data models' own lists of hidden parameters.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cpe::{
    soap::{Answer, DeviceRpc, Limits, Message, Rpc, Style, read, write},
    value,
};
use expect_test::expect;

use super::{fixture, fixtures};

/// The messages, by their path: whole documents, and the bodies of recorded requests and answers.
fn messages() -> Vec<(String, Vec<u8>)> {
    let root = fixtures().join("cwmp");
    let mut files = Vec::new();
    below(&root, &mut files);
    files.sort();
    let read = |path: &PathBuf| {
        let bytes = fs::read(path).unwrap();
        let body = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n").map_or(0, |end| end + 4);
        let recorded = path.extension().is_some_and(|extension| extension == "txt");
        (path.strip_prefix(&root).unwrap().display().to_string(), if recorded { bytes[body..].to_vec() } else { bytes })
    };
    files.iter().map(read).filter(|(_, body)| !body.is_empty()).collect()
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            below(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "xml") || name.ends_with("-cpe.txt") || name.ends_with("-acs.txt") {
            files.push(path);
        }
    }
}

fn summary(message: &Message) -> String {
    let details = match message {
        Message::Inform(inform) => {
            let events: Vec<_> = inform.events.iter().map(|event| event.code.as_str()).collect();
            format!("{}, {}, {} parameters", inform.device.key(), events.join(" + "), inform.parameters.len())
        }
        Message::Fault(fault) => {
            let parameters = fault.parameters.iter().map(|parameter| format!(", {} {}", parameter.code, parameter.name));
            format!("{} {}{}", fault.code, fault.string, parameters.collect::<String>())
        }
        Message::Answer(Answer::GetParameterValues(list)) => format!("{} values", list.len()),
        Message::Answer(Answer::GetParameterNames(list)) => format!("{} names", list.len()),
        Message::Answer(Answer::SetParameterValues { status }) => format!("status {status}"),
        Message::Rpc(Rpc::SetParameterValues { list, parameter_key }) => format!("{} values, key `{parameter_key}`", list.len()),
        Message::Event(DeviceRpc::TransferComplete(transfer)) => format!("`{}`, {}", transfer.command_key, transfer.fault_code),
        Message::Rpc(_) | Message::Answer(_) | Message::Event(_) | Message::Reply(_) | Message::Unknown { .. } => String::new(),
    };
    format!("{} {details}", message.name()).trim_end().to_owned()
}

#[test]
fn every_message_that_was_recorded_is_read() {
    let told = messages().into_iter().map(|(name, body)| match read(&body, Some("utf-8"), &Limits::default()) {
        Ok(envelope) => format!("{name}: {} {} {}\n", envelope.namespace, envelope.id.as_deref().unwrap_or("-"), summary(&envelope.message)),
        Err(error) => format!("{name}: {error}\n"),
    });
    expect![[r#"
        captured/easycwmp/c01-01-cpe.txt: cwmp-1-2 1 Inform FFFFFF-easycwmp-FFFFFF123456, 0 BOOTSTRAP + 1 BOOT, 5 parameters
        captured/easycwmp/c01-02-acs.txt: cwmp-1-2 1 InformResponse
        captured/easycwmp/c01-02-cpe.txt: cwmp-1-2 1 Inform FFFFFF-easycwmp-FFFFFF123456, 0 BOOTSTRAP + 1 BOOT, 5 parameters
        captured/easycwmp/c01-03-acs.txt: cwmp-1-2 acs0 GetRPCMethods
        captured/easycwmp/c01-04-acs.txt: cwmp-1-2 acs1 GetParameterValues
        captured/easycwmp/c01-04-cpe.txt: cwmp-1-2 acs0 GetRPCMethodsResponse
        captured/easycwmp/c01-05-acs.txt: cwmp-1-2 acs2 SetParameterValues 2 values, key `pk-1`
        captured/easycwmp/c01-05-cpe.txt: cwmp-1-2 acs1 GetParameterValuesResponse 1 values
        captured/easycwmp/c01-06-acs.txt: cwmp-1-2 acs3 GetParameterValues
        captured/easycwmp/c01-06-cpe.txt: cwmp-1-2 acs2 SetParameterValuesResponse status 1
        captured/easycwmp/c01-07-acs.txt: cwmp-1-2 acs4 SetParameterValues 2 values, key `k2`
        captured/easycwmp/c01-07-cpe.txt: cwmp-1-2 acs3 GetParameterValuesResponse 2 values
        captured/easycwmp/c01-08-acs.txt: cwmp-1-2 acs5 GetParameterNames
        captured/easycwmp/c01-08-cpe.txt: cwmp-1-2 acs4 Fault 9003 Invalid arguments, 9008 Device.DeviceInfo.SoftwareVersion, 9005 Device.Nope.X
        captured/easycwmp/c01-09-cpe.txt: cwmp-1-2 acs5 GetParameterNamesResponse 2 names
        captured/easycwmp/c02-01-cpe.txt: cwmp-1-2 2 Inform FFFFFF-easycwmp-FFFFFF123456, 2 PERIODIC, 5 parameters
        captured/easycwmp/c02-02-acs.txt: cwmp-1-2 2 InformResponse
        captured/easycwmp/c02-02-cpe.txt: cwmp-1-2 2 Inform FFFFFF-easycwmp-FFFFFF123456, 2 PERIODIC, 5 parameters
        captured/easycwmp/c02-03-acs.txt: cwmp-1-2 acs0 GetRPCMethods
        captured/easycwmp/c02-04-acs.txt: cwmp-1-2 acs1 GetParameterValues
        captured/easycwmp/c02-04-cpe.txt: cwmp-1-2 acs0 GetRPCMethodsResponse
        captured/easycwmp/c02-05-acs.txt: cwmp-1-2 acs2 SetParameterValues 2 values, key `pk-1`
        captured/easycwmp/c02-05-cpe.txt: cwmp-1-2 acs1 GetParameterValuesResponse 1 values
        captured/easycwmp/c02-06-acs.txt: cwmp-1-2 acs3 GetParameterValues
        captured/easycwmp/c02-06-cpe.txt: cwmp-1-2 acs2 SetParameterValuesResponse status 1
        captured/easycwmp/c02-07-acs.txt: cwmp-1-2 acs4 SetParameterValues 2 values, key `k2`
        captured/easycwmp/c02-07-cpe.txt: cwmp-1-2 acs3 GetParameterValuesResponse 2 values
        captured/easycwmp/c02-08-acs.txt: cwmp-1-2 acs5 GetParameterNames
        captured/easycwmp/c02-08-cpe.txt: cwmp-1-2 acs4 Fault 9003 Invalid arguments, 9008 Device.DeviceInfo.SoftwareVersion, 9005 Device.Nope.X
        captured/easycwmp/c02-09-cpe.txt: cwmp-1-2 acs5 GetParameterNamesResponse 2 names
        captured/genieacs-sim/c02-01-acs.txt: cwmp-1-0 4s3zujp9 InformResponse
        captured/genieacs-sim/c02-01-cpe.txt: cwmp-1-0 4s3zujp9 Inform 202BC1-BM632w-000000, 2 PERIODIC, 7 parameters
        captured/genieacs-sim/c02-02-acs.txt: cwmp-1-0 acs0 GetRPCMethods
        captured/genieacs-sim/c02-03-acs.txt: cwmp-1-0 acs1 GetParameterValues
        captured/genieacs-sim/c02-03-cpe.txt: cwmp-1-0 acs0 Fault 9000 Method not supported
        captured/genieacs-sim/c02-04-acs.txt: cwmp-1-0 acs2 SetParameterValues 2 values, key `pk-1`
        captured/genieacs-sim/c02-04-cpe.txt: cwmp-1-0 acs1 GetParameterValuesResponse 1 values
        captured/genieacs-sim/c02-05-acs.txt: cwmp-1-0 acs3 GetParameterValues
        captured/genieacs-sim/c02-05-cpe.txt: cwmp-1-0 acs2 SetParameterValuesResponse status 0
        captured/genieacs-sim/c02-06-acs.txt: cwmp-1-0 acs4 AddObject
        captured/genieacs-sim/c02-06-cpe.txt: cwmp-1-0 acs3 GetParameterValuesResponse 2 values
        captured/genieacs-sim/c02-07-acs.txt: cwmp-1-0 acs5 Reboot
        captured/genieacs-sim/c02-07-cpe.txt: cwmp-1-0 acs4 AddObjectResponse
        captured/genieacs-sim/c02-08-cpe.txt: cwmp-1-0 acs5 Fault 9000 Method not supported
        captured/genieacs-sim-bootstrap/c02-01-acs.txt: cwmp-1-0 meuxvg6j InformResponse
        captured/genieacs-sim-bootstrap/c02-01-cpe.txt: cwmp-1-0 meuxvg6j Inform 202BC1-BM632w-BOOT001, 0 BOOTSTRAP, 7 parameters
        captured/genieacs-sim-bootstrap/c02-02-acs.txt: cwmp-1-0 acs0 GetRPCMethods
        captured/genieacs-sim-bootstrap/c02-03-acs.txt: cwmp-1-0 acs1 GetParameterValues
        captured/genieacs-sim-bootstrap/c02-03-cpe.txt: cwmp-1-0 acs0 Fault 9000 Method not supported
        captured/genieacs-sim-bootstrap/c02-04-acs.txt: cwmp-1-0 acs2 SetParameterValues 1 values, key `pk-1`
        captured/genieacs-sim-bootstrap/c02-04-cpe.txt: cwmp-1-0 acs1 GetParameterValuesResponse 1 values
        captured/genieacs-sim-bootstrap/c02-05-acs.txt: cwmp-1-0 acs3 GetParameterValues
        captured/genieacs-sim-bootstrap/c02-05-cpe.txt: cwmp-1-0 acs2 SetParameterValuesResponse status 0
        captured/genieacs-sim-bootstrap/c02-06-cpe.txt: cwmp-1-0 acs3 GetParameterValuesResponse 1 values
        caretaker/get_parameter_values_response.xml: cwmp-1-0 ID-XYZ GetParameterValuesResponse 8 values
        caretaker/inform.xml: cwmp-1-0 ID123 Inform A1B2C3-Router-XYZ123, 1 BOOT, 0 parameters
        caretaker/inform2.xml: cwmp-1-0 ID999 Inform A1B2C3-Router-ABC999, 1 BOOT, 0 parameters
        caretaker/inform_response.xml: cwmp-1-0 ID123 InformResponse
        freeacs-tr069/tr069/src/test/resources/provision/cpe/GetParameterNamesResponse.xml: cwmp-1-0 FREEACS-0 GetParameterNamesResponse 18 names
        freeacs-tr069/tr069/src/test/resources/provision/cpe/GetParameterValuesResponse.xml: cwmp-1-2 FREEACS-0 GetParameterValuesResponse 2 values
        freeacs-tr069/tr069/src/test/resources/provision/cpe/GetRPCMethods.xml: cwmp-1-2 FREEACS-0 GetRPCMethods
        freeacs-tr069/tr069/src/test/resources/provision/cpe/Inform.xml: cwmp-1-2 1 Inform 000000-FakeProductClass-FakeSerialNumber, 0 BOOTSTRAP + 1 BOOT + 4 VALUE CHANGE, 4 parameters
        freeacs-tr069/tr069/src/test/resources/provision/cpe/SetParameterValuesResponse.xml: cwmp-1-2 FREEACS-0 SetParameterValuesResponse status 0
        jdalberg-cwmp/bogus_inform_1.xml: the body ends within its message at byte 896; expected the rest of the message
        jdalberg-cwmp/inform_1.xml: cwmp-1-0 100 Inform AA1234-IAD_001-S99998888, 2 PERIODIC, 8 parameters
        simulatr69-rpc/add_object_request.xml: cwmp-1-0 123 AddObject
        simulatr69-rpc/add_object_response.xml: cwmp-1-0 123 AddObjectResponse
        simulatr69-rpc/autonomous_transfer_complete_request.xml: cwmp-1-0 123 AutonomousTransferComplete
        simulatr69-rpc/autonomous_transfer_complete_response.xml: cwmp-1-0 123 AutonomousTransferCompleteResponse
        simulatr69-rpc/delete_object_request.xml: cwmp-1-0 123 DeleteObject
        simulatr69-rpc/delete_object_response.xml: cwmp-1-0 123 DeleteObjectResponse
        simulatr69-rpc/download_request.xml: cwmp-1-0 123 Download
        simulatr69-rpc/download_response.xml: cwmp-1-0 123 DownloadResponse
        simulatr69-rpc/factory_reset_request.xml: cwmp-1-0 123 FactoryReset
        simulatr69-rpc/factory_reset_response.xml: cwmp-1-0 123 FactoryResetResponse
        simulatr69-rpc/fault_response.xml: cwmp-1-0 123 Fault 9000 Upload method not supported
        simulatr69-rpc/fault_set_parameter_values_response.xml: cwmp-1-0 123 Fault 9003 InvalidArguments, 9007 InternetGatewayDevice.Time.LocalTimeZone, 9007 InternetGatewayDevice.Time.LocalTimeZoneName
        simulatr69-rpc/get_invalid_parameter_values_request.xml: cwmp-1-0 123 GetParameterValues
        simulatr69-rpc/get_parameter_attributes_request.xml: cwmp-1-0 123 GetParameterAttributes
        simulatr69-rpc/get_parameter_attributes_response.xml: cwmp-1-0 123 GetParameterAttributesResponse
        simulatr69-rpc/get_parameter_names_request.xml: cwmp-1-0 123 GetParameterNames
        simulatr69-rpc/get_parameter_names_response.xml: cwmp-1-0 123 GetParameterNamesResponse 5 names
        simulatr69-rpc/get_parameter_values_fault_response.xml: cwmp-1-0 123 Fault 9005 InvalidParameterName
        simulatr69-rpc/get_parameter_values_request.xml: cwmp-1-0 123 GetParameterValues
        simulatr69-rpc/get_parameter_values_response.xml: cwmp-1-0 123 GetParameterValuesResponse 1 values
        simulatr69-rpc/get_rpc_methods_request.xml: cwmp-1-0 123 GetRPCMethods
        simulatr69-rpc/get_rpc_methods_response.xml: cwmp-1-0 123 GetRPCMethodsResponse
        simulatr69-rpc/inform_request.xml: cwmp-1-0 123 Inform DECADE-G3000E-G3000E%2D9799109101, 0 BOOTSTRAP, 10 parameters
        simulatr69-rpc/inform_response.xml: cwmp-1-0 123 InformResponse
        simulatr69-rpc/reboot_request.xml: cwmp-1-0 123 Reboot
        simulatr69-rpc/reboot_response.xml: cwmp-1-0 123 RebootResponse
        simulatr69-rpc/set_parameter_attributes_request.xml: cwmp-1-0 123 SetParameterAttributes
        simulatr69-rpc/set_parameter_attributes_response.xml: cwmp-1-0 123 SetParameterAttributesResponse
        simulatr69-rpc/set_parameter_values_request.xml: cwmp-1-0 123 SetParameterValues 2 values, key `n/a`
        simulatr69-rpc/set_parameter_values_response.xml: cwmp-1-0 123 SetParameterValuesResponse status 1
        simulatr69-rpc/transfer_complete_fault_request.xml: cwmp-1-0 123 TransferComplete `upgrade`, 9015
        simulatr69-rpc/transfer_complete_response.xml: cwmp-1-0 123 TransferCompleteResponse
        simulatr69-rpc/transfer_complete_success_request.xml: cwmp-1-0 123 TransferComplete `upgrade`, 0
    "#]].assert_eq(&told.collect::<String>());
}

/// What was read is written in our words and means the same.
#[test]
fn every_message_that_was_recorded_means_the_same_when_it_is_written_again() {
    let mut left_out = String::new();
    for (name, body) in messages() {
        let Ok(envelope) = read(&body, None, &Limits::default()) else {
            left_out += &format!("{name} cannot be read\n");
            continue;
        };
        match write(&envelope, &Style::default()) {
            Ok(text) => assert_eq!(read(text.as_bytes(), None, &Limits::default()), Ok(envelope), "{name}"),
            Err(error) => left_out += &format!("{name} cannot be written: {error}\n"),
        }
    }
    expect![[r#"
        jdalberg-cwmp/bogus_inform_1.xml cannot be read
        simulatr69-rpc/autonomous_transfer_complete_response.xml cannot be written: AutonomousTransferCompleteResponse: does not exist in cwmp-1-0
    "#]]
    .assert_eq(&left_out);
}

#[test]
fn what_the_data_models_hide_is_hidden_and_nothing_else_that_they_have() {
    for (root, hidden, parameters, least) in [
        ("InternetGatewayDevice.", "cwmp/hidden-params-tr098-1.8.txt", "cwmp/params-tr098-1.8.tsv", 18),
        ("Device.", "cwmp/hidden-params-tr181-2.12.txt", "cwmp/params-tr181-2.12.tsv", 34),
    ] {
        let instance = |name: &str| name.replace("{i}", "1");
        let hidden: std::collections::BTreeSet<String> = fixture(hidden).lines().map(instance).collect();
        assert!(hidden.len() >= least, "{root}: only {} are hidden", hidden.len());
        let all: Vec<String> = fixture(parameters).lines().filter_map(|line| Some(instance(line.split_once('\t')?.0))).collect();
        assert!(all.len() > 1_000, "{root}: only {} parameters", all.len());
        let differently: Vec<_> = all.iter().filter(|name| value::hidden(root, name) != hidden.contains(*name)).collect();
        assert!(differently.is_empty(), "{root}: {differently:#?}");
        assert!(hidden.iter().all(|name| value::hidden(root, name)), "{root}: of {hidden:#?} some are not hidden");
    }
}
