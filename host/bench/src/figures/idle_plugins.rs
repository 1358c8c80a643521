//! `rss_mb_per_idle_plugin`: what a plugin costs in memory that was called once and is not called any more, in a process of its own.

use std::{process::Command, sync::Arc};

use anyhow::{Context, Result, ensure};
use plugin_runtime::{Grant, Plugins};

use crate::{
    guest::{Guest, Unobserved},
    harness::{machine::resident, report::Measured, rounds::Contender as _},
    setup::Setup,
    variants::variants,
};

/// How many lie idle.
const IDLE: usize = 100;

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    // The first process fills the cache of compiled code: what lies idle in a host was brought in from there.
    let (mut figure, mut note) = (0.0, String::new());
    for _ in 0..2 {
        let program = std::env::current_exe().context("this program is not known")?;
        let output = Command::new(program).arg("--directory").arg(&setup.directory).arg("idle-plugins").output()?;
        ensure!(output.status.success(), "the process with idle plugins failed: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout)?;
        let (before, after) = text.trim().split_once(' ').context("the process with idle plugins said nothing")?;
        let (before, after): (f64, f64) = (before.parse()?, after.parse()?);
        #[allow(clippy::cast_precision_loss, reason = "a hundred")]
        let idle = IDLE as f64;
        figure = (after - before) / idle;
        note = format!("idle plugins: {before:.1} MB resident with one, {after:.1} MB with {IDLE} more");
    }
    Ok(Measured { values: vec![("rss_mb_per_idle_plugin", figure)], note: Some(note), facts: Vec::new() })
}

/// Calls many plugins once each and prints the resident memory before and after, in MB.
pub(crate) async fn show(setup: &Setup) -> Result<()> {
    let guest = Guest::load(setup, setup.noop.clone()).await?;
    guest.caller(Arc::new(Unobserved), false)?.round(1).await?;
    let before = resident_mb()?;
    let plugins = Plugins::default();
    for (_, component) in variants(&setup.noop, IDLE)? {
        let plugin = guest.runtime.load(component, &Grant::default()).await?;
        plugins.add(plugin.clone());
        guest.caller_among(plugins.clone(), &[plugin], Arc::new(Unobserved), false)?.round(1).await?;
    }
    println!("{before} {}", resident_mb()?);
    Ok(())
}

/// The resident memory of this process in MB.
#[allow(clippy::cast_precision_loss, reason = "some gigabytes at most")]
fn resident_mb() -> Result<f64> {
    Ok(resident(std::process::id())? as f64 / f64::from(1 << 20))
}
