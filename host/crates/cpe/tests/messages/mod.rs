//! Messages at random: what a server sends, some of which may not be sent, and what a device would say by the book.
#![allow(dead_code, reason = "not every test that has this module uses all of it")]

use cpe::{
    device::DeviceId,
    soap::{
        AccessAttributes, AcsReply, Answer, Attributes, AutonomousTransferComplete, DeviceRpc, Download, DuResult, Envelope, EventCode, Fault,
        Inform, Message, Namespace, ParameterFault, ParameterInfo, ParameterValue, Rpc, SetValue, Transfer, TransferComplete, Upload,
    },
    value::ValueType,
};
use proptest::{collection::vec, option, prelude::*, sample::select};

/// Texts with all that XML gives a meaning to. White space at the ends has none.
pub(crate) fn word() -> impl Strategy<Value = String> {
    "([!-~é\u{1F4F6}]([ -~é\t\n\u{1F4F6}]{0,20}[!-~é\u{1F4F6}])?)?"
}

/// Now and then one with a character that cannot be sent, or one that is too long.
fn rough() -> impl Strategy<Value = String> {
    prop_oneof![20 => word(), 1 => "x[\u{0}-\u{1F}\u{FFFE}]{1,3}x", 1 => "[a-z.]{250,270}", 1 => "[a-z]{30,66}"]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![20 => "(Device|InternetGatewayDevice)(\\.[A-Z][A-Za-z0-9]{0,8}|\\.[0-9]{1,2}){1,5}\\.?", 1 => rough()]
}

fn kind() -> impl Strategy<Value = ValueType> {
    select(&ValueType::ALL[..])
}

/// A literal of a type.
fn literal(kind: ValueType) -> BoxedStrategy<String> {
    match kind {
        ValueType::String => word().boxed(),
        ValueType::Int => any::<i32>().prop_map(|number| number.to_string()).boxed(),
        ValueType::UnsignedInt => any::<u32>().prop_map(|number| number.to_string()).boxed(),
        ValueType::Long => any::<i64>().prop_map(|number| number.to_string()).boxed(),
        ValueType::UnsignedLong => any::<u64>().prop_map(|number| number.to_string()).boxed(),
        ValueType::Boolean => "0|1|true|false".boxed(),
        ValueType::DateTime => time().boxed(),
        ValueType::Base64 => "([A-Za-z0-9+/]{4}){0,4}([A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=|[A-Za-z0-9+/][AQgw]==)?".boxed(),
        ValueType::HexBinary => "([0-9A-Fa-f]{2}){0,8}".boxed(),
    }
}

fn time() -> impl Strategy<Value = String> {
    "(0001|1999|20[0-9]{2})-(0[1-9]|1[0-2])-([01][1-9]|20|28)T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-]0[0-9]:[0-5][0-9])?"
}

fn set_value() -> impl Strategy<Value = SetValue> {
    let value = kind().prop_flat_map(|kind| (Just(kind), prop_oneof![9 => literal(kind), 1 => rough()]));
    (name(), value).prop_map(|(name, (kind, value))| SetValue { name, value, kind })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    let access = option::of(vec(prop_oneof![9 => Just("Subscriber".to_owned()), 1 => rough()], 0..2));
    (name(), option::of(0_u8..8), access).prop_map(|(name, notification, access)| Attributes { name, notification, access })
}

fn file_type() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 5] =
        ["1 Firmware Upgrade Image", "3 Vendor Configuration File", "2 Vendor Log File", "7 Vendor Log File 1", "X 00D09E Anything  at all"];
    prop_oneof![9 => select(&KNOWN[..]).prop_map(str::to_owned), 1 => "[0-9X]( [a-zA-F0-9\t]{0,6}){0,3}", 1 => rough()]
}

fn download() -> impl Strategy<Value = Download> {
    let texts = (rough(), file_type(), rough(), rough(), rough(), rough());
    (texts, any::<u32>(), any::<u32>(), rough(), rough()).prop_map(|(texts, file_size, delay_s, success_url, failure_url)| {
        let (command_key, file_type, url, username, password, target_file_name) = texts;
        Download { command_key, file_type, url, username, password, file_size, target_file_name, delay_s, success_url, failure_url }
    })
}

fn upload() -> impl Strategy<Value = Upload> {
    download().prop_map(|Download { command_key, file_type, url, username, password, delay_s, .. }| Upload {
        command_key,
        file_type,
        url,
        username,
        password,
        delay_s,
    })
}

fn rpc() -> impl Strategy<Value = Rpc> {
    let key = rough;
    let object = || prop_oneof![9 => name().prop_map(|name| format!("{name}.")), 1 => rough()];
    prop_oneof![
        Just(Rpc::FactoryReset),
        (vec(set_value(), 0..6), key()).prop_map(|(list, parameter_key)| Rpc::SetParameterValues { list, parameter_key }),
        vec(name(), 0..6).prop_map(|names| Rpc::GetParameterValues { names }),
        vec(name(), 0..6).prop_map(|names| Rpc::GetParameterAttributes { names }),
        (name(), any::<bool>()).prop_map(|(path, next_level)| Rpc::GetParameterNames { path, next_level }),
        vec(attributes(), 0..4).prop_map(|list| Rpc::SetParameterAttributes { list }),
        (object(), key()).prop_map(|(object, parameter_key)| Rpc::AddObject { object, parameter_key }),
        (object(), key()).prop_map(|(object, parameter_key)| Rpc::DeleteObject { object, parameter_key }),
        download().prop_map(|file| Rpc::Download(Box::new(file))),
        upload().prop_map(|file| Rpc::Upload(Box::new(file))),
        key().prop_map(|command_key| Rpc::Reboot { command_key }),
        key().prop_map(|command_key| Rpc::CancelTransfer { command_key }),
        (any::<u32>(), key()).prop_map(|(delay_s, command_key)| Rpc::ScheduleInform { delay_s, command_key }),
    ]
}

fn code() -> impl Strategy<Value = u32> {
    prop_oneof![8000_u32..8010, 8795_u32..8905, 9000_u32..9035, 9790_u32..9905, Just(0)]
}

fn fault() -> impl Strategy<Value = Fault> {
    let parameter = (name(), 9000_u32..9012, rough()).prop_map(|(name, code, string)| ParameterFault { name, code, string });
    (code(), rough(), vec(parameter, 0..3)).prop_map(|(code, string, parameters)| Fault { code, string, parameters })
}

fn reply() -> impl Strategy<Value = AcsReply> {
    prop_oneof![
        Just(AcsReply::Inform),
        rough().prop_map(|next_url| AcsReply::Kicked { next_url }),
        select(
            &[
                AcsReply::TransferComplete,
                AcsReply::AutonomousTransferComplete,
                AcsReply::RequestDownload,
                AcsReply::DuStateChangeComplete,
                AcsReply::AutonomousDuStateChangeComplete,
            ][..]
        ),
    ]
}

/// What a server sends. `write` refuses some of it.
pub(crate) fn of_server() -> impl Strategy<Value = Message> {
    prop_oneof![4 => rpc().prop_map(Message::Rpc), 2 => reply().prop_map(Message::Reply), 1 => fault().prop_map(Message::Fault)]
}

fn parameter_value() -> impl Strategy<Value = ParameterValue> {
    let value = kind().prop_flat_map(|kind| (Just(kind), literal(kind)));
    (name(), value).prop_filter_map("short", |(name, (kind, value))| {
        (name.len() <= 256 && !name.contains(|character: char| character.is_control() || character == '\u{FFFE}')).then(|| ParameterValue {
            name,
            value,
            xsd: kind.name().to_owned(),
        })
    })
}

fn inform() -> impl Strategy<Value = Inform> {
    const CODES: [&str; 10] = [
        "0 BOOTSTRAP",
        "1 BOOT",
        "2 PERIODIC",
        "4 VALUE CHANGE",
        "6 CONNECTION REQUEST",
        "7 TRANSFER COMPLETE",
        "M Reboot",
        "M Download",
        "M X_00D09E_Do",
        "X 00D09E Do",
    ];
    let event = (select(&CODES[..]), word())
        .prop_map(|(code, key)| EventCode { code: code.to_owned(), command_key: key.chars().filter(char::is_ascii_graphic).collect() });
    let device = ("[A-Za-z]{0,9}", "[0-9A-F]{6}", "[!-~é]{0,20}", "[!-~]{1,20}");
    (device, vec(event, 0..5), time(), any::<u32>(), vec(parameter_value(), 0..8)).prop_map(
        |(device, events, current_time, retry_count, parameters)| {
            let (manufacturer, oui, product_class, serial) = device;
            Inform { device: DeviceId { manufacturer, oui, product_class, serial }, events, current_time, retry_count, parameters }
        },
    )
}

fn answer() -> impl Strategy<Value = Answer> {
    let transfer = || (0_u8..2, time(), time()).prop_map(|(status, start, complete)| Transfer { status, start, complete });
    let info = ("[A-Za-z.]{1,30}", any::<bool>()).prop_map(|(name, writable)| ParameterInfo { name, writable });
    let access = vec(Just("Subscriber".to_owned()), 0..2);
    let attributes = ("[A-Za-z.]{1,30}", 0_u8..3, access).prop_map(|(name, notification, access)| AccessAttributes { name, notification, access });
    prop_oneof![
        vec("[A-Za-z]{1,30}", 1..5).prop_map(Answer::GetRpcMethods),
        (0_u8..2).prop_map(|status| Answer::SetParameterValues { status }),
        vec(parameter_value(), 0..6).prop_map(Answer::GetParameterValues),
        vec(info, 0..6).prop_map(Answer::GetParameterNames),
        vec(attributes, 0..6).prop_map(Answer::GetParameterAttributes),
        (1_u32.., 0_u8..2).prop_map(|(instance, status)| Answer::AddObject { instance, status }),
        (0_u8..2).prop_map(|status| Answer::DeleteObject { status }),
        transfer().prop_map(Answer::Download),
        transfer().prop_map(Answer::Upload),
        select(&[Answer::SetParameterAttributes, Answer::Reboot, Answer::FactoryReset, Answer::ScheduleInform][..]),
    ]
}

fn transfer_complete() -> impl Strategy<Value = TransferComplete> {
    ("[!-~]{0,20}", select(&[0_u32, 9001, 9010, 9012][..]), word(), time(), time()).prop_map(
        |(command_key, fault_code, fault_string, start, complete)| TransferComplete { command_key, fault_code, fault_string, start, complete },
    )
}

fn event() -> impl Strategy<Value = DeviceRpc> {
    prop_oneof![
        Just(DeviceRpc::GetRpcMethods),
        transfer_complete().prop_map(DeviceRpc::TransferComplete),
        vec(("[!-~]{1,9}", word()), 0..3)
            .prop_map(|arguments| DeviceRpc::RequestDownload { file_type: "1 Firmware Upgrade Image".to_owned(), arguments }),
        (word(), word(), word(), word()).prop_map(|(command, referer, arg, next)| DeviceRpc::Kicked { command, referer, arg, next }),
    ]
}

/// What a device says, by the book of any version.
pub(crate) fn of_device() -> impl Strategy<Value = Message> {
    prop_oneof![inform().prop_map(|inform| Message::Inform(Box::new(inform))), answer().prop_map(Message::Answer), event().prop_map(Message::Event),]
}

fn autonomous() -> impl Strategy<Value = DeviceRpc> {
    (word(), word(), any::<bool>(), any::<u32>(), word(), transfer_complete()).prop_map(
        |(announce_url, transfer_url, is_download, file_size, target_file_name, end)| {
            let TransferComplete { fault_code, fault_string, start, complete, .. } = end;
            let file_type = "1 Firmware Upgrade Image".to_owned();
            DeviceRpc::AutonomousTransferComplete(AutonomousTransferComplete {
                announce_url,
                transfer_url,
                is_download,
                file_type,
                file_size,
                target_file_name,
                fault_code,
                fault_string,
                start,
                complete,
            })
        },
    )
}

fn du_result(operation: Option<&'static str>) -> impl Strategy<Value = DuResult> {
    let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}";
    let texts = (uuid, word(), word(), select(&["Installed", "Uninstalled", "Failed"][..]), word());
    (texts, any::<bool>(), time(), time(), select(&[0_u32, 9001, 9032][..]), word()).prop_map(
        move |(texts, resolved, start, complete, fault_code, fault_string)| {
            let (uuid, reference, version, state, execution_units) = texts;
            let (state, operation) = (state.to_owned(), operation.map(str::to_owned));
            DuResult { uuid, reference, version, state, resolved, execution_units, start, complete, fault_code, fault_string, operation }
        },
    )
}

/// What a device says that came with `cwmp-1-2`.
pub(crate) fn of_later_device() -> impl Strategy<Value = Message> {
    prop_oneof![
        autonomous(),
        (word(), vec(du_result(None), 1..3)).prop_map(|(command_key, results)| {
            let command_key = command_key.chars().take(32).collect::<String>().trim().to_owned();
            DeviceRpc::DuStateChangeComplete { command_key, results }
        }),
        vec(du_result(Some("Install")), 1..3).prop_map(|results| DeviceRpc::AutonomousDuStateChangeComplete { results }),
    ]
    .prop_map(Message::Event)
}

/// A message with what may stand in its header.
pub(crate) fn envelope(message: impl Strategy<Value = Message>) -> impl Strategy<Value = Envelope> {
    let header = (option::of(word()), any::<bool>(), option::weighted(0.2, any::<u32>()), option::weighted(0.2, Just("1.4".to_owned())));
    (header, vec("1\\.[0-4]", 0..3), select(&Namespace::ALL[..]), message).prop_map(
        |((id, hold_requests, session_timeout, use_version), supported_versions, namespace, message)| Envelope {
            id,
            namespace,
            hold_requests,
            no_more_requests: false,
            session_timeout,
            supported_versions,
            use_version,
            message,
        },
    )
}
