//! `plugin_call_us`, `floor_us`, `plugin_call_ratio`: what a call costs beside what wasmtime costs.
//!
//! Both run on the same thread of the plugin runtime, in turn. Ours goes from the request's JSON in the journal to the outcome: it parses, builds values,
//! takes a place in the bulkhead, sets all limits, calls, reads the answer. The ratio is the median over the rounds of the ratio within a round.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;

use crate::{
    floor::Floor,
    guest::{self, Guest, Unobserved},
    harness::{report::Measured, rounds::interleave},
    setup::Setup,
};

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let guest = Guest::load(setup, setup.noop.clone()).await?;
    let mut floor = Floor::new(&setup.noop, &guest::options(setup))?;
    let mut ours = guest.caller(Arc::new(Unobserved), true)?;
    let (rounds, calls) = (setup.counts.rounds, setup.counts.calls);
    let measured = guest.runtime.spawn(async move { interleave(rounds, calls, &mut [&mut floor, &mut ours]).await }).await??;
    Ok(Measured {
        values: vec![("plugin_call_us", measured.time(1)?), ("floor_us", measured.time(0)?), ("plugin_call_ratio", measured.ratio(1, 0)?)],
        note: None,
        facts: vec![("allocation", json!(guest.runtime.allocation()))],
    })
}
