//! What a session costs that waits for its device.
#![allow(clippy::unwrap_used, reason = "tests")]
#![cfg(target_os = "linux")]

#[path = "acs/device.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod device;
#[path = "acs/server.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod server;

use cpe::acs::{Options, Work};
use device::{Device, inform};
use server::{Server, open};

/// The memory of this process, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    1_024 * line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
}

/// An Inform of two kilobytes, of which every one is a session of its own device.
fn usual(serial: usize) -> String {
    let parameter = |at: usize| {
        format!("<ParameterValueStruct><Name>Device.DeviceInfo.Number{at}</Name><Value xsi:type=\"xsd:string\">v</Value></ParameterValueStruct>")
    };
    let more: String = (0..9).map(parameter).collect();
    inform(&format!("{serial:012}")).replace("</ParameterList>", &format!("{more}</ParameterList>"))
}

#[tokio::test]
async fn a_parked_session_takes_no_more_than_four_kilobytes() {
    const WARM: usize = 1_000;
    const PARKED: usize = 4_000;
    assert!((1_900..2_600).contains(&usual(0).len()), "{}", usual(0).len());
    let server = Server::start(Options { session_ms: 300_000, session_max_ms: 300_000, ..open() }, Work::Expected).await;
    let mut device = Device::connect(server.address).await;
    let mut before = 0;
    for serial in 0..WARM + PARKED {
        if serial == WARM {
            before = resident();
        }
        // Each takes the connection over: the one before is known by its cookie only.
        assert_eq!(device.post("", usual(serial)).await.status, 200);
    }
    assert_eq!(server.acs.sessions(), WARM + PARKED);
    let each = (resident() - before) / PARKED;
    assert!(each <= 4_096, "{each} bytes for each of {PARKED}");
    // They are sessions all the same.
    assert!(each > 500, "{each} bytes: nothing was parked");
    println!("{each} bytes for each parked session");
}
