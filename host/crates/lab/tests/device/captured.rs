//! What a probe once asked a real device (easycwmp), byte by byte, one envelope in a line: a virtual device answers it the same way.

use lab::device::{Device, DeviceOptions, End, Model};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinSet,
};

const CAPTURED: &str = include_str!("captured/probe.txt");

/// Says one captured envelope after another, whatever it hears, and then nothing more.
async fn probe() -> (String, JoinSet<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut task = JoinSet::new();
    task.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        for envelope in CAPTURED.lines().map(Some).chain([None]) {
            heard.push(request(&mut stream).await);
            let answer = match envelope {
                Some(body) => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
                None => "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned(),
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        heard
    });
    (url, task)
}

async fn request(stream: &mut tokio::net::TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = vec![0; 65_536];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: usize = super::acs::field(head, "content-length").unwrap().parse().unwrap();
            if body.len() == length {
                return body.to_owned();
            }
        }
        let read = stream.read(&mut buffer).await.unwrap();
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
    }
}

#[tokio::test]
async fn a_virtual_device_answers_as_a_real_one_did() {
    let (acs_url, mut probed) = probe().await;
    let device = Device::new(DeviceOptions { acs_url, ..DeviceOptions::of(Model::Tr181Router, "R0000001") });
    let report = device.session(&["2 PERIODIC"]).await.unwrap();
    assert_eq!((report.ended, report.exchanges, report.refused), (End::Done, 8, vec![9003]));
    let rpcs = ["GetRPCMethods", "GetParameterValues", "SetParameterValues", "GetParameterValues", "SetParameterValues", "GetParameterNames"];
    assert_eq!(report.rpcs, rpcs);
    assert_eq!(
        (device.value("Device.WiFi.SSID.1.SSID").as_deref(), device.value("Device.ManagementServer.ParameterKey").as_deref()),
        (Some("Farm"), Some("pk-1"))
    );
    let heard = probed.join_next().await.unwrap().unwrap();
    // What the real device said: the read-back, and both faults of the second request with their codes and texts.
    let expected: [&[&str]; 2] = [
        &["<Name>Device.WiFi.SSID.1.SSID</Name><Value xsi:type=\"xsd:string\">Farm</Value>", "<Value xsi:type=\"xsd:unsignedInt\">60</Value>"],
        &[
            "<FaultCode>9003</FaultCode><FaultString>Invalid arguments</FaultString>",
            "<ParameterName>Device.DeviceInfo.SoftwareVersion</ParameterName><FaultCode>9008</FaultCode><FaultString>Attempt to set a non-writable parameter<",
            "<ParameterName>Device.Nope.X</ParameterName><FaultCode>9005</FaultCode><FaultString>Invalid parameter name</FaultString>",
        ],
    ];
    for (said, expected) in heard[5..].iter().zip(expected) {
        assert!(expected.iter().all(|part| said.contains(part)), "{said}");
    }
}
