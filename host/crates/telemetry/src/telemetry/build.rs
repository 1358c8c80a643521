//! Putting telemetry together.

use std::sync::{Arc, Mutex};

use engine::port::Observer;
use opentelemetry_sdk::{
    Resource,
    metrics::{SdkMeterProvider, Temporality},
    trace::{BatchConfigBuilder, BatchSpanProcessor},
};
use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot, watch},
};

use super::Telemetry;
use crate::{
    calls::{CallFigures, Calls, Shared},
    delivery::{self, Delivery},
    error::TelemetryError,
    export::{self, LiveExporter},
    health::ExportStats,
    logs::{Logs, SharedLogs},
    metrics::{self, Counting, Figures, Instruments, MetricObserver, SharedReader, Tallies},
    options::{ExporterOptions, Options},
    projection::Projector,
    registry,
};

/// How a task that pushes metrics is asked to do so now.
pub(super) type Push = mpsc::Sender<oneshot::Sender<()>>;

/// Telemetry while it is put together.
pub(super) struct Builder {
    options: Options,
    runtime: Runtime,
    resource: Resource,
    stats: Vec<Arc<ExportStats>>,
    stopping: watch::Sender<bool>,
}

impl Builder {
    pub(super) fn new(options: Options) -> Result<Self, TelemetryError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("otel-export").enable_all().build();
        let runtime = runtime.map_err(TelemetryError::Runtime)?;
        let resource = Resource::builder().with_service_name(options.service_name.clone()).with_attributes([
            opentelemetry::KeyValue::new("service.version", options.service_version.clone()),
            opentelemetry::KeyValue::new("service.instance.id", options.instance_id.clone()),
        ]);
        let stats = options.exporters.iter().map(|exporter| Arc::new(ExportStats::new(&exporter.name, exporter.target.kind()))).collect();
        Ok(Self { options, runtime, resource: resource.build(), stats, stopping: watch::Sender::new(false) })
    }

    pub(super) fn build(self, committed: &[crate::cursor::Tally]) -> Result<Telemetry, TelemetryError> {
        // Exporters over gRPC are bound to the runtime in which they are built.
        let guard = self.runtime.enter();
        let reader = SharedReader::new(Temporality::Cumulative);
        let (meters, pushes) = self.metrics(&reader)?;
        // The batch processor counts its own losses through the global meters, so these come first.
        opentelemetry::global::set_meter_provider(meters.clone());
        export::export_counter(&meters, &self.stats);
        let (counting, observed) = self.counting(&meters, committed)?;
        let figures = CallFigures::new(&meters, self.options.units);
        let projector = Projector { policy: self.options.policy.clone(), signs_of_life: metrics::signs_of_life(committed) };
        let logs = self.logs()?;
        let (mut observers, deliveries) = self.deliveries(&Arc::new(projector), &logs)?;
        observers.push(Arc::new(MetricObserver(counting.clone())));
        let processor = self.live()?;
        let calls = Calls(Arc::new(Shared {
            figures,
            processor: processor.clone(),
            policy: self.options.policy.clone(),
            logs: logs.clone(),
            propagates: self.options.propagates,
        }));
        drop(guard);
        Ok(Telemetry {
            observers,
            calls: Arc::new(calls),
            counting,
            observed,
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

    fn metrics(&self, reader: &SharedReader) -> Result<(SdkMeterProvider, Vec<Push>), TelemetryError> {
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

    fn counting(&self, meters: &SdkMeterProvider, committed: &[crate::cursor::Tally]) -> Result<(Arc<Counting>, Arc<Figures>), TelemetryError> {
        let options = &self.options;
        let zeros = options.labels.series(&options.zero_series, options.delivery.max_series)?;
        let tallies = Arc::new(Tallies::new(committed, &zeros, options.delivery.max_series));
        let figures = Arc::new(Figures::new(options.census.clone(), &zeros, registry::metrics()));
        let instruments = Instruments::new(meters, options.units, &zeros, &tallies, &figures);
        let counting = Arc::new(Counting::new(instruments, options.labels.clone(), tallies, options.cursors.clone()));
        self.runtime.spawn(counting.clone().run(options.delivery.tally_delay));
        Ok((counting, figures))
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
