//! Sessions: who says what, what becomes of what is asked, how they end.

use std::{sync::Arc, time::Duration};

use cpe::{
    acs::{Acs, AcsError, AskError, Busy, Options, Proof, SessionEnd, Work},
    quirks::{Quirks, Termination},
    soap::{Answer, Envelope, Fault, Message, Namespace, Rpc, SetValue, Style, write},
    value::ValueType,
};
use engine::{
    port::{LiveSpans, SystemClock},
    testing::MemorySpans,
};
use pipeline::PipelineName;

use crate::{
    device::{Device, Reply, inform, key, message, set_done},
    server::{Server, open},
};

fn set(value: &str) -> Rpc {
    let list = vec![SetValue { name: "Device.WiFi.SSID.1.SSID".into(), value: value.into(), kind: ValueType::String }];
    Rpc::SetParameterValues { list, parameter_key: "key".into() }
}

fn read(name: &str) -> Rpc {
    Rpc::GetParameterValues { names: vec![name.into()] }
}

/// The request in an answer, and its ID.
fn asked(reply: &Reply) -> (Message, String) {
    let envelope = reply.envelope();
    (envelope.message, envelope.id.unwrap())
}

#[tokio::test]
async fn a_session_without_work_is_four_messages() {
    let server = Server::start(open(), Work::None).await;
    let mut device = Device::connect(server.address).await;
    let opened = device.post("SOAPAction: \r\n", inform("1")).await;
    let envelope = opened.envelope();
    assert_eq!((opened.status, opened.message().as_str(), envelope.id.as_deref()), (200, "InformResponse", Some("inform-id")));
    assert_eq!(envelope.namespace, Namespace::V1_2);
    assert!(opened.names().any(|name| name == "Set-Cookie"), "some devices know no other spelling");
    let live = server.acs.in_session(&key("1")).expect("in session");
    assert_eq!((live.proof, live.exchanges, server.acs.sessions()), (Proof::None, 1, 1));
    let done = device.post(&opened.cookie(), "").await;
    assert_eq!((done.status, done.header("connection"), done.body.as_str()), (204, Some("close"), ""));
    assert_eq!(server.ended().await, (key("1"), SessionEnd::Done));
    assert!(server.acs.in_session(&key("1")).is_none());
    assert_eq!(server.acs.sessions(), 0);
    let contact = server.intake.contacts.lock().unwrap().remove(0);
    assert_eq!((contact.device, contact.session, contact.inform.events[0].code.as_str()), (key("1"), live.session, "1 BOOT"));
}

#[tokio::test]
async fn requests_go_out_with_the_answers_to_the_device() {
    let server = Server::start(open(), Work::Expected).await;
    let mut device = Device::connect(server.address).await;
    let root = server.spans.root(&PipelineName::new("cpe").unwrap());
    assert_eq!(server.ask(&key("1"), Rpc::Reboot { command_key: String::new() }, None).await, Err(AskError::NotInSession));
    device.post("", inform("1")).await;
    let work = async {
        // The first one waits for the device, the second one finds it waiting.
        let set = server.ask(&key("1"), set("secret"), Some(root.clone())).await;
        let rebooted = server.ask(&key("1"), Rpc::Reboot { command_key: "k".into() }, None).await;
        server.expect(&key("1"), false);
        (set, rebooted)
    };
    let answers = async {
        let (first, id) = asked(&device.post("", "").await);
        assert!(matches!(&first, Message::Rpc(Rpc::SetParameterValues { list, .. }) if list[0].value == "secret"), "{first:?}");
        let (second, again) = asked(&device.post("", set_done(&id)).await);
        assert!(matches!(second, Message::Rpc(Rpc::Reboot { .. })), "{second:?}");
        assert_ne!(id, again);
        let refused = message(&again, Message::Fault(Fault::new(9001, "not now")));
        assert_eq!(device.post("", refused).await.status, 204);
    };
    let ((set, rebooted), ()) = tokio::join!(work, answers);
    assert_eq!(set, Ok(Answer::SetParameterValues { status: 0 }));
    assert!(matches!(rebooted, Err(AskError::Fault(Fault { code: 9001, .. }))), "{rebooted:?}");
    assert_eq!(server.ended().await.1, SessionEnd::Done);
    let spans = server.spans.spans();
    let [span] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(
        (span.name.as_str(), span.client, &span.parent, &span.error),
        ("cwmp SetParameterValues", true, &Some(root), &None::<(String, String)>)
    );
    assert!(!format!("{spans:?}").contains("secret"));
}

#[tokio::test]
async fn odd_answers_are_taken_for_what_they_can_be() {
    let unexpected = |what: &str| Err(AskError::Unexpected(what.into()));
    let fault_without_code = r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault><faultcode>Client</faultcode></soap:Fault></soap:Body></soap:Envelope>"#;
    let no_id = Envelope { id: None, ..Envelope::new(Namespace::V1_0, "", Message::Answer(Answer::SetParameterValues { status: 0 })) };
    let no_id = write(&no_id, &Style::default()).unwrap();
    for (said, expected, status) in [
        (set_done("another"), Ok(Answer::SetParameterValues { status: 0 }), 204),
        (no_id, Ok(Answer::SetParameterValues { status: 0 }), 204),
        (fault_without_code.to_owned(), Err(AskError::Fault(Fault { string: "Client".into(), ..Fault::default() })), 204),
        (message("1", Message::Answer(Answer::Reboot)), unexpected("`RebootResponse` to `SetParameterValues`"), 204),
        (set_done("1").replace("SetParameterValuesResponse", "NewResponse"), unexpected("`NewResponse` to `SetParameterValues`"), 204),
        (String::new(), unexpected("an empty body"), 204),
        ("<not<xml".to_owned(), unexpected("a message that cannot be read"), 400),
    ] {
        let server = Server::start(open(), Work::Expected).await;
        let mut device = Device::connect(server.address).await;
        device.post("", inform("1")).await;
        let work = async {
            let answer = server.ask(&key("1"), set("x"), None).await;
            server.expect(&key("1"), false);
            answer
        };
        let answers = async {
            asked(&device.post("", "").await);
            device.post("", &said).await.status
        };
        let (answer, answered) = tokio::join!(work, answers);
        match (&answer, &expected) {
            (Err(AskError::Fault(found)), Err(AskError::Fault(wanted))) => assert_eq!(found.code, wanted.code, "{said}"),
            _ => assert_eq!((&answer, answered), (&expected, status), "{said}"),
        }
    }
}

#[tokio::test]
async fn an_answer_to_nothing_is_a_turn_of_ours() {
    let server = Server::start(open(), Work::None).await;
    for said in [set_done("1"), message("1", Message::Fault(Fault::new(9002, "what"))), message("", Message::Answer(Answer::Reboot))] {
        let mut device = Device::connect(server.address).await;
        device.post("", inform("1")).await;
        assert_eq!(device.post("", said).await.status, 204);
        assert_eq!(server.ended().await.1, SessionEnd::Done);
    }
}

#[tokio::test]
async fn a_session_is_known_by_its_cookie_or_by_its_connection() {
    let server = Server::start(Options { close_after_session: false, ..open() }, Work::None).await;
    let stale = {
        let mut device = Device::connect(server.address).await;
        let opened = device.post("", inform("old")).await;
        device.post("", "").await;
        opened.header("set-cookie").unwrap().to_owned()
    };
    let mut one = Device::connect(server.address).await;
    // On a connection without cookies, with a stale cookie, and with the cookie of another one.
    for lines in [String::new(), format!("Cookie: {stale}\r\n"), "Cookie: cwmp=0123\r\n".to_owned()] {
        assert_eq!(one.post(&lines, inform("1")).await.status, 200);
        assert_eq!(one.post(&lines, "").await.status, 204, "{lines}");
    }
    // On a new connection with every form of cookie.
    for form in ["Cookie: {value}", "Cookie: {value}; Path=/", "Cookie: a=b, {value}", "Cookie: {stale}\r\nCookie: {value}", "cookie:{value};"] {
        let opened = one.post("", inform("1")).await;
        let value = opened.header("set-cookie").unwrap().split(';').next().unwrap();
        let line = form.replace("{value}", value).replace("{stale}", &stale);
        let mut two = Device::connect(server.address).await;
        assert_eq!(two.post(&format!("{line}\r\n"), "").await.status, 204, "{line}");
    }
    // Without either there is no session, and who comes then begins again.
    one.post("", inform("1")).await;
    let mut two = Device::connect(server.address).await;
    let lost = two.post(&format!("Cookie: {stale}\r\n"), "").await;
    assert_eq!((lost.status, lost.header("connection")), (400, Some("close")));
    assert_eq!(one.post("", "").await.status, 204, "the session of another one is untouched");
    assert_eq!(one.post("", "").await.status, 204, "the end may be asked for twice");
}

#[tokio::test]
async fn behind_a_proxy_only_the_cookie_counts() {
    let server = Server::start(Options { bind_connections: false, close_after_session: false, ..open() }, Work::None).await;
    let mut proxy = Device::connect(server.address).await;
    let (one, two) = (proxy.post("", inform("1")).await, proxy.post("", inform("2")).await);
    assert_eq!(proxy.post(&one.cookie(), "").await.status, 204);
    assert_eq!(server.ended().await.0, key("1"));
    assert_eq!(proxy.post(&two.cookie(), "").await.status, 204);
    assert_eq!(server.ended().await.0, key("2"));
    proxy.post("", inform("3")).await;
    assert_eq!(proxy.post("", "").await.status, 400);
}

#[tokio::test]
async fn the_newest_inform_of_a_device_wins() {
    let server = Server::start(open(), Work::Expected).await;
    let mut before = Device::connect(server.address).await;
    before.post("", inform("1")).await;
    let one = key("1");
    let asking = async { tokio::join!(server.ask(&one, set("x"), None), server.ask(&one, read("y"), None)) };
    let device = async {
        asked(&before.post("", "").await);
        // The device restarts and begins again.
        let mut after = Device::connect(server.address).await;
        assert_eq!(after.post("", inform("1")).await.status, 200);
        after
    };
    let ((sent, unsent), mut after) = tokio::join!(asking, device);
    assert_eq!((sent, unsent), (Err(AskError::Lost { sent: true }), Err(AskError::Lost { sent: false })));
    assert_eq!(server.ended().await, (key("1"), SessionEnd::Superseded));
    assert_eq!(before.post("", set_done("1")).await.status, 400, "the session before is over");
    server.expect(&key("1"), false);
    assert_eq!(after.post("", "").await.status, 204);
    assert_eq!(server.ended().await, (key("1"), SessionEnd::Done));
}

#[tokio::test]
async fn a_later_session_gets_nothing_that_was_meant_for_the_one_before() {
    let server = Server::start(open(), Work::Expected).await;
    let one = key("1");
    let mut before = Device::connect(server.address).await;
    before.post("", inform("1")).await;
    let session = server.acs.in_session(&one).unwrap().session;
    let first = async { server.acs.ask(&one, session, set("first"), None).await };
    let answers = async {
        let (_, id) = asked(&before.post("", "").await);
        // Somebody who says that it is the same device begins a session before the device answers.
        let mut after = Device::connect(server.address).await;
        assert_eq!(after.post("", inform("1")).await.status, 200);
        assert_eq!(before.post("", set_done(&id)).await.status, 400);
        after
    };
    let (answer, mut after) = tokio::join!(first, answers);
    assert_eq!(answer, Err(AskError::Lost { sent: true }));
    assert_eq!(server.acs.ask(&one, session, set("secret"), None).await, Err(AskError::NotInSession));
    // Nor does it end with the one before.
    server.acs.expect(&one, session, false);
    let asking = async {
        let answer = server.ask(&one, read("Device.X"), None).await;
        server.expect(&one, false);
        answer
    };
    let (answer, reply) = tokio::join!(asking, async {
        let (asked, id) = asked(&after.post("", "").await);
        assert!(matches!(asked, Message::Rpc(Rpc::GetParameterValues { .. })), "{asked:?}");
        after.post("", message(&id, Message::Fault(Fault::new(9002, "what")))).await
    });
    assert!(matches!(answer, Err(AskError::Fault(_))), "{answer:?}");
    assert_eq!(reply.status, 204);
}

#[tokio::test]
async fn a_device_that_begins_again_before_it_is_answered_is_told_of_once() {
    let server = Server::start(open(), Work::None).await;
    let (mut before, mut after) = (Device::connect(server.address).await, Device::connect(server.address).await);
    let paused = server.intake.paused.write().await;
    let slow = async {
        server.contacted(1).await;
        let second = async {
            server.contacted(2).await;
            drop(paused);
        };
        tokio::join!(after.post("", inform("1")), second).0
    };
    let (first, second) = tokio::join!(before.post("", inform("1")), slow);
    assert_eq!((first.status, second.status), (503, 200));
    assert_eq!(server.ended().await.1, SessionEnd::Superseded);
    assert_eq!(after.post("", "").await.status, 204);
    assert_eq!(server.ended().await.1, SessionEnd::Done);
}

#[tokio::test]
async fn a_device_is_sent_away_at_once_while_too_many_wait_for_the_intake() {
    let server = Server::start(Options { informs: 1, ..open() }, Work::None).await;
    let paused = server.intake.paused.write().await;
    let mut first = Device::connect(server.address).await;
    let second = async {
        server.contacted(1).await;
        let reply = Device::connect(server.address).await.post("", inform("2")).await;
        drop(paused);
        reply
    };
    let (first, second) = tokio::join!(first.post("", inform("1")), second);
    assert_eq!((first.status, second.status, second.header("retry-after").is_some()), (200, 503, true));
    assert_eq!(Device::connect(server.address).await.post("", inform("2")).await.status, 200);
}

#[tokio::test]
async fn a_silent_device_is_out_of_session() {
    let server = Server::start(Options { session_ms: 1_000, ..open() }, Work::Expected).await;
    let mut stays = Device::connect(server.address).await;
    // It is asked while it waits for its first answer: its time has not begun then.
    let paused = server.intake.paused.write().await;
    let (device, leaves) = (key("stays"), key("leaves"));
    let asking = async {
        server.contacted(1).await;
        let answers = async {
            drop(paused);
            Device::connect(server.address).await.post("", inform("leaves")).await;
        };
        tokio::join!(server.ask(&device, set("x"), None), answers).0
    };
    let (_, asked) = tokio::join!(stays.post("", inform("stays")), asking);
    assert_eq!(asked, Err(AskError::Lost { sent: false }));
    let mut ends = [server.ended().await, server.ended().await];
    ends.sort_by_key(|(device, _)| device.to_string());
    assert_eq!(ends, [(leaves, SessionEnd::DeviceLeft), (device, SessionEnd::TimedOut)]);
    assert_eq!(stays.post("", "").await.status, 400, "the device begins again");
    assert_eq!(server.acs.sessions(), 0);
}

#[tokio::test]
async fn a_device_is_kept_waiting_for_a_while() {
    let server = Server::start(Options { hold_ms: 100, ..open() }, Work::Expected).await;
    let mut device = Device::connect(server.address).await;
    device.post("", inform("1")).await;
    assert_eq!(device.post("", "").await.status, 204, "nothing came");
    assert_eq!(server.ended().await.1, SessionEnd::Done);
}

#[tokio::test]
async fn what_was_asked_is_asked_again_of_a_device_that_did_not_get_it() {
    for (rpc, repeated) in [(set("x"), true), (Rpc::AddObject { object: "Device.X.".into(), parameter_key: "k".into() }, false)] {
        let server = Server::start(open(), Work::Expected).await;
        let mut device = Device::connect(server.address).await;
        let cookie = device.post("", inform("1")).await.cookie();
        let asking = async {
            let answer = server.ask(&key("1"), rpc.clone(), None).await;
            server.expect(&key("1"), false);
            answer
        };
        let answering = async {
            let (_, id) = asked(&device.post("", "").await);
            drop(device);
            let mut device = Device::connect(server.address).await;
            let again = device.post(&cookie, "").await;
            if repeated {
                assert_eq!(asked(&again), (Message::Rpc(rpc.clone()), id.clone()));
                assert_eq!(device.post(&cookie, set_done(&id)).await.status, 204);
            } else {
                assert_eq!(again.status, 204);
            }
        };
        let (answer, ()) = tokio::join!(asking, answering);
        assert_eq!(answer, if repeated { Ok(Answer::SetParameterValues { status: 0 }) } else { Err(AskError::Lost { sent: true }) });
    }
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_is_not_sent() {
    let server = Server::start(open(), Work::Expected).await;
    let mut device = Device::connect(server.address).await;
    device.post("", inform("1")).await;
    let gave_up = tokio::time::timeout(Duration::ZERO, server.ask(&key("1"), set("x"), None)).await;
    assert!(gave_up.is_err());
    server.expect(&key("1"), false);
    assert_eq!(device.post("", "").await.status, 204);
}

#[tokio::test]
async fn a_value_that_xml_cannot_carry_is_not_sent() {
    let server = Server::start(open(), Work::Expected).await;
    let mut device = Device::connect(server.address).await;
    device.post("", inform("1")).await;
    let asking = async {
        let answer = server.ask(&key("1"), set("secret\u{1}"), None).await;
        server.expect(&key("1"), false);
        answer
    };
    let (answer, reply) = tokio::join!(asking, device.post("", ""));
    let Err(AskError::Invalid(error)) = answer else { panic!("{answer:?}") };
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(reply.status, 204);
}

#[tokio::test]
async fn requests_of_devices_are_answered() {
    let server = Server::start(Options { close_after_session: false, ..open() }, Work::None).await;
    let mut device = Device::connect(server.address).await;
    device.post("", inform("1")).await;
    let envelope = |name: &str, inside: &str| {
        format!(
            r#"<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:c="urn:dslforum-org:cwmp-1-2"><e:Header><c:ID>a&lt;b</c:ID></e:Header><e:Body><c:{name}>{inside}</c:{name}></e:Body></e:Envelope>"#
        )
    };
    let transfer = "<CommandKey>k</CommandKey><FaultStruct><FaultCode>0</FaultCode><FaultString/></FaultStruct><StartTime>2026-01-01T00:00:00Z</StartTime><CompleteTime>2026-01-01T00:00:00Z</CompleteTime>";
    let autonomous = format!(
        "<AnnounceURL/><TransferURL/><IsDownload>1</IsDownload><FileType>1 Firmware Upgrade Image</FileType><FileSize>0</FileSize><TargetFileName/>{}",
        transfer.replace("<CommandKey>k</CommandKey>", "")
    );
    for (name, inside) in [
        ("TransferComplete", transfer),
        ("AutonomousTransferComplete", &autonomous),
        ("RequestDownload", "<FileType>1 Firmware Upgrade Image</FileType><FileTypeArg/>"),
        ("Kicked", "<Command>c</Command><Referer>r</Referer><Arg>a</Arg><Next>http://next/</Next>"),
        ("DUStateChangeComplete", "<Results/><CommandKey>k</CommandKey>"),
        ("AutonomousDUStateChangeComplete", "<Results/>"),
    ] {
        let reply = device.post("", envelope(name, inside)).await;
        let answer = reply.envelope();
        assert_eq!((reply.status, answer.message.name(), answer.id.as_deref()), (200, format!("{name}Response").as_str(), Some("a<b")));
        assert_eq!(server.intake.events.lock().unwrap().pop().map(|event| event.name()), Some(name));
    }
    let Message::Answer(Answer::GetRpcMethods(methods)) = device.post("", envelope("GetRPCMethods", "")).await.envelope().message else { panic!() };
    assert!(methods.contains(&"Inform".to_owned()) && methods.contains(&"DUStateChangeComplete".to_owned()), "{methods:?}");
    *server.intake.events_busy.lock().unwrap() = true;
    for (name, inside, code) in [("TransferComplete", transfer, 8005), ("Dance", "<A/>", 8000), ("GetParameterValues", "<ParameterNames/>", 8000)] {
        let reply = device.post("", envelope(name, inside)).await;
        let Message::Fault(fault) = reply.envelope().message else { panic!("{reply:?}") };
        assert_eq!((reply.status, fault.code), (200, code), "{name}");
    }
    assert_eq!(device.post("", "").await.status, 204, "the session went on");
}

#[tokio::test]
async fn a_device_that_cannot_be_taken_in_comes_again_later() {
    let server = Server::start(Options { sessions: 1, retry_after_s: 10, ..open() }, Work::None).await;
    *server.intake.work.lock().unwrap() = Err(Busy);
    let later = |reply: Reply| {
        let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert_eq!((reply.status, reply.header("connection"), (10..=20).contains(&seconds)), (503, Some("close"), true), "{reply:?}");
    };
    later(Device::connect(server.address).await.post("", inform("1")).await);
    assert_eq!(server.acs.sessions(), 0);
    *server.intake.work.lock().unwrap() = Ok(Work::None);
    let mut first = Device::connect(server.address).await;
    assert_eq!(first.post("", inform("1")).await.status, 200);
    later(Device::connect(server.address).await.post("", inform("2")).await);
    assert_eq!(first.post("", "").await.status, 204);
    assert_eq!(Device::connect(server.address).await.post("", inform("2")).await.status, 200);
}

#[tokio::test]
async fn quirks_change_what_is_answered() {
    let server = Server::start(open(), Work::None).await;
    let quirks = Quirks {
        prolog: false,
        cookie_path: "/acs".into(),
        termination: Termination::EmptyOk,
        namespace: Some(Namespace::V1_0),
        ..Quirks::default()
    };
    *server.intake.quirks.lock().unwrap() = Arc::new(quirks);
    let mut device = Device::connect(server.address).await;
    let opened = device.post("", inform("1")).await;
    assert!(opened.header("set-cookie").unwrap().ends_with("; Path=/acs"), "{opened:?}");
    assert!(!opened.body.starts_with("<?xml") && opened.body.contains("cwmp-1-0"), "{opened:?}");
    let done = device.post("", "").await;
    assert_eq!((done.status, done.header("content-length")), (200, Some("0")));
}

#[tokio::test]
async fn a_stop_ends_every_session_and_answers_who_waits() {
    let mut server = Server::start(open(), Work::Expected).await;
    let mut device = Device::connect(server.address).await;
    device.post("", inform("1")).await;
    let stop = async {
        // The device waits: its request is known once an exchange more is counted.
        while server.acs.in_session(&key("1")).is_none_or(|live| live.exchanges < 2) {
            tokio::task::yield_now().await;
        }
        server.stop.send(true).unwrap();
    };
    let (reply, ()) = tokio::join!(device.post("", ""), stop);
    assert_eq!(reply.status, 503);
    assert_eq!(server.ended().await.1, SessionEnd::Stopped);
    server.serving.join_next().await.unwrap().unwrap();
}

#[test]
fn a_realm_that_devices_would_not_understand_is_refused() {
    for realm in ["a\"b", "a\\", "a\r\nb", "\u{e4}"] {
        let options = Options { realm: realm.into(), ..Options::default() };
        let error = Acs::new(options, Arc::new(SystemClock), Arc::new(MemorySpans::default())).unwrap_err();
        assert_eq!(error, AcsError::Realm(realm.into()));
    }
}
