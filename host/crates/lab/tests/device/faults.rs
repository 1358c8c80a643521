//! Every fault that can be switched on does what it says.

use std::time::Duration;

use lab::device::{Device, DeviceOptions, End, Faults, Later, Lie, Missing, Model, Vanish};

use super::acs::{Acs, Script, asked, element, field, get, set, values};

const SSID: &str = "Device.WiFi.SSID.1.SSID";
const CHANNEL: &str = "Device.WiFi.Radio.1.Channel";
const KEY: &str = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";

fn settings() -> String {
    set(&[(SSID, "string", "Home"), (CHANNEL, "unsignedInt", "6"), (KEY, "string", "not the one")], "k")
}

#[tokio::test]
async fn a_liar_says_that_it_did_what_it_did_not() {
    for (lie, ssid, channel) in [(Lie::Everything, "NR-2200-R0000001", "1"), (Lie::About("Channel".to_owned()), "Home", "1")] {
        let faults = Faults { lie: Some(lie), ..Faults::default() };
        let (device, report, heard) = asked(faults, &[&settings(), &get(&[SSID, CHANNEL])]).await;
        assert_eq!((report.ended, element(&heard[2].body, "Status").as_deref()), (End::Done, Some("0")));
        assert_eq!((device.value(SSID).as_deref(), device.value(CHANNEL).as_deref()), (Some(ssid), Some(channel)));
        assert_eq!(values(&heard[3].body)[1].1, channel, "what it reads is what it has");
        assert_eq!(device.value("Device.ManagementServer.ParameterKey").as_deref(), Some("k"));
    }
}

#[tokio::test]
async fn what_is_missing_is_refused_or_swallowed() {
    let missing = |silent| Faults { missing: Some(Missing { names: vec!["Radio.1.Channel".to_owned()], silent }), ..Faults::default() };
    let asks = [settings(), get(&[SSID, CHANNEL]), get(&["Device.WiFi.Radio.1."])];
    let asks = asks.each_ref().map(String::as_str);
    let (device, report, heard) = asked(missing(false), &asks).await;
    assert_eq!((report.refused, device.value(SSID).as_deref()), (vec![9003, 9005], Some("NR-2200-R0000001")), "all or nothing");
    assert!(heard[2].body.contains("<ParameterName>Device.WiFi.Radio.1.Channel</ParameterName><FaultCode>9005</FaultCode>"), "{}", heard[2].body);
    assert!(values(&heard[4].body).iter().all(|(name, _)| name != CHANNEL));

    let (device, report, heard) = asked(missing(true), &asks).await;
    assert_eq!((report.refused, device.value(SSID).as_deref()), (vec![], Some("Home")));
    assert_eq!(values(&heard[3].body), [(SSID.to_owned(), "Home".to_owned())]);
}

#[tokio::test]
async fn status_1_means_later() {
    for (later, during, after, booted) in [(Later::Reboot, "1", "1", "6"), (Later::End, "1", "6", "6"), (Later::Now, "6", "6", "6")] {
        let faults = Faults { status1: Some(later), ..Faults::default() };
        let (device, _, heard) = asked(faults, &[&settings(), &get(&[CHANNEL])]).await;
        assert_eq!(element(&heard[2].body, "Status").as_deref(), Some("1"));
        assert_eq!((values(&heard[3].body)[0].1.as_str(), device.value(CHANNEL).as_deref()), (during, Some(after)), "{later:?}");
        device.reboot();
        assert_eq!((device.value(CHANNEL).as_deref(), device.pending()), (Some(booted), vec!["1 BOOT".to_owned()]), "{later:?}");
    }
}

#[tokio::test]
async fn a_slow_device_takes_its_time() {
    let begun = tokio::time::Instant::now();
    let faults = Faults { slow_ms: 30, ..Faults::default() };
    let (_, report, _) = asked(faults, &[&get(&[SSID]), &get(&[SSID])]).await;
    assert_eq!(report.ended, End::Done);
    assert!(begun.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn without_cookies_and_connections_only_the_order_is_left() {
    let (_, report, heard) = asked(Faults { no_cookies: true, ..Faults::default() }, &[&get(&[SSID])]).await;
    assert!(report.ended == End::Done && heard.iter().all(|request| field(&request.head, "cookie").is_none()));
    let (_, report, heard) = asked(Faults { new_connections: true, ..Faults::default() }, &[&get(&[SSID])]).await;
    assert_eq!((report.ended, heard.iter().map(|request| request.connection).collect::<Vec<_>>()), (End::Done, vec![1, 2, 3]));
}

#[tokio::test]
async fn a_device_that_loses_its_power_comes_back_with_a_boot() {
    let faults = Faults { reboot_after: Some(3), status1: Some(Later::Reboot), ..Faults::default() };
    let (device, report, _) = asked(faults, &[&settings(), &get(&[SSID])]).await;
    assert_eq!((report.ended, report.exchanges), (End::Rebooted, 3));
    assert_eq!((device.pending(), device.value(SSID).as_deref()), (vec!["1 BOOT".to_owned()], Some("Home")));
    assert_eq!(device.session(&[]).await.unwrap().rpcs.len(), 0, "the server is gone with the first test");
}

#[tokio::test]
async fn a_device_vanishes_before_or_after_it_did_what_it_was_asked() {
    for (done, ssid) in [(false, "NR-2200-R0000001"), (true, "Home")] {
        let faults = Faults { vanishes: Some(Vanish { rpc: "SetParameterValues".to_owned(), done }), ..Faults::default() };
        let (device, report, heard) = asked(faults, &[&settings()]).await;
        assert_eq!((report.ended, heard.len(), device.value(SSID).as_deref()), (End::Vanished, 2, Some(ssid)));
    }
}

#[tokio::test]
async fn it_claims_to_be_another() {
    let (_, _, heard) = asked(Faults { claims_serial: Some("R9999999".to_owned()), ..Faults::default() }, &[]).await;
    assert_eq!(element(&heard[0].body, "SerialNumber").as_deref(), Some("R9999999"));
    let acs = Acs::new(Script { challenge: Some(r#"Basic realm="a""#.to_owned()), ..Script::default() }).await;
    let faults = Faults { wrong_password: true, ..Faults::default() };
    acs.device(Model::Tr181Router, faults).session(&[]).await.unwrap();
    let said = field(&acs.heard().last().unwrap().head, "authorization").unwrap();
    assert_eq!(said, "Basic MEExMUNFLU5SJTJEMjIwMC1SMDAwMDAwMTpub3QgZmFjdG9yeQ==");
}

#[tokio::test]
async fn the_same_values_come_in_other_forms() {
    let names = ["Device.WiFi.SSID.1.Enable", "Device.WiFi.SSID.1.BSSID", "Device.ManagementServer.PeriodicInformTime", SSID];
    let asks = [set(&[(names[0], "boolean", "true"), (names[2], "dateTime", "2026-01-01T00:00:00Z")], ""), get(&names)];
    let (device, _, heard) = asked(Faults { other_forms: true, ..Faults::default() }, &asks.each_ref().map(String::as_str)).await;
    let read: Vec<String> = values(&heard[3].body).into_iter().map(|(_, value)| value).collect();
    let mac = device.value(names[1]).unwrap();
    assert_eq!(read, ["1", &mac.to_ascii_lowercase(), "2026-01-01T00:00:00+00:00", "NR-2200-R0000001"]);
}

#[tokio::test]
async fn values_can_be_late_and_lists_in_disorder() {
    for (applies_after_ms, read) in [(600_000, "1"), (1, "6")] {
        let faults = Faults { applies_after_ms, slow_ms: 2, ..Faults::default() };
        let (device, _, heard) = asked(faults, &[&settings(), &get(&[CHANNEL])]).await;
        assert_eq!((element(&heard[2].body, "Status").as_deref(), values(&heard[3].body)[0].1.as_str()), (Some("0"), read));
        assert_eq!(device.value(CHANNEL).as_deref(), Some(read));
    }
    let standards = "Device.WiFi.Radio.2.OperatingStandards";
    let (_, _, heard) = asked(Faults { reverses_lists: true, ..Faults::default() }, &[&get(&[standards])]).await;
    assert_eq!(values(&heard[2].body)[0].1, "ac,n,a");
}

#[tokio::test]
async fn it_is_particular_about_forms() {
    let boolean = |value| set(&[("Device.WiFi.SSID.1.Enable", "boolean", value)], "");
    let time = |value| set(&[("Device.ManagementServer.PeriodicInformTime", "dateTime", value)], "");
    let cases = [
        (Faults { digits_only: true, ..Faults::default() }, boolean("1"), boolean("true"), 9003),
        (Faults { whole_seconds: true, ..Faults::default() }, time("2026-01-01T00:00:00Z"), time("2026-01-01T00:00:00.5Z"), 9003),
        (Faults { at_most: Some(2), ..Faults::default() }, boolean("true"), settings(), 9004),
        (Faults { at_most: Some(1), ..Faults::default() }, get(&[SSID]), get(&[SSID, CHANNEL]), 9004),
        (Faults { no_parameter_key: true, ..Faults::default() }, boolean("true"), settings(), 9003),
    ];
    for (faults, good, bad, code) in cases {
        let (_, report, _) = asked(faults.clone(), &[&good, &bad]).await;
        assert_eq!((report.ended, report.rpcs.len(), report.refused), (End::Done, 2, vec![code]), "{faults:?}");
    }
    for (faults, exchanges) in [(Faults { no_prolog: true, ..Faults::default() }, 1), (Faults { no_204: true, ..Faults::default() }, 2)] {
        let (_, report, _) = asked(faults, &[]).await;
        assert!(matches!(report.ended, End::Unexpected(_)) && report.exchanges == exchanges, "{report:?}");
    }
}

#[tokio::test]
async fn what_it_refuses_it_names() {
    let faults = Faults { refuses: Some((9007, "SSID.1.SSID".to_owned())), ..Faults::default() };
    let (device, report, heard) = asked(faults, &[&settings()]).await;
    assert_eq!((report.refused, device.value(CHANNEL).as_deref()), (vec![9003], Some("1")));
    let fault = "<FaultCode>9003</FaultCode><FaultString>Invalid arguments</FaultString><SetParameterValuesFault><ParameterName>Device.WiFi.SSID.1.SSID\
                 </ParameterName><FaultCode>9007</FaultCode><FaultString>Invalid parameter value</FaultString></SetParameterValuesFault></cwmp:Fault>";
    assert!(heard[2].body.contains(fault), "{}", heard[2].body);
}

#[tokio::test]
async fn hidden_parameters_read_empty_unless_they_do_not() {
    for (shows_hidden, expected) in [(false, ""), (true, "not the one")] {
        let (device, _, heard) = asked(Faults { shows_hidden, ..Faults::default() }, &[&settings(), &get(&[KEY])]).await;
        assert_eq!((values(&heard[3].body)[0].1.as_str(), device.value(KEY).as_deref()), (expected, Some("not the one")));
    }
}

#[tokio::test]
async fn its_messages_are_as_odd_as_they_may_be() {
    let (_, report, heard) = asked(Faults { no_id: true, ..Faults::default() }, &[&get(&[SSID])]).await;
    assert!(report.ended == End::Done && heard.iter().all(|request| !request.body.contains("ID ")), "{heard:#?}");
    let (_, report, heard) = asked(Faults { odd_xml: true, ..Faults::default() }, &[&get(&[SSID]), "<cwmp:GetOptions/>"]).await;
    assert_eq!((report.ended, report.refused), (End::Done, vec![9000]));
    let body = &heard[2].body;
    let signs = ["\u{feff}", "<SOAP_ENV-2:Envelope", "ParameterValueStruct[10]", "<![CDATA[NR-2200-R0000001]]>", "<Name xsi:type="];
    assert!(signs.iter().all(|sign| body.contains(sign)), "{body}");
    assert!(heard[3].body.contains("<SOAP_ENV-2:Fault><faultcode>") && heard[3].body.contains("<ns.1:Fault>"), "{}", heard[3].body);
    let (_, _, heard) = asked(Faults { short_length: true, ..Faults::default() }, &[]).await;
    assert!(heard[0].body.ends_with("Envelope") && heard[1].head.starts_with(">POST"), "{heard:#?}");
}

#[tokio::test]
async fn patience_ends() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let acs_url = format!("http://{}/", silent.local_addr().unwrap());
    let device = Device::new(DeviceOptions { acs_url, patience: Duration::from_millis(20), ..DeviceOptions::default() });
    assert_eq!(device.session(&[]).await.unwrap().ended, End::TimedOut);
    assert_eq!(device.statistics().lost, 1);
}
