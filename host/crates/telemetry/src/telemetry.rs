//! Starting and stopping: exporters, their runtime, observers, and what is asked of them.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use engine::port::{CallTelemetry, Observer, Position};
use opentelemetry_sdk::{
    Resource,
    metrics::{SdkMeterProvider, Temporality},
    trace::{BatchConfigBuilder, BatchSpanProcessor, SpanProcessor},
};
use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot, watch},
};

use crate::{
    calls::{CallFigures, Calls},
    delivery::{self, Delivery},
    error::TelemetryError,
    export::{self, LiveExporter},
    health::{ExportStats, Health},
    logs::{Logs, SharedLogs},
    metrics::{self, Counting, Figures, Instruments, MetricObserver, SharedReader, Tallies},
    options::{ExporterOptions, Options},
    projection::Projector,
    registry,
};

/// Telemetry of a process. Dropping it loses what was not exported; [`Telemetry::shutdown`] exports it first.
pub struct Telemetry {
    observers: Vec<Arc<dyn Observer>>,
    calls: Arc<Calls>,
    counting: Arc<Counting>,
    figures: Arc<CallFigures>,
    reader: SharedReader,
    meters: SdkMeterProvider,
    processor: Option<Arc<BatchSpanProcessor>>,
    logs: SharedLogs,
    deliveries: Vec<mpsc::Sender<delivery::Message>>,
    pushes: Vec<mpsc::Sender<oneshot::Sender<()>>>,
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

    /// How the delivery goes.
    pub fn health(&self) -> Health {
        Health { exporters: self.stats.iter().map(|stats| stats.read()).collect(), guest_items_dropped: self.figures.dropped_total() }
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

/// Telemetry while it is put together.
struct Builder {
    options: Options,
    runtime: Runtime,
    resource: Resource,
    stats: Vec<Arc<ExportStats>>,
    stopping: watch::Sender<bool>,
}

impl Builder {
    fn new(options: Options) -> Result<Self, TelemetryError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("otel-export").enable_all().build();
        let runtime = runtime.map_err(TelemetryError::Runtime)?;
        let resource = Resource::builder().with_service_name(options.service_name.clone()).with_attributes([
            opentelemetry::KeyValue::new("service.version", options.service_version.clone()),
            opentelemetry::KeyValue::new("service.instance.id", options.instance_id.clone()),
        ]);
        let stats = options.exporters.iter().map(|exporter| Arc::new(ExportStats::new(&exporter.name, exporter.target.kind()))).collect();
        Ok(Self { options, runtime, resource: resource.build(), stats, stopping: watch::Sender::new(false) })
    }

    fn build(self, committed: &[crate::cursor::Tally]) -> Result<Telemetry, TelemetryError> {
        // Exporters over gRPC are bound to the runtime in which they are built.
        let guard = self.runtime.enter();
        let reader = SharedReader::new(Temporality::Cumulative);
        let (meters, pushes) = self.metrics(&reader)?;
        // The batch processor counts its own losses through the global meters, so these come first.
        opentelemetry::global::set_meter_provider(meters.clone());
        export::export_counter(&meters, &self.stats);
        let counting = self.counting(&meters, committed);
        let figures = Arc::new(CallFigures::new(&meters, self.options.units));
        let projector = Projector { policy: self.options.policy.clone(), signs_of_life: metrics::signs_of_life(committed) };
        let logs = self.logs()?;
        let (mut observers, deliveries) = self.deliveries(&Arc::new(projector), &logs)?;
        observers.push(Arc::new(MetricObserver(counting.clone())));
        let processor = self.live()?;
        let calls =
            Calls { figures: figures.clone(), processor: processor.clone(), policy: Arc::new(self.options.policy.clone()), logs: logs.clone() };
        drop(guard);
        Ok(Telemetry {
            observers,
            calls: Arc::new(calls),
            counting,
            figures,
            reader,
            meters,
            processor,
            logs,
            deliveries,
            pushes,
            stats: self.stats,
            stopping: self.stopping,
            runtime: Mutex::new(Some(self.runtime)),
        })
    }

    fn metrics(&self, reader: &SharedReader) -> Result<(SdkMeterProvider, Vec<mpsc::Sender<oneshot::Sender<()>>>), TelemetryError> {
        let mut provider = SdkMeterProvider::builder().with_resource(self.resource.clone()).with_reader(reader.clone());
        let mut pushes = Vec::new();
        for (exporter, stats) in self.destinations().filter(|(exporter, _)| exporter.metrics) {
            let Some(sink) = export::metric_sink(exporter, &self.resource, stats)? else { continue };
            let reader = SharedReader::new(sink.temporality());
            provider = provider.with_reader(reader.clone());
            let (ask, asked) = mpsc::channel(1);
            self.runtime.spawn(metrics::push(sink, reader, self.options.delivery.metric_interval, asked));
            pushes.push(ask);
        }
        Ok((provider.build(), pushes))
    }

    fn counting(&self, meters: &SdkMeterProvider, committed: &[crate::cursor::Tally]) -> Arc<Counting> {
        let tallies = Arc::new(Tallies::new(committed, &self.options.zero_series, self.options.delivery.max_series));
        let figures = Arc::new(Figures::new(self.options.census.clone(), &self.options.zero_series, registry::metrics()));
        let instruments = Instruments::new(meters, self.options.units, &tallies, &figures);
        let counting = Arc::new(Counting::new(instruments, tallies, self.options.cursors.clone()));
        self.runtime.spawn(counting.clone().run(self.options.delivery.tally_delay));
        counting
    }

    #[allow(clippy::type_complexity, reason = "two lists that belong together for three lines")]
    fn deliveries(
        &self,
        projector: &Arc<Projector>,
        logs: &SharedLogs,
    ) -> Result<(Vec<Arc<dyn Observer>>, Vec<mpsc::Sender<delivery::Message>>), TelemetryError> {
        let (mut observers, mut queues): (Vec<Arc<dyn Observer>>, _) = (Vec::new(), Vec::new());
        for (exporter, stats) in self.destinations().filter(|(exporter, _)| exporter.traces) {
            // Leaked once per exporter and process: observers have static names.
            let name: &'static str = format!("telemetry.spans.{}", exporter.name).leak();
            let sink = Arc::new(export::span_sink(exporter, &self.resource, stats, true)?);
            let delivery = Delivery {
                name,
                sink,
                cursors: self.options.cursors.clone(),
                options: self.options.delivery.clone(),
                // One delivery writes them, or each exporter would get each record from every delivery.
                exceptions: logs.clone().filter(|_| observers.is_empty() && self.options.policy.exceptions.in_logs()),
                stopping: self.stopping.subscribe(),
            };
            let (observer, queue, task) = delivery::channel(projector.clone(), delivery);
            self.runtime.spawn(task);
            observers.push(Arc::new(observer));
            queues.push(queue);
        }
        Ok((observers, queues))
    }

    fn logs(&self) -> Result<SharedLogs, TelemetryError> {
        let destinations = self.destinations().filter(|(exporter, _)| exporter.logs);
        let sinks = destinations.filter_map(|(exporter, stats)| export::log_sink(exporter, &self.resource, stats).transpose());
        let sinks = sinks.collect::<Result<Vec<_>, _>>()?;
        Ok(Logs::new(sinks, &self.resource, &self.options.delivery, self.runtime.handle().clone()).map(Arc::new))
    }

    fn live(&self) -> Result<Option<Arc<BatchSpanProcessor>>, TelemetryError> {
        let destinations = self.destinations().filter(|(exporter, _)| exporter.traces);
        let sinks = destinations.map(|(exporter, stats)| export::span_sink(exporter, &self.resource, stats, false).map(Arc::new));
        let sinks = sinks.collect::<Result<Vec<_>, _>>()?;
        if sinks.is_empty() {
            return Ok(None);
        }
        let delivery = &self.options.delivery;
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(delivery.live_queue)
            .with_max_export_batch_size(delivery.max_batch)
            .with_scheduled_delay(delivery.delay)
            .build();
        let exporter = LiveExporter { sinks, runtime: self.runtime.handle().clone() };
        Ok(Some(Arc::new(BatchSpanProcessor::builder(exporter).with_batch_config(config).build())))
    }

    fn destinations(&self) -> impl Iterator<Item = (&ExporterOptions, &Arc<ExportStats>)> {
        self.options.exporters.iter().zip(&self.stats)
    }
}
