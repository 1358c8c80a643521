//! What is refused before it is sent, and how what is sent looks.

use expect_test::expect;

use super::{super::*, *};
use crate::{quirks::BooleanForm, value::ValueType};

fn written(namespace: Namespace, message: Message) -> Result<String, String> {
    write(&Envelope::new(namespace, "1", message), &Style::default()).map_err(|error| error.to_string())
}

#[test]
fn what_a_schema_forbids_is_not_sent() {
    let long = |length| "é".repeat(length);
    let set = |kind, value: &str| Rpc::SetParameterValues {
        list: vec![SetValue { name: "Device.A".into(), value: value.into(), kind }],
        parameter_key: String::new(),
    };
    let download = |file_type: &str| Rpc::Download(Box::new(Download { file_type: file_type.into(), ..Download::default() }));
    let notify = |level| Rpc::SetParameterAttributes { list: vec![Attributes { name: "Device.A".into(), notification: Some(level), access: None }] };
    let add = |object: &str| Rpc::AddObject { object: object.into(), parameter_key: String::new() };
    use Namespace::{V1_0, V1_1, V1_2};
    for (namespace, rpc, expected) in [
        (V1_0, Rpc::Reboot { command_key: long(32) }, ""),
        (V1_0, Rpc::Reboot { command_key: long(33) }, "CommandKey: has 33 characters; at most 32 are allowed"),
        (V1_0, Rpc::Reboot { command_key: "a\u{1}".into() }, "CommandKey: has the character U+0001, which XML cannot carry"),
        (V1_1, Rpc::CancelTransfer { command_key: String::new() }, "CancelTransfer: does not exist in cwmp-1-1"),
        (V1_2, Rpc::CancelTransfer { command_key: String::new() }, ""),
        (V1_2, Rpc::GetParameterValues { names: vec![] }, "ParameterNames: has 0 entries; expected one or more"),
        (V1_2, Rpc::GetParameterValues { names: vec![long(257)] }, "string: has 257 characters; at most 256 are allowed"),
        (V1_2, add("Device.NAT.PortMapping"), "ObjectName: is not a path that ends with `.`"),
        (V1_2, add("Device.NAT.PortMapping."), ""),
        (V1_1, notify(3), "Device.A: is not a level of notification that the version has"),
        (V1_2, notify(3), ""),
        (V1_2, notify(7), "Device.A: is not a level of notification that the version has"),
        (V1_0, download("1 Firmware Upgrade Image"), ""),
        (V1_0, download("4 Tone File"), "FileType: is not a type of file such as `1 Firmware Upgrade Image` that the version has"),
        (V1_2, download("4 Tone File"), ""),
        (V1_0, download("X 00D09E Whatever It Is"), ""),
        (V1_2, download("01 Tone File"), "FileType: is not a type of file such as `1 Firmware Upgrade Image` that the version has"),
        (V1_2, download("Firmware"), "FileType: is not a type of file such as `1 Firmware Upgrade Image` that the version has"),
        (V1_2, set(ValueType::Int, "-5"), ""),
        (V1_2, set(ValueType::Int, "1.5"), "Device.A: is not a number of the type `int`"),
        (V1_2, set(ValueType::Int, ""), "Device.A: is not a number of the type `int`"),
        (V1_2, set(ValueType::UnsignedInt, "4294967296"), "Device.A: is not a number of the type `unsignedInt`"),
        (V1_2, set(ValueType::UnsignedInt, "+1"), "Device.A: is not a number of the type `unsignedInt`"),
        (V1_2, set(ValueType::UnsignedLong, "18446744073709551615"), ""),
        (V1_2, set(ValueType::Boolean, "TRUE"), "Device.A: is not `0`, `1`, `true` or `false`"),
        (V1_2, set(ValueType::DateTime, "2026-02-30T00:00:00Z"), "Device.A: is not a time such as `2026-01-31T12:00:00Z`"),
        (V1_2, set(ValueType::DateTime, "0001-01-01T00:00:00Z"), ""),
        (V1_2, set(ValueType::DateTime, "2026-01-31T12:00:00.25+05:30"), ""),
        (V1_2, set(ValueType::Base64, "YQ="), "Device.A: is not base64 with its padding"),
        (V1_2, set(ValueType::HexBinary, "abc"), "Device.A: is not an even number of hexadecimal digits"),
    ] {
        let told = format!("{namespace} {rpc:?}");
        assert_eq!(written(namespace, Message::Rpc(rpc)).err().unwrap_or_default(), expected, "{told}");
    }
    for (namespace, code, fine) in
        [(V1_0, 8000, true), (V1_0, 8006, false), (V1_2, 8006, true), (V1_0, 9020, false), (V1_2, 9899, true), (V1_2, 0, false)]
    {
        assert_eq!(written(namespace, Message::Fault(Fault::new(code, ""))).is_ok(), fine, "{namespace} {code}");
    }
    let unknown = Message::Unknown { name: "Strange".to_owned() };
    assert_eq!(written(V1_2, unknown).expect_err("nobody knows it"), "Strange: is not a message that can be written");
}

#[test]
fn an_error_about_a_value_does_not_tell_it() {
    let secret = SetValue { name: "Device.WiFi.Key".into(), value: "hunter2\u{2}".into(), kind: ValueType::String };
    let rpc = Rpc::SetParameterValues { list: vec![secret], parameter_key: "k".into() };
    let told = format!("{rpc:?}");
    assert_eq!(told, "SetParameterValues { list: [Device.WiFi.Key (string)], parameter_key: \"k\" }");
    let error = written(Namespace::V1_2, Message::Rpc(rpc)).expect_err("a control character");
    assert_eq!(error, "Device.WiFi.Key: has the character U+0002, which XML cannot carry");
    let download = Download { password: "hunter2".into(), ..Download::default() };
    assert!(!format!("{download:?}").contains("hunter2"));
}

#[test]
fn a_request_is_written_in_the_version_and_the_style_of_the_device() {
    let list = vec![
        SetValue { name: "Device.WiFi.SSID.1.SSID".into(), value: "a<b>&\"'\r\n".into(), kind: ValueType::String },
        SetValue { name: "Device.X".into(), value: "aGk=".into(), kind: ValueType::Base64 },
    ];
    let set = Message::Rpc(Rpc::SetParameterValues { list, parameter_key: "pk".into() });
    let mut envelope = Envelope::new(Namespace::V1_1, "<1>", set);
    envelope.hold_requests = true;
    let style = Style { prolog: false, boolean: BooleanForm::Word };
    let text = write(&envelope, &style).expect("it can be written").replace("><", ">\n<");
    expect![[r#"
        <soap-env:Envelope xmlns:soap-env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:cwmp="urn:dslforum-org:cwmp-1-1">
        <soap-env:Header>
        <cwmp:ID soap-env:mustUnderstand="1">&lt;1&gt;</cwmp:ID>
        <cwmp:HoldRequests soap-env:mustUnderstand="1">true</cwmp:HoldRequests>
        </soap-env:Header>
        <soap-env:Body>
        <cwmp:SetParameterValues>
        <ParameterList soap-enc:arrayType="cwmp:ParameterValueStruct[2]">
        <ParameterValueStruct>
        <Name>Device.WiFi.SSID.1.SSID</Name>
        <Value xsi:type="xsd:string">a&lt;b&gt;&amp;&quot;&apos;&#13;
        </Value>
        </ParameterValueStruct>
        <ParameterValueStruct>
        <Name>Device.X</Name>
        <Value xsi:type="xsd:base64Binary">aGk=</Value>
        </ParameterValueStruct>
        </ParameterList>
        <ParameterKey>pk</ParameterKey>
        </cwmp:SetParameterValues>
        </soap-env:Body>
        </soap-env:Envelope>"#]].assert_eq(&text);
}
