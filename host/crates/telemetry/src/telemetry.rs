//! Starting and stopping: exporters, their runtime, observers, and what is asked of them.

mod build;

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use engine::{
    Sampler,
    port::{CallTelemetry, LiveSpans, Observer, Position},
};
use opentelemetry_sdk::{
    metrics::SdkMeterProvider,
    trace::{BatchSpanProcessor, SpanProcessor},
};
use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot, watch},
};

use self::build::{Builder, Push};
use crate::{
    calls::Calls,
    delivery,
    error::TelemetryError,
    health::{ExportStats, Health},
    host_log::HostLog,
    live::Live,
    logs::SharedLogs,
    metrics::{self, Counting, Figures, Gauge, SharedReader},
    options::Options,
};

/// Telemetry of a process. Dropping it loses what was not exported; [`Telemetry::shutdown`] exports it first.
pub struct Telemetry {
    observers: Vec<Arc<dyn Observer>>,
    calls: Arc<Calls>,
    counting: Arc<Counting>,
    observed: Arc<Figures>,
    reader: SharedReader,
    meters: SdkMeterProvider,
    processor: Option<Arc<BatchSpanProcessor>>,
    logs: SharedLogs,
    deliveries: Vec<mpsc::Sender<delivery::Message>>,
    pushes: Vec<Push>,
    stats: Vec<Arc<ExportStats>>,
    stopping: watch::Sender<bool>,
    runtime: Mutex<Option<Runtime>>,
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("observers", &self.observers.len()).finish_non_exhaustive()
    }
}

impl Telemetry {
    /// Starts telemetry. Must come before the engine recovers runs: what it reports as lost ended at the sign of life that is saved here.
    ///
    /// # Errors
    /// [`TelemetryError`]: an exporter that cannot be built, or a store that cannot be read.
    pub async fn start(options: Options) -> Result<Self, TelemetryError> {
        let names: HashSet<&str> = options.exporters.iter().map(|exporter| exporter.name.as_str()).collect();
        if let Some(twice) = options.exporters.iter().find(|_| names.len() < options.exporters.len()) {
            return Err(TelemetryError::SameName(twice.name.clone()));
        }
        // A store row per start: the sign of life of an epoch is not known to later ones.
        let life = metrics::sign_of_life(options.epoch, options.last_sign_of_life);
        options.cursors.commit_tallies(&format!("telemetry.epoch.{}", options.epoch.0), Position(1), &[life]).await?;
        let committed = options.cursors.tallies().await?;
        Builder::new(options)?.build(&committed)
    }

    /// The observers of committed events: one per exporter of spans, one for metrics. Each must be fed on its own, so that a receiver that is
    /// down holds up nothing else.
    pub fn observers(&self) -> Vec<Arc<dyn Observer>> {
        self.observers.clone()
    }

    /// What the plugin runtime reports calls to.
    pub fn calls(&self) -> Arc<dyn CallTelemetry> {
        self.calls.clone()
    }

    /// What packs record spans with of which no journal tells.
    pub fn live_spans(&self, sampler: Sampler) -> Arc<dyn LiveSpans> {
        Arc::new(Live { shared: self.calls.0.clone(), sampler })
    }

    /// Tells a figure that is kept in memory from now on, as the up-down counter of this name in the registry, without labels.
    pub fn observe(&self, metric: &'static str, gauge: Gauge) {
        self.observed.observe(metric, gauge);
    }

    /// Whether a caller's trace is taken over: where it is not, nobody may see a caller's trace context.
    pub fn propagates(&self) -> bool {
        self.calls.0.propagates
    }

    /// Exports what the host itself logs from now on, where an exporter takes log records.
    pub fn export_log(&self, log: &HostLog) {
        if let Some(logs) = &self.logs {
            log.connect(logs.provider());
        }
    }

    /// How the delivery goes.
    pub fn health(&self) -> Health {
        Health { exporters: self.stats.iter().map(|stats| stats.read()).collect(), guest_items_dropped: self.calls.0.figures.dropped_total() }
    }

    /// All metrics in the Prometheus text format. Reads the store: call it where waiting is allowed.
    pub fn metrics_text(&self) -> String {
        metrics::prometheus::text(&metrics::collect(&self.reader))
    }

    /// The content type of [`Self::metrics_text`].
    pub fn metrics_content_type() -> &'static str {
        metrics::prometheus::CONTENT_TYPE
    }

    /// Exports everything that was observed so far, within `budget`; `false` when it was not enough.
    pub async fn flush(&self, budget: Duration) -> bool {
        // The caller's runtime may have no timer.
        let (done, all) = oneshot::channel();
        let work = self.flush_all();
        let Some(handle) = self.handle() else { return false };
        handle.spawn(async move {
            let finished = tokio::time::timeout(budget, work).await.is_ok();
            done.send(finished).ok()
        });
        all.await.unwrap_or(false)
    }

    /// Exports what there is within `budget` and ends; projected spans that could not be exported are exported by the next start.
    pub async fn shutdown(self, budget: Duration) -> bool {
        let flushed = self.flush(budget).await;
        self.stopping.send_replace(true);
        if let Err(error) = self.meters.shutdown() {
            tracing::debug!("metrics: {error}");
        }
        flushed
    }

    fn flush_all(&self) -> impl Future<Output = ()> + Send + 'static {
        let (deliveries, pushes) = (self.deliveries.clone(), self.pushes.clone());
        let (counting, processor, logs) = (self.counting.clone(), self.processor.clone(), self.logs.clone());
        async move {
            let spans = deliveries.into_iter().map(|queue| async move {
                let (done, flushed) = oneshot::channel();
                if queue.send(delivery::Message::Flush(done)).await.is_ok() {
                    flushed.await.ok();
                }
            });
            // The batch processor blocks its caller, so it gets a thread where that is allowed.
            let live = tokio::task::spawn_blocking(move || processor.map(|processor| processor.force_flush()));
            futures_util::future::join_all(spans).await;
            if let Err(error) = counting.commit().await {
                tracing::warn!("counters are written by the next start: {error}");
            }
            live.await.ok();
            // After the spans, whose exceptions may be among the log records.
            tokio::task::spawn_blocking(move || logs.map(|logs| logs.flush())).await.ok();
            // Metrics last, so that they tell of the spans that were exported just now.
            for push in pushes {
                let (done, pushed) = oneshot::channel();
                if push.send(done).await.is_ok() {
                    pushed.await.ok();
                }
            }
        }
    }

    fn handle(&self) -> Option<tokio::runtime::Handle> {
        self.runtime.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|runtime| runtime.handle().clone())
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.stopping.send_replace(true);
        // Dropping a runtime inside another one is not allowed; leaving it to its threads is.
        if let Some(runtime) = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take() {
            runtime.shutdown_background();
        }
    }
}
