//! Files come and go after the session, and the server hears of it in another.

use lab::device::{End, Faults, Model};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinSet,
};

use super::acs::{Acs, Script, element, field, get, set};

fn ask(method: &str, kind: &str, url: &str) -> String {
    format!(
        "<cwmp:{method}><CommandKey>fw-1</CommandKey><FileType>{kind}</FileType><URL>{url}</URL><Username></Username><Password></Password>\
         <FileSize>5</FileSize><DelaySeconds>0</DelaySeconds></cwmp:{method}>"
    )
}

/// A file server that answers every request alike.
async fn files(answer: &'static str) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/images/5.0.1.bin", listener.local_addr().unwrap());
    let mut task = JoinSet::new();
    task.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = [0; 4096];
            if stream.read(&mut buffer).await.is_ok() {
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    });
    (url, task)
}

const FILE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nimage";

#[tokio::test]
async fn firmware_is_fetched_and_runs_after_a_boot() {
    let (url, _files) = files(FILE).await;
    let acs = Acs::new(Script { asks: vec![ask("Download", "1 Firmware Upgrade Image", &url)], again: 2, ..Script::default() }).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    device.session(&["2 PERIODIC"]).await.unwrap();
    assert_eq!(element(&acs.heard()[2].body, "Status").as_deref(), Some("1"));
    acs.asks(&[]);
    let report = device.session(&[]).await.unwrap();
    let heard = acs.heard();
    assert_eq!(
        (report.ended, report.events),
        (End::Done, ["1 BOOT", "4 VALUE CHANGE", "7 TRANSFER COMPLETE", "M Download"].map(str::to_owned).to_vec())
    );
    assert!(heard[0].body.contains("<EventCode>M Download</EventCode><CommandKey>fw-1</CommandKey>"), "{}", heard[0].body);
    assert!(heard[0].body.contains("5.0.1"), "the Inform tells of the version that runs now");
    let told: Vec<_> = heard[1..4].iter().map(|request| (element(&request.body, "CommandKey"), element(&request.body, "FaultCode"))).collect();
    assert_eq!(told, vec![(Some("fw-1".to_owned()), Some("0".to_owned())); 3], "it is told until it is heard");
    assert!(heard[4].body.is_empty() && device.pending().is_empty());
    device.factory_reset();
    assert_eq!(device.value("Device.DeviceInfo.SoftwareVersion").as_deref(), Some("5.0.1"), "the button does not bring old firmware back");
}

/// A file server that takes what is put with Digest, and says what that was.
async fn uploads() -> (String, mpsc::UnboundedReceiver<(String, String)>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/backups/r1.cfg", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::unbounded_channel();
    let mut task = JoinSet::new();
    task.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (head, body) = request(&mut stream).await;
            let answer = match field(&head, "authorization") {
                Some(_) => "201 Created",
                None => "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"files\", qop=\"auth\", nonce=\"abc\"",
            };
            stream.write_all(format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
            sender.send((head, body)).unwrap();
        }
    });
    (url, receiver, task)
}

/// The head and the body of a request.
async fn request(stream: &mut TcpStream) -> (String, String) {
    let mut bytes = Vec::new();
    loop {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0, "it is gone in the middle of its request");
        let Some((head, body)) = std::str::from_utf8(&bytes).unwrap().split_once("\r\n\r\n") else { continue };
        let length: usize = field(head, "content-length").unwrap().parse().unwrap();
        if body.len() == length {
            return (head.to_owned(), body.to_owned());
        }
    }
}

#[tokio::test]
async fn a_configuration_is_delivered_as_it_is_and_without_secrets() {
    const KEY: &str = "Device.WiFi.AccessPoint.1.Security.KeyPassphrase";
    let (url, mut uploaded, _files) = uploads().await;
    let upload =
        ask("Upload", "1 Vendor Configuration File", &url).replace("<Username><", "<Username>files<").replace("<Password><", "<Password>s3cret<");
    let settings = set(&[("Device.WiFi.SSID.1.SSID", "string", "Home"), (KEY, "string", "not the one")], "k");
    let acs = Acs::asking(&[&settings, &upload, &get(&["Device.WiFi.SSID.1.SSID"])]).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    let report = device.session(&["2 PERIODIC"]).await.unwrap();
    assert_eq!((report.ended, report.refused, element(&acs.heard()[3].body, "Status").as_deref()), (End::Done, vec![], Some("1")));
    assert!(uploaded.try_recv().is_err(), "it is delivered after the session");
    acs.asks(&[]);
    let report = device.session(&[]).await.unwrap();
    assert_eq!((report.ended, report.events), (End::Done, ["7 TRANSFER COMPLETE", "M Upload"].map(str::to_owned).to_vec()));
    let heard = acs.heard();
    assert_eq!(["CommandKey", "FaultCode"].map(|name| element(&heard[1].body, name).unwrap()), ["fw-1", "0"]);
    assert!(device.pending().is_empty());
    let (challenged, delivered) = (uploaded.recv().await.unwrap(), uploaded.recv().await.unwrap());
    assert_eq!((field(&challenged.0, "authorization"), &challenged.1), (None, &delivered.1));
    assert!(delivered.0.starts_with("PUT /backups/r1.cfg HTTP/1.1\r\n"), "{}", delivered.0);
    assert!(field(&delivered.0, "authorization").unwrap().starts_with("Digest username=\"files\", realm=\"files\""), "{}", delivered.0);
    let lines: Vec<&str> = delivered.1.lines().collect();
    assert!(lines.contains(&"Device.WiFi.SSID.1.SSID=Home") && lines.len() > 50, "{lines:#?}");
    let secret = |line: &&str| line.contains("KeyPassphrase") || line.starts_with("Device.ManagementServer.Password");
    assert!(!lines.iter().any(secret), "{lines:#?}");
}

#[tokio::test]
async fn a_transfer_that_fails_says_why() {
    let cases = [
        (Faults::default(), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "Download", "9016"),
        (Faults::default(), "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "Download", "9012"),
        (Faults::default(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nim", "Download", "9018"),
        (Faults::default(), "", "Download", "9015"),
        (Faults::default(), "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "Upload", "9011"),
        (Faults { transfer_fault: Some(9017), ..Faults::default() }, FILE, "Download", "9017"),
    ];
    for (faults, answer, method, code) in cases {
        let (url, _files) = files(answer).await;
        let acs = Acs::asking(&[&ask(method, "3 Vendor Configuration File", &url)]).await;
        let device = acs.device(Model::Tr098Ont, faults);
        device.session(&["2 PERIODIC"]).await.unwrap();
        acs.heard();
        let report = device.session(&[]).await.unwrap();
        assert_eq!(report.events, ["7 TRANSFER COMPLETE".to_owned(), format!("M {method}")]);
        assert_eq!(element(&acs.heard()[1].body, "FaultCode").as_deref(), Some(code), "{answer}");
    }
}

#[tokio::test]
async fn transfers_with_one_key_are_each_told_of() {
    let (good, _files) = files(FILE).await;
    let asks = [good.as_str(), "http://127.0.0.1:1/x"].map(|url| ask("Download", "3 Vendor Configuration File", url));
    let acs = Acs::asking(&asks.each_ref().map(String::as_str)).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    device.session(&["2 PERIODIC"]).await.unwrap();
    acs.asks(&[]);
    acs.heard();
    let report = device.session(&[]).await.unwrap();
    assert_eq!(report.events, ["7 TRANSFER COMPLETE", "M Download", "M Download"]);
    let codes: Vec<_> = acs.heard().iter().filter_map(|request| element(&request.body, "FaultCode")).collect();
    assert_eq!((report.ended, codes), (End::Done, vec!["0".to_owned(), "9015".to_owned()]));
    assert!(device.pending().is_empty());
}

#[tokio::test]
async fn a_factory_reset_forgets_what_was_to_be_told_and_done() {
    let (url, _files) = files(FILE).await;
    let schedule = "<cwmp:ScheduleInform><DelaySeconds>1</DelaySeconds><CommandKey>later</CommandKey></cwmp:ScheduleInform>";
    let acs = Acs::asking(&[&ask("Download", "3 Vendor Configuration File", &url), schedule]).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    device.session(&["2 PERIODIC"]).await.unwrap();
    acs.refuses(Some("503 Service Unavailable"));
    assert_eq!(device.session(&[]).await.unwrap().events, ["7 TRANSFER COMPLETE", "M Download"]);
    acs.refuses(None);
    device.say("TransferComplete", "<CommandKey>from long ago</CommandKey>");
    device.factory_reset();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    acs.asks(&[]);
    acs.heard();
    let report = device.session(&[]).await.unwrap();
    assert_eq!((report.ended, report.events), (End::Done, ["0 BOOTSTRAP", "1 BOOT"].map(str::to_owned).to_vec()));
    assert!(acs.heard().iter().all(|request| !request.body.contains("TransferComplete>")));
}

#[tokio::test]
async fn a_device_may_never_say_that_a_transfer_is_over() {
    let (url, _files) = files(FILE).await;
    let acs = Acs::asking(&[&ask("Download", "1 Firmware Upgrade Image", &url)]).await;
    let device = acs.device(Model::Tr181Router, Faults { no_transfer_complete: true, ..Faults::default() });
    device.session(&["2 PERIODIC"]).await.unwrap();
    acs.asks(&[]);
    assert_eq!(device.session(&[]).await.unwrap().events, ["1 BOOT", "4 VALUE CHANGE"]);
    assert_eq!(device.value("Device.DeviceInfo.SoftwareVersion").as_deref(), Some("5.0.1"));
}

#[tokio::test]
async fn a_transfer_can_be_cancelled_and_an_address_must_be_one() {
    let asks = [
        ask("Download", "1 Firmware Upgrade Image", "http://127.0.0.1:1/x"),
        "<cwmp:CancelTransfer><CommandKey>fw-1</CommandKey></cwmp:CancelTransfer>".to_owned(),
        ask("Download", "1", "ftp://x/y"),
    ];
    let acs = Acs::asking(&asks.each_ref().map(String::as_str)).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    assert_eq!(device.session(&["2 PERIODIC"]).await.unwrap().refused, [9013]);
    acs.asks(&[]);
    assert_eq!(device.session(&[]).await.unwrap().events, ["2 PERIODIC"]);
}

#[tokio::test]
async fn a_delay_is_a_number_of_seconds() {
    let (seconds, too_many) = (u32::MAX.to_string(), u64::MAX.to_string());
    let schedule =
        |delay: &str| format!("<cwmp:ScheduleInform><DelaySeconds>{delay}</DelaySeconds><CommandKey>later</CommandKey></cwmp:ScheduleInform>");
    let download = |delay: &str| {
        let ask = ask("Download", "1 Firmware Upgrade Image", "http://127.0.0.1:1/x");
        ask.replace("<DelaySeconds>0<", &format!("<DelaySeconds>{delay}<"))
    };
    let bad = [schedule(&too_many), schedule("0"), schedule("soon"), download(&too_many), download("soon")];
    let asks: Vec<String> = bad.into_iter().chain([schedule(&seconds), download(&seconds)]).collect();
    let acs = Acs::asking(&asks.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    let report = device.session(&["1 BOOT"]).await.unwrap();
    assert_eq!((report.ended, report.refused, report.rpcs.len()), (End::Done, vec![9003; 5], 7));
    acs.asks(&[]);
    assert_eq!(device.session(&[]).await.unwrap().events, ["2 PERIODIC"], "nothing is due for the next hundred years");
}

#[tokio::test]
async fn an_inform_can_be_scheduled() {
    let acs = Acs::asking(&["<cwmp:ScheduleInform><DelaySeconds>1</DelaySeconds><CommandKey>later</CommandKey></cwmp:ScheduleInform>"]).await;
    let device = acs.device(Model::Tr181Router, Faults::default());
    device.session(&["1 BOOT"]).await.unwrap();
    acs.asks(&[]);
    loop {
        let events = device.session(&[]).await.unwrap().events;
        if events != ["2 PERIODIC"] {
            assert_eq!(events, ["3 SCHEDULED", "M ScheduleInform"]);
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
