//! `call_ratio_200_plugins`: a call where 200 plugins are installed beside the same call where it is the only one.

use std::sync::Arc;

use anyhow::Result;
use plugin_runtime::{Grant, Plugins};

use crate::{
    guest::{Guest, Unobserved},
    harness::{report::Measured, rounds::interleave},
    setup::Setup,
    variants::variants,
};

/// How many are installed.
const INSTALLED: usize = 200;

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let guest = Guest::load(setup, setup.noop.clone()).await?;
    let mut alone = guest.caller(Arc::new(Unobserved), true)?;
    let plugins = Plugins::default();
    plugins.add(guest.plugin.clone());
    let mut others = Vec::with_capacity(INSTALLED);
    for (_, component) in variants(&setup.noop, INSTALLED - 1)? {
        let plugin = guest.runtime.load(component, &Grant::default()).await?;
        plugins.add(plugin.clone());
        others.push(plugin);
    }
    let mut crowded = guest.caller_among(plugins.clone(), std::slice::from_ref(&guest.plugin), Arc::new(Unobserved), true)?;
    let mut round_robin = guest.caller_among(plugins, &others, Arc::new(Unobserved), true)?;
    let (rounds, calls) = (setup.counts.rounds, setup.counts.calls / 2);
    let measured = guest.runtime.spawn(async move { interleave(rounds, calls, &mut [&mut alone, &mut crowded, &mut round_robin]).await }).await??;
    let note = format!(
        "{INSTALLED} plugins: {:.2} us for the same one, {:.2} us for one after the other; {:.2} us where it is alone",
        measured.time(1)?,
        measured.time(2)?,
        measured.time(0)?
    );
    Ok(Measured { values: vec![("call_ratio_200_plugins", measured.ratio(1, 0)?)], note: Some(note), facts: Vec::new() })
}
