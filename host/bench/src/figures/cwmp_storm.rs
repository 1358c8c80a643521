//! `cwmp_storm_lost`, `cwmp_storm_p99_ms`: very many devices that boot at once and contact a host that has just started.
//!
//! None of them was there before, so that each is provisioned. Lost: devices that had no session to its end, however often they tried. p99: of all answers within sessions; a device that is sent away with 503 comes again.

use anyhow::{Context, Result};

use crate::{devices_served::DevicesServed, harness::report::Measured, setup::Setup};

/// Sessions that are under way at a time.
const CONCURRENCY: usize = 256;

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let database = setup.fresh("cwmp-storm")?;
    let directory = database.parent().context("the database has a directory")?.to_owned();
    let served = DevicesServed::start(setup, &directory, "").await?;
    let storm = served.devices("S", setup.counts.storm, |options| options.concurrency = CONCURRENCY).await?;
    let report = storm.run(&["1 BOOT"]).await?;
    drop(served);
    setup.remove(&database)?;
    let note = format!(
        "storm: {} sessions of {} devices in {:.1} s, {} sent away for a while, slowest answer {} ms{}",
        report.sessions,
        setup.counts.storm,
        report.seconds,
        report.busy,
        report.answers.max_us / 1000,
        report.complaints.first().map(|complaint| format!("; {complaint}")).unwrap_or_default(),
    );
    #[allow(clippy::cast_precision_loss, reason = "some hundred thousand devices")]
    let values = vec![("cwmp_storm_lost", (report.unfinished + report.lost) as f64), ("cwmp_storm_p99_ms", f64::from(report.answers.p99_us) / 1e3)];
    Ok(Measured { values, note: Some(note), facts: Vec::new() })
}
