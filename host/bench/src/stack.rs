//! The whole host below HTTP, wired as `serve` wires it: store, runtime, telemetry, engine.

mod ended;
mod places;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use engine::{
    Binding, BindingTable, BoundPlugin, Driver, Options, Pack, Ports, Routed,
    port::{Blobs as _, Opening, Runner, SystemClock},
};
use plugin_runtime::{Allocation, Grant, Plugin, Plugins, Runtime, WasmRunner};
use serde_json::Value;
use store_sqlite::Store;
use telemetry::{ExporterOptions, Target, Telemetry};

pub(crate) use self::ended::WatchedJournal;
use self::places::Places;
use crate::{guest, setup::Setup};

/// How long everything may take to come to rest.
const REST: Duration = Duration::from_secs(120);

/// A host without HTTP.
#[derive(Debug)]
pub(crate) struct Stack {
    pub(crate) store: Arc<Store>,
    pub(crate) journal: Arc<WatchedJournal>,
    pub(crate) driver: Arc<Driver>,
    pub(crate) telemetry: Telemetry,
    pub(crate) allocation: Allocation,
}

/// What differs between stacks.
pub(crate) struct Wiring<'a> {
    /// The database.
    pub(crate) database: &'a Path,
    /// The pipeline.
    pub(crate) pack: Pack,
    /// The OTLP receiver.
    pub(crate) receiver: &'a str,
    /// Wraps the runner.
    pub(crate) around: fn(Arc<dyn Runner>) -> Arc<dyn Runner>,
}

impl Stack {
    /// Opens everything. The no-op plugin answers all contracts; every run is sampled.
    pub(crate) async fn open(setup: &Setup, wiring: Wiring<'_>) -> Result<Self> {
        let (store, opening) = Store::open(wiring.database, store_sqlite::Options::default())?;
        let telemetry = Telemetry::start(telemetry_options(&store, &opening, wiring.receiver)).await?;
        let runtime = Runtime::new(guest::options(setup))?;
        let plugin = runtime.load(setup.noop.clone(), &Grant::default()).await?;
        let table = table(&plugin, store.put(setup.noop.clone()).await?)?;
        let plugins = Plugins::default();
        plugins.add(plugin);
        let runner = Arc::new(WasmRunner::new(runtime.clone(), plugins, store.clone(), telemetry.calls()));
        let journal = Arc::new(WatchedJournal::new(store.clone()));
        let ports = Ports {
            journal: journal.clone(),
            timers: store.clone(),
            blobs: store.clone(),
            runner: (wiring.around)(Arc::new(Routed { plugins: Some(runner), ..Routed::default() })),
            clock: Arc::new(SystemClock),
            observers: telemetry.observers(),
        };
        let options = Options { packs: vec![wiring.pack], table, runs_on: Some(runtime.handle()), ..Options::default() };
        let driver = Arc::new(Driver::open(ports, &opening, options).await?);
        Ok(Self { store, journal, driver, telemetry, allocation: runtime.allocation() })
    }

    /// Lets everything come to rest, telemetry included, and returns how many spans arrived; fails where any was lost.
    pub(crate) async fn close(self) -> Result<u64> {
        ensure!(self.driver.stop(REST).await, "the engine did not come to rest within {REST:?}");
        ensure!(self.telemetry.flush(REST).await, "telemetry was not delivered within {REST:?}");
        let health = self.telemetry.health();
        let exporter = health.exporters.first().context("there is no exporter")?;
        ensure!(exporter.spans_exported > 0, "no span was delivered: {:?}", exporter.last_error);
        ensure!(exporter.spans_lost == 0, "{} spans were lost: {:?}", exporter.spans_lost, exporter.last_error);
        let exported = exporter.spans_exported;
        self.telemetry.shutdown(REST).await;
        self.store.close().await;
        Ok(exported)
    }
}

/// As `serve` has them, with one exporter and everything sampled.
pub(crate) fn telemetry_options(store: &Arc<Store>, opening: &Opening, receiver: &str) -> telemetry::Options {
    let places = Arc::new(Places::new(store.clone()));
    let target = Target::OtlpHttp { endpoint: Some(receiver.to_owned()) };
    telemetry::Options {
        service_name: "jackfield-bench".to_owned(),
        service_version: env!("CARGO_PKG_VERSION").to_owned(),
        instance_id: std::process::id().to_string(),
        exporters: vec![ExporterOptions::new("otlp", target)],
        units: telemetry::Units::Seed,
        policy: telemetry::policy::Policy::default(),
        labels: telemetry::Labels::default(),
        propagates: true,
        zero_series: orders::initial_series(&[]),
        census: places.clone(),
        cursors: places,
        epoch: opening.epoch,
        last_sign_of_life: opening.last_sign_of_life,
        delivery: telemetry::DeliveryOptions::default(),
    }
}

/// Binds every contract of the plugin to it.
fn table(plugin: &Plugin, component: String) -> Result<BindingTable> {
    let mut table = BindingTable::default();
    for contract in plugin.contracts() {
        let pin = plugin.pin(&contract.track).with_context(|| format!("the plugin does not answer {}", contract.track))?;
        table.rules.push(Binding::to(contract.track.clone(), pin.into()));
    }
    table.plugins.insert(plugin.digest().clone(), BoundPlugin { component, grant: Value::Null });
    Ok(table)
}
