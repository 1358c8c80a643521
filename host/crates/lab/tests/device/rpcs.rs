//! What a device answers to each request.

use lab::device::{End, Faults, Model};

use super::acs::{Acs, asked, element, get, set, values};

/// The server is to be told of every change below an object.
const NOTIFY: &str = "<cwmp:SetParameterAttributes><ParameterList><SetParameterAttributesStruct><Name>Device.WiFi.SSID.1.</Name><NotificationChange>1\
                      </NotificationChange><Notification>2</Notification></SetParameterAttributesStruct></ParameterList></cwmp:SetParameterAttributes>";

fn names(path: &str, next_level: bool) -> String {
    format!("<cwmp:GetParameterNames><ParameterPath>{path}</ParameterPath><NextLevel>{}</NextLevel></cwmp:GetParameterNames>", u8::from(next_level))
}

fn object(method: &str, name: &str) -> String {
    format!("<cwmp:{method}><ObjectName>{name}</ObjectName><ParameterKey>k2</ParameterKey></cwmp:{method}>")
}

/// The answer to one request, after its method.
async fn answer(ask: &str) -> String {
    let (_, report, heard) = asked(Faults::default(), &[ask]).await;
    assert_eq!((report.ended, heard.len()), (End::Done, 3), "{ask}");
    heard[2].body.clone()
}

#[tokio::test]
async fn it_says_what_it_can() {
    let body = answer("<cwmp:GetRPCMethods/>").await;
    assert!(body.contains("xsd:string[14]") && body.contains("<string>SetParameterValues</string>"), "{body}");
    let body = answer("<cwmp:ScheduleDownload/>").await;
    assert!(body.contains("<FaultCode>9000</FaultCode>"), "{body}");
}

#[tokio::test]
async fn values_are_refused_by_name_type_value_and_access_all_or_none() {
    let cases = [
        (("Device.WiFi.SSID.9.SSID", "string", "x"), 9005),
        (("Device.WiFi.SSID.1.Status", "string", "Up"), 9008),
        (("Device.WiFi.Radio.1.Channel", "string", "6"), 9006),
        (("Device.WiFi.Radio.1.Channel", "unsignedInt", "0"), 9007),
        (("Device.WiFi.AccessPoint.1.Security.ModeEnabled", "string", "WEP"), 9007),
    ];
    for (bad, code) in cases {
        let (device, report, heard) = asked(Faults::default(), &[&set(&[("Device.WiFi.SSID.1.SSID", "string", "x"), bad], "k")]).await;
        let named = format!("<ParameterName>{}</ParameterName><FaultCode>{code}</FaultCode>", bad.0);
        assert!(report.refused == [9003] && heard[2].body.contains(&named), "{}", heard[2].body);
        assert_eq!((device.writes("Device.WiFi.SSID.1.SSID"), device.value("Device.ManagementServer.ParameterKey").as_deref()), (0, Some("")));
    }
    let twice = [("Device.WiFi.SSID.1.SSID", "string", "x"), ("Device.WiFi.SSID.1.SSID", "string", "y")];
    let (_, report, heard) = asked(Faults::default(), &[&set(&twice, "k"), &set(&[], "k"), &set(&twice[..1], &"k".repeat(33))]).await;
    assert!(report.refused == [9003; 3] && !heard[2].body.contains("SetParameterValuesFault"), "{report:?}");
}

#[tokio::test]
async fn partial_paths_mean_everything_below() {
    let read = values(&answer(&get(&["Device.WiFi.SSID.1.", "Device.WiFi.Radio.2.Channel"])).await);
    let names: Vec<&str> = read.iter().map(|(name, _)| name.as_str()).collect();
    let below = ["BSSID", "Enable", "LowerLayers", "SSID", "Status"].map(|name| format!("Device.WiFi.SSID.1.{name}"));
    assert_eq!(names[..5], below.each_ref().map(String::as_str));
    assert_eq!(read[5], ("Device.WiFi.Radio.2.Channel".to_owned(), "36".to_owned()));
    let everything = values(&answer(&get(&[""])).await).len();
    assert!(everything > 100 && everything == values(&answer(&get(&["Device."])).await).len());
    assert!(answer(&get(&["Device.Nope."])).await.contains("<FaultCode>9005</FaultCode>"));
}

#[tokio::test]
async fn names_are_listed_by_level() {
    let listed = |body: &str| -> Vec<String> {
        let entries = body.split("<ParameterInfoStruct>").skip(1);
        entries.map(|entry| format!("{} {}", element(entry, "Name").unwrap(), element(entry, "Writable").unwrap())).collect()
    };
    assert_eq!(listed(&answer(&names("", true)).await), ["Device. 0"]);
    let tables = ["Device.WiFi.AccessPoint. 1", "Device.WiFi.AccessPointNumberOfEntries 0", "Device.WiFi.Radio. 0"];
    assert_eq!(listed(&answer(&names("Device.WiFi.", true)).await)[..3], tables);
    let below = listed(&answer(&names("Device.WiFi.SSID.", false)).await);
    assert_eq!((below.len(), below[0].as_str(), below[1].as_str()), (13, "Device.WiFi.SSID. 1", "Device.WiFi.SSID.1. 1"));
    assert!(answer(&names("Device.WiFi.SSID.1.SSID", true)).await.contains("<FaultCode>9003</FaultCode>"));
}

#[tokio::test]
async fn instances_are_added_and_deleted_and_numbers_never_come_back() {
    const TABLE: &str = "Device.Ethernet.VLANTermination.";
    let vlan = |instance: u32| format!("{TABLE}{instance}.VLANID");
    let asks = [
        object("AddObject", TABLE),
        set(&[(&vlan(2), "unsignedInt", "20")], "k3"),
        get(&[&vlan(2), "Device.Ethernet.VLANTerminationNumberOfEntries"]),
        object("DeleteObject", &format!("{TABLE}2.")),
        get(&[&vlan(2)]),
        object("AddObject", TABLE),
        object("DeleteObject", &format!("{TABLE}1.")),
        object("AddObject", "Device.WiFi.Radio."),
        object("DeleteObject", &format!("{TABLE}9.")),
    ];
    let (device, report, heard) = asked(Faults::default(), &asks.each_ref().map(String::as_str)).await;
    assert_eq!((report.ended, report.refused), (End::Done, vec![9005, 9005, 9005]));
    assert_eq!(element(&heard[2].body, "InstanceNumber").as_deref(), Some("2"));
    assert_eq!(values(&heard[4].body).into_iter().map(|(_, value)| value).collect::<Vec<_>>(), ["20", "2"]);
    assert_eq!(element(&heard[7].body, "InstanceNumber").as_deref(), Some("3"));
    assert_eq!((device.instances(TABLE), device.value("Device.ManagementServer.ParameterKey").as_deref()), (vec![3], Some("k2")));
}

#[tokio::test]
async fn the_number_of_an_instance_of_the_factory_never_comes_back_either() {
    const TABLE: &str = "Device.Ethernet.VLANTermination.";
    let (first, second) = (format!("{TABLE}1.VLANID"), format!("{TABLE}2.VLANID"));
    let attributes = format!(
        "<cwmp:SetParameterAttributes><ParameterList><SetParameterAttributesStruct><Name>{first}</Name><NotificationChange>1</NotificationChange>\
         <Notification>2</Notification></SetParameterAttributesStruct></ParameterList></cwmp:SetParameterAttributes>"
    );
    let asks = [
        attributes,
        object("DeleteObject", &format!("{TABLE}1.")),
        object("AddObject", TABLE),
        set(&[(&second, "unsignedInt", "20")], ""),
        get(&[&second]),
    ];
    let (device, report, heard) = asked(Faults::default(), &asks.each_ref().map(String::as_str)).await;
    assert_eq!((report.ended, report.refused), (End::Done, vec![]));
    assert_eq!(element(&heard[4].body, "InstanceNumber").as_deref(), Some("2"));
    assert_eq!((values(&heard[6].body), device.instances(TABLE)), (vec![(second, "20".to_owned())], vec![2]));
    assert_eq!((device.value(&first), device.notification(&first)), (None, 0), "nothing is left of what was deleted");
}

#[tokio::test]
async fn attributes_decide_what_is_told() {
    let read = "<cwmp:GetParameterAttributes><ParameterNames><string>Device.WiFi.SSID.1.SSID</string></ParameterNames></cwmp:GetParameterAttributes>";
    let acs = Acs::asking(&[NOTIFY, read]).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    device.session(&["1 BOOT"]).await.unwrap();
    assert_eq!(element(&acs.heard()[3].body, "Notification").as_deref(), Some("2"));
    acs.asks(&[]);
    device.change("Device.WiFi.SSID.2.SSID", "nobody wants to know");
    assert!(device.pending().is_empty());
    device.change("Device.WiFi.SSID.1.SSID", "mine");
    let report = device.session(&[]).await.unwrap();
    let inform = &acs.heard()[0].body;
    assert!(report.events == ["4 VALUE CHANGE"] && values(inform).contains(&("Device.WiFi.SSID.1.SSID".to_owned(), "mine".to_owned())), "{inform}");
}

#[tokio::test]
async fn what_changes_while_an_inform_is_answered_is_told_by_the_next() {
    let (ssid, enable) = ("Device.WiFi.SSID.1.SSID", "Device.WiFi.SSID.1.Enable");
    let acs = Acs::asking(&[NOTIFY]).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    device.session(&["1 BOOT"]).await.unwrap();
    acs.asks(&[]);
    acs.heard();
    let inform = async || {
        let report = device.session(&[]).await.unwrap();
        let told = values(&acs.heard()[0].body).into_iter().filter(|(name, _)| [ssid, enable].contains(&name.as_str())).collect::<Vec<_>>();
        (report.events.join(","), told.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(","))
    };
    let told = |what: &[&str]| ("4 VALUE CHANGE".to_owned(), what.join(","));
    device.change(ssid, "one");
    acs.meanwhile(&device, enable, "0");
    assert_eq!(inform().await, told(&["Device.WiFi.SSID.1.SSID=one"]));
    assert_eq!(device.pending(), ["4 VALUE CHANGE"]);
    // An Inform that nobody answers has told nothing.
    acs.refuses(Some("503 Service Unavailable"));
    acs.meanwhile(&device, ssid, "two");
    assert_eq!(inform().await, told(&["Device.WiFi.SSID.1.Enable=0"]));
    acs.refuses(None);
    assert_eq!(inform().await, told(&["Device.WiFi.SSID.1.Enable=0", "Device.WiFi.SSID.1.SSID=two"]));
    assert_eq!(inform().await, ("2 PERIODIC".to_owned(), String::new()));
}

#[tokio::test]
async fn a_reboot_and_a_factory_reset_come_after_the_session() {
    let acs =
        Acs::asking(&["<cwmp:Reboot><CommandKey>r1</CommandKey></cwmp:Reboot>", &set(&[("Device.WiFi.SSID.1.SSID", "string", "x")], "k")]).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    device.session(&["2 PERIODIC"]).await.unwrap();
    assert_eq!(device.pending(), ["1 BOOT", "M Reboot"]);
    acs.heard();
    acs.asks(&["<cwmp:FactoryReset/>"]);
    device.session(&[]).await.unwrap();
    assert!(acs.heard()[0].body.contains("<EventCode>M Reboot</EventCode><CommandKey>r1</CommandKey>"));
    assert_eq!(
        (device.pending(), device.value("Device.WiFi.SSID.1.SSID").as_deref()),
        (vec!["0 BOOTSTRAP".into(), "1 BOOT".into()], Some("NR-2200-R0000001"))
    );
}
