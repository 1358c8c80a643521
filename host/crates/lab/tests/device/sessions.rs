//! What a session looks like from outside: events, cookies, connections, proofs of identity.

use lab::device::{Device, DeviceOptions, End, Faults, Login, Model};

use super::acs::{Acs, Script, asked, element, field, get, set, values};

const SSID: &str = "Device.WiFi.SSID.1.SSID";

#[tokio::test]
async fn ten_parameters_take_four_exchanges_with_their_verification() {
    let settings = [(SSID, "string", "Home &amp; away"), ("Device.WiFi.SSID.1.Enable", "boolean", "true")];
    let (device, report, heard) = asked(Faults::default(), &[&set(&settings, "key-1"), &get(&[SSID, "Device.WiFi.SSID.1.Enable"])]).await;
    assert_eq!((report.ended, report.exchanges, report.authenticated_exchanges), (End::Done, 4, 4));
    assert_eq!((report.rpcs, report.complaints), (vec!["SetParameterValues".to_owned(), "GetParameterValues".to_owned()], vec![]));
    assert_eq!((device.value(SSID).as_deref(), device.writes(SSID)), (Some("Home & away"), 1));
    assert_eq!(device.value("Device.ManagementServer.ParameterKey").as_deref(), Some("key-1"));
    assert!(element(&heard[2].body, "Status").as_deref() == Some("0") && element(&heard[2].body, "ID").as_deref() == Some("acs-0"), "{heard:#?}");
    let read = values(&heard[3].body);
    assert_eq!(read, [(SSID.to_owned(), "Home &amp; away".to_owned()), ("Device.WiFi.SSID.1.Enable".to_owned(), "true".to_owned())]);
    assert!(heard.iter().all(|request| request.connection == 1), "one connection is enough");
    assert_eq!((heard[1].body.as_str(), field(&heard[1].head, "cookie").as_deref()), ("", Some("session=abc; lb=7")));
}

#[tokio::test]
async fn an_inform_says_who_it_is_and_what_happened() {
    for (model, root) in [(Model::Tr181Router, "Device."), (Model::Tr098Ont, "InternetGatewayDevice.")] {
        let acs = Acs::asking(&[]).await;
        let device = acs.device(model, Faults::default());
        let report = device.session(&["0 BOOTSTRAP", "1 BOOT"]).await.unwrap();
        assert_eq!((report.ended, report.exchanges), (End::Done, 2));
        let inform = &acs.heard()[0].body;
        let said = |name: &str| element(inform, name).unwrap();
        assert_eq!((said("OUI"), said("ProductClass"), said("SerialNumber")), (model.oui().into(), model.product_class().into(), "R0000001".into()));
        assert!(inform.contains("<EventCode>0 BOOTSTRAP</EventCode>") && inform.contains("<EventCode>1 BOOT</EventCode>"), "{inform}");
        assert_eq!((values(inform).len(), said("RetryCount").as_str()), (7, "0"));
        assert!(values(inform).iter().any(|(name, _)| *name == format!("{root}ManagementServer.ParameterKey")), "{inform}");
        assert!(device.pending().is_empty(), "what was told is not told again");
    }
}

#[tokio::test]
async fn it_proves_who_it_is_as_it_is_asked_to_and_next_time_without_being_asked() {
    let digest = |algorithm: &str| format!(r#"Digest realm="acs", qop="auth", nonce="abc", opaque="op", algorithm={algorithm}"#);
    let cases = [
        (Login::Digest, digest("MD5"), r#"Digest username="0A11CE-NR%2D2200-R0000001", realm="acs", nonce="abc", uri="/acs", cnonce="#, 3),
        (Login::DigestSha256, digest("SHA-256"), "algorithm=SHA-256", 3),
        (Login::Digest, r#"Basic realm="acs""#.to_owned(), "Basic MEExMUNFLU5SJTJEMjIwMC1SMDAwMDAwMTpmYWN0b3J5", 3),
        (Login::Basic, digest("MD5"), "Basic ", 2),
    ];
    for (login, challenge, expected, exchanges) in cases {
        let acs = Acs::new(Script { challenge: Some(challenge), ..Script::default() }).await;
        let options = DeviceOptions { acs_url: acs.url.clone(), login, ..DeviceOptions::of(Model::Tr181Router, "R0000001") };
        let device = Device::new(options);
        let report = device.session(&["1 BOOT"]).await.unwrap();
        assert_eq!((report.ended, report.exchanges, report.authenticated_exchanges), (End::Done, exchanges, 2), "{login:?}");
        let said = acs.heard().iter().find_map(|request| field(&request.head, "authorization")).unwrap();
        assert!(said.starts_with(expected) || said.contains(expected), "{login:?}: {said}");
        assert_eq!(device.session(&["2 PERIODIC"]).await.unwrap().exchanges, 2, "{login:?}: the nonce is still good");
    }
}

#[tokio::test]
async fn a_digest_is_what_the_standard_says() {
    use md5::{Digest as _, Md5};
    let hash = |text: String| Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let acs = Acs::new(Script { challenge: Some(r#"Digest realm="acs", qop="auth", nonce="abc""#.to_owned()), ..Script::default() }).await;
    acs.device(Model::Tr098Ont, Faults::default()).session(&[]).await.unwrap();
    let said = field(&acs.heard().last().unwrap().head, "authorization").unwrap();
    let part = |name: &str| said.split(&format!(" {name}=")).nth(1).unwrap().split(',').next().unwrap().trim_matches('"').to_owned();
    let (first, second) = (hash("0AF0CC-FN%2D100G-R0000001:acs:factory".to_owned()), hash("POST:/acs".to_owned()));
    assert_eq!(part("response"), hash(format!("{first}:abc:00000002:{}:auth:{second}", part("cnonce"))), "{said}");
}

#[tokio::test]
async fn a_refusal_ends_the_session_and_what_was_to_be_told_waits() {
    let cases = [
        (Script { refusal: Some("503 Service Unavailable\r\nRetry-After: 7".to_owned()), ..Script::default() }, End::Busy(Some(7))),
        (Script { refusal: Some("403 Forbidden".to_owned()), ..Script::default() }, End::Refused(403)),
        (Script { challenge: Some("Negotiate".to_owned()), ..Script::default() }, End::Refused(401)),
    ];
    for (script, expected) in cases {
        let acs = Acs::new(script).await;
        let device = acs.device(Model::Tr181Router, Faults::default());
        assert_eq!(device.session(&["0 BOOTSTRAP"]).await.unwrap().ended, expected);
        assert_eq!(device.pending(), ["0 BOOTSTRAP"]);
        device.session(&["0 BOOTSTRAP"]).await.unwrap();
        let retried = acs.heard().iter().filter_map(|request| element(&request.body, "RetryCount")).next_back();
        assert_eq!(retried.as_deref(), Some("1"));
    }
    let nobody = DeviceOptions { acs_url: "http://127.0.0.1:1/".to_owned(), ..DeviceOptions::default() };
    assert!(matches!(Device::new(nobody).session(&[]).await.unwrap().ended, End::Lost(_)));
    let nowhere = DeviceOptions { acs_url: "ftp://acs/".to_owned(), ..DeviceOptions::default() };
    let error = Device::new(nowhere).session(&[]).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the device 0A11CE-NR%2D2200-0000000001 cannot begin a session: \"ftp://acs/\" is no address: expected http://HOST[:PORT]/PATH or https://HOST[:PORT]/PATH"
    );
}

#[tokio::test]
async fn credentials_and_address_that_the_server_sets_are_used_from_the_next_session_on() {
    let other = Acs::new(Script { challenge: Some(r#"Basic realm="b""#.to_owned()), ..Script::default() }).await;
    let managed = |name: &str| format!("Device.ManagementServer.{name}");
    let (url, user, password) = (managed("URL"), managed("Username"), managed("Password"));
    let settings = [(url.as_str(), "string", other.url.as_str()), (user.as_str(), "string", "u"), (password.as_str(), "string", "p")];
    let (device, report, _) = asked(Faults::default(), &[&set(&settings, "")]).await;
    assert_eq!((report.ended, report.refused), (End::Done, vec![]));
    assert_eq!(device.session(&["2 PERIODIC"]).await.unwrap().ended, End::Done);
    assert_eq!(field(&other.heard().last().unwrap().head, "authorization").as_deref(), Some("Basic dTpw"));
}

#[tokio::test]
async fn a_device_says_something_of_its_own() {
    let acs = Acs::asking(&[&get(&[SSID])]).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    device.say("TransferComplete", "<CommandKey>from long ago</CommandKey>");
    let report = device.session(&["1 BOOT"]).await.unwrap();
    let heard = acs.heard();
    assert_eq!((report.told, report.rpcs.len(), report.held, heard.len()), (vec!["TransferCompleteResponse".to_owned()], 1, false, 4));
    assert_eq!(element(&heard[1].body, "CommandKey").as_deref(), Some("from long ago"));
    // A server that asks for silence hears it as soon as it has nothing more to ask.
    let acs = Acs::new(Script { asks: vec![get(&[SSID])], hold: true, ..Script::default() }).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    device.say("TransferComplete", "<CommandKey>from long ago</CommandKey>");
    device.say("TransferComplete", "<CommandKey>from longer ago</CommandKey>");
    let report = device.session(&["1 BOOT"]).await.unwrap();
    let order: Vec<bool> = acs.heard().iter().map(|request| request.body.contains("TransferComplete>")).collect();
    assert_eq!((report.ended, report.held, order), (End::Done, true, vec![false, false, false, true, false, true, false]));
    assert_eq!(device.session(&["7 TRANSFER COMPLETE"]).await.unwrap().told.len(), 0, "what was said is not said again");
    assert!(device.pending().is_empty());
}
