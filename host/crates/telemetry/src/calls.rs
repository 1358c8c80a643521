//! Live spans and figures of plugin calls. Every call is measured; a call of a sampled run has a span, which the batch processor exports at most once.

pub(crate) mod child;
mod figures;
mod guest;
mod limits;
mod span;

use std::sync::Arc;

use engine::port::{Call, CallSpan, CallTelemetry};
use opentelemetry_sdk::trace::BatchSpanProcessor;
use pipeline::Provider;

use self::span::{LiveCall, NativeCall};
pub(crate) use self::{
    figures::{CallFigures, Plugin},
    limits::is_guest_key,
};
use crate::{logs::SharedLogs, policy::Policy};

/// Opens spans of plugin calls.
#[derive(Debug)]
pub(crate) struct Calls(pub(crate) Arc<Shared>);

/// What all calls need; a call holds it by one reference.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) figures: CallFigures,
    /// None: no exporter takes spans.
    pub(crate) processor: Option<Arc<BatchSpanProcessor>>,
    pub(crate) policy: Policy,
    pub(crate) logs: SharedLogs,
    /// Whether requests of calls carry trace context.
    pub(crate) propagates: bool,
}

impl CallTelemetry for Calls {
    fn begin(&self, call: &Call) -> Box<dyn CallSpan> {
        let Provider::Plugin { name, version, digest } = &call.pin.provider else {
            // What the host does itself is part of the attempt; there is no plugin to speak of.
            return Box::new(NativeCall { context: call.span.clone(), propagates: self.0.propagates });
        };
        let plugin = self.0.figures.plugin(name, version, digest.as_str());
        Box::new(LiveCall::begin(&self.0, call, plugin))
    }
}
