//! The host's own log on its way to the exporters: a layer of `tracing` that is there before telemetry is.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use tracing::{Event, Subscriber};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// The crates that take part in exporting: their records about sending records would have to be sent too, for ever.
const EXPORTING: [&str; 8] = ["opentelemetry", "telemetry", "tonic", "tower", "h2", "hyper", "reqwest", "rustls"];

/// What plugins log: [`crate::Telemetry::calls`] exports it with the call's span, so it is not exported a second time.
const PLUGIN: &str = "plugin";

/// A layer of `tracing` that hands the host's own log to the exporters once [`crate::Telemetry::export_log`] has connected it; before that it does
/// nothing. Which records there are is for the subscriber's filter to say.
#[derive(Clone, Default)]
pub struct HostLog(Arc<OnceLock<OpenTelemetryTracingBridge<SdkLoggerProvider, SdkLogger>>>);

impl fmt::Debug for HostLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostLog").field("connected", &self.0.get().is_some()).finish()
    }
}

impl HostLog {
    /// The first connection stays: a process has one telemetry.
    pub(crate) fn connect(&self, provider: &SdkLoggerProvider) {
        self.0.get_or_init(|| OpenTelemetryTracingBridge::new(provider));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for HostLog {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if let Some(bridge) = self.0.get().filter(|_| !is_kept_back(event.metadata().target())) {
            bridge.on_event(event, context);
        }
    }
}

/// Whether records of a target are not exported: those of plugins, and those of a crate that exports, a module of it, or a sibling (`hyper_util`).
fn is_kept_back(target: &str) -> bool {
    target == PLUGIN
        || EXPORTING.iter().any(|name| target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '_', '-'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_part_in_exporting_is_kept_back_and_nothing_else() {
        for target in ["telemetry", "telemetry::health", "opentelemetry_sdk", "opentelemetry-otlp", "hyper_util::client", "h2::proto", "plugin"] {
            assert!(is_kept_back(target), "{target}");
        }
        for target in ["jackfield", "jackfield::serve::telemetry", "engine::driver", "plugin_runtime::host", "telemetry2", "orders"] {
            assert!(!is_kept_back(target), "{target}");
        }
    }
}
