//! Many devices that are provisioned at once, and the liars among them.

use std::time::Duration;

use lab::{
    device::{DeviceOptions, Model},
    storm::{Storm, StormOptions},
};
use serde_json::json;

use super::host::Host;

const DEVICES: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_lost_and_every_liar_is_found() {
    let host = Host::start(json!([])).await;
    let device = DeviceOptions { acs_url: host.url.clone(), ..DeviceOptions::of(Model::Tr098Ont, "S") };
    let storm = Storm::new(StormOptions { liar_in: 100, share_nonces: true, concurrency: 32, ..StormOptions::new(device, DEVICES) });
    host.import(storm.devices()).await;
    let report = storm.run(&["0 BOOTSTRAP", "1 BOOT"]).await.unwrap();
    assert_eq!((report.done, report.unfinished, report.lost, report.refused), (DEVICES as u64, 0, 0, 0), "{report:#?}");
    assert!(report.complaints.is_empty(), "{report:#?}");
    for (number, device) in storm.devices().iter().enumerate() {
        let expected = if (number + 1).is_multiple_of(100) { "held" } else { "provisioned" };
        for _ in 0..500 {
            if host.state(device).await["state"] == expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(host.state(device).await["state"], expected, "device {}", number + 1);
    }
}
