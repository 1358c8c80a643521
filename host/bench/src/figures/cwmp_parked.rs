//! `cwmp_parked_bytes`: what the host's memory grows by for a session that is parked: the device has sent its Inform, its connection is gone, its cookie is
//! good.

use std::time::Duration;

use anyhow::{Context, Result};
use lab::device::Faults;

use crate::{
    devices_served::DevicesServed,
    harness::{machine::resident, report::Measured},
    setup::Setup,
};

/// Sessions that are begun at a time.
const CONCURRENCY: usize = 32;
/// No session ends while they are counted.
const LONG: &str = "[cpe.acs]\nsession_ms = 280000\n";

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let database = setup.fresh("cwmp-parked")?;
    let directory = database.parent().context("the database has a directory")?.to_owned();
    let served = DevicesServed::start(setup, &directory, LONG).await?;
    let count = setup.counts.parked;
    let storm = served.devices("P", count, |options| (options.concurrency, options.attempts) = (CONCURRENCY, 1)).await?;
    // Everything that is known of the devices, and every buffer, is there before.
    storm.run(&["0 BOOTSTRAP"]).await?;
    storm.run(&["2 PERIODIC"]).await?;
    let before = settled(&served).await?;
    for device in storm.devices() {
        device.set_faults(Faults { reboot_after: Some(1), ..Faults::default() });
    }
    storm.run(&["2 PERIODIC"]).await?;
    let after = settled(&served).await?;
    drop(served);
    setup.remove(&database)?;
    #[allow(clippy::cast_precision_loss, reason = "some gigabytes at most")]
    let bytes = after.saturating_sub(before) as f64 / count as f64;
    let note = format!("parked: {count} sessions; resident {} MB before, {} MB with them", before >> 20, after >> 20);
    Ok(Measured { values: vec![("cwmp_parked_bytes", bytes)], note: Some(note), facts: Vec::new() })
}

/// The resident memory of the host when it rests.
async fn settled(served: &DevicesServed) -> Result<u64> {
    tokio::time::sleep(Duration::from_secs(3)).await;
    resident(served.host.process_id())
}
