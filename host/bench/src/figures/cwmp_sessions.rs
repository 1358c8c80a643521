//! `cwmp_provision_per_s`, `cwmp_exchanges_provision`, `cwmp_inform_per_s`: sessions of devices in a second, with the load generator on the same machine.
//!
//! A provisioning is a first contact: the plugin builds ten parameters, the device is sent them and reads every one of them back. One device in a hundred
//! is a liar. The figure fails unless each device that is none ends as provisioned and each liar is reported. An Inform without work is the periodic
//! Inform of a device that is provisioned.

use anyhow::{Context, Result, ensure};

use crate::{
    devices_served::{DevicesServed, check},
    harness::report::Measured,
    setup::Setup,
};

/// One device in so many is a liar.
const LIAR_IN: usize = 100;
/// Sessions that are under way at a time.
const CONCURRENCY: usize = 128;

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let database = setup.fresh("cwmp")?;
    let directory = database.parent().context("the database has a directory")?.to_owned();
    let served = DevicesServed::start(setup, &directory, "").await?;
    // Those that warm up are counted for their exchanges: none of them lies.
    let first = served.devices("W", 100, |options| options.concurrency = 4).await?.run(&["0 BOOTSTRAP", "1 BOOT"]).await?;
    check(&first)?;
    let count = setup.counts.devices;
    let storm = served.devices("D", count, |options| (options.liar_in, options.concurrency) = (LIAR_IN, CONCURRENCY)).await?;
    let provisioned = storm.run(&["0 BOOTSTRAP", "1 BOOT"]).await?;
    check(&provisioned)?;
    let liars = (count / LIAR_IN) as u64;
    served.provisioned(count as u64 + 100 - liars, liars).await?;
    let informed = storm.run(&["2 PERIODIC"]).await?;
    check(&informed)?;
    ensure!(informed.rpcs.is_empty(), "devices that are provisioned were asked to do something: {:?}", informed.rpcs);
    drop(served);
    setup.remove(&database)?;
    let note = format!(
        "cwmp: {count} devices, {liars} liars, each reported; answers while provisioning p50 {} us, p99 {} us; {:.2} exchanges for a device, {:.2} for an Inform",
        provisioned.answers.p50_us,
        provisioned.answers.p99_us,
        provisioned.exchanges_per_session(),
        informed.exchanges_per_session(),
    );
    let values = vec![
        ("cwmp_provision_per_s", provisioned.per_second()),
        ("cwmp_exchanges_provision", first.exchanges_per_session()),
        ("cwmp_inform_per_s", informed.per_second()),
    ];
    Ok(Measured { values, note: Some(note), facts: Vec::new() })
}
