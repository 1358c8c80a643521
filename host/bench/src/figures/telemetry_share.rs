//! `telemetry_share_sampled`, `telemetry_share_unsampled`: how much longer a call takes with telemetry than with a no-op tracer and meter.
//!
//! The same calls of the same plugin on the same thread, three ways in turn. A round is shorter than the queue of spans, which is emptied after it: a span that
//! is dropped because the queue is full would cost less than one that is exported.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use store_sqlite::Store;
use telemetry::Telemetry;

use crate::{
    guest::{Caller, Guest, Unobserved},
    harness::{
        report::Measured,
        rounds::{Contender, Timed, interleave},
    },
    receiver::Receiver,
    setup::Setup,
    stack::telemetry_options,
};

/// How long a round's spans may take to be exported.
const FLUSH: Duration = Duration::from_secs(60);

pub(super) async fn measure(setup: &Setup) -> Result<Measured> {
    let database = setup.fresh("telemetry-share")?;
    let (store, opening) = Store::open(&database, store_sqlite::Options::default())?;
    let receiver = Receiver::start()?;
    let telemetry = Arc::new(Telemetry::start(telemetry_options(&store, &opening, &receiver.endpoint)).await?);
    let guest = Guest::load(setup, setup.noop.clone()).await?;
    let mut plain = guest.caller(Arc::new(Unobserved), false)?;
    let mut unsampled = Flushed { caller: guest.caller(telemetry.calls(), false)?, telemetry: telemetry.clone() };
    let mut sampled = Flushed { caller: guest.caller(telemetry.calls(), true)?, telemetry: telemetry.clone() };
    let (rounds, calls) = (setup.counts.telemetry_rounds, setup.counts.telemetry_calls);
    let rounds = guest.runtime.spawn(async move { interleave(rounds, calls, &mut [&mut plain, &mut unsampled, &mut sampled]).await }).await??;
    let health = telemetry.health();
    let exporter = health.exporters.first().context("there is no exporter")?;
    ensure!(exporter.spans_lost == 0, "{} spans were lost: {:?}", exporter.spans_lost, exporter.last_error);
    let expected = (setup.counts.telemetry_rounds as u64 + 1) * calls as u64;
    ensure!(exporter.spans_exported == expected, "{} spans were delivered, expected {expected}: {:?}", exporter.spans_exported, exporter.last_error);
    ensure!(receiver.bytes() > 0, "the receiver got nothing");
    store.close().await;
    setup.remove(&database)?;
    let note = format!(
        "telemetry: {:.2} us plain, {:.2} us unsampled, {:.2} us sampled; {expected} spans delivered",
        rounds.time(0)?,
        rounds.time(1)?,
        rounds.time(2)?
    );
    let values = vec![("telemetry_share_sampled", rounds.ratio(2, 0)? - 1.0), ("telemetry_share_unsampled", rounds.ratio(1, 0)? - 1.0)];
    Ok(Measured { values, note: Some(note), facts: Vec::new() })
}

/// Calls whose spans are exported after each round.
struct Flushed {
    caller: Caller,
    telemetry: Arc<Telemetry>,
}

impl Contender for Flushed {
    fn round(&mut self, calls: usize) -> Timed<'_> {
        Box::pin(async move {
            let took = self.caller.round(calls).await?;
            ensure!(self.telemetry.flush(FLUSH).await, "spans were not delivered within {FLUSH:?}");
            Ok(took)
        })
    }
}
