//! Spans, metrics and logs from committed events: the only crate that names OpenTelemetry.
//!
//! * [`projection`] makes spans of committed events, as pure functions;
//! * each exporter delivers them at least once, keeping its place in the store ([`CursorStore`]);
//! * counters continue from durable tallies, in-progress figures are observed ([`Census`]);
//! * plugin calls have live spans and are all measured ([`Telemetry::calls`]);
//! * [`registry`] says what may be exported at all, [`checker`] compares what was captured with it.
//!
//! The host calls [`Telemetry::start`] after it has opened the store and before the engine recovers runs, feeds each of
//! [`Telemetry::observers`] on its own, hands [`Telemetry::calls`] to the plugin runtime and [`Sampling::decide`] to the engine, connects its own log
//! by [`Telemetry::export_log`], and calls [`Telemetry::shutdown`] after the engine has stopped and its feeds have drained.
//!
//! ```
//! use std::sync::Arc;
//!
//! use engine::port::{OwnedTransition, Position};
//! use pipeline::{begin, testing};
//! use telemetry::projection::Projector;
//!
//! // A committed event with the state after it is all that a span depends on.
//! let mut definition = testing::linear(&["a"]);
//! definition.telemetry.submitted_span = Some("test.submitted");
//! let record = testing::started(&definition);
//! let after = Arc::new(begin(&definition, testing::run_id(1), &record).unwrap());
//! let transition = OwnedTransition { position: Position(1), definition: Arc::new(definition), before: None, record: Arc::new(record), after };
//!
//! let spans = Projector::default().spans(&transition);
//! assert_eq!(spans.iter().map(|span| span.name.to_string()).collect::<Vec<_>>(), ["test.submitted"]);
//! // The same event projects to the same span, ids included: repeated delivery is harmless.
//! assert_eq!(spans, Projector::default().spans(&transition));
//! ```

mod calls;
pub mod checker;
mod cursor;
mod delivery;
mod env;
mod error;
mod export;
#[rustfmt::skip]
mod generated;
mod health;
mod host_log;
mod labels;
mod live;
mod logs;
mod metrics;
mod options;
pub mod policy;
pub mod projection;
pub mod registry;
mod sampler;
mod span_data;
mod telemetry;

pub use self::{
    cursor::{CursorError, CursorStore, Tally},
    env::Env,
    error::TelemetryError,
    health::{ExporterHealth, Health},
    host_log::HostLog,
    labels::Labels,
    metrics::{Census, Gauge},
    options::{DeliveryOptions, ExporterOptions, Names, Options, Target, Units},
    sampler::Sampling,
    telemetry::Telemetry,
};

/// The names of ours that the registry defines.
pub mod names {
    pub use crate::generated::{attribute, metric};
}
