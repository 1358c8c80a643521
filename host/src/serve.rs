//! `jackfield serve`: opens everything in order, serves, and lets go of it in reverse.

mod devices;
mod server;
mod signals;
mod telemetry;
mod tenants;
mod tokens;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use ::telemetry::{HostLog, Telemetry};
use anyhow::Context;
use engine::{
    Driver, Exclusive, Options, Pack, Ports, Routed, SelectorNames,
    port::{HostInterface, Opening, Runner, SystemClock},
};
use package::TrustList;
use pipeline::TenantName;
use store_sqlite::Store;
use tokio::{net::TcpListener, sync::watch};
use tracing::{error, info, warn};

pub(crate) use self::{
    devices::Devices,
    tenants::Tenants,
    tokens::{Tokens, new_token},
};
use self::{
    devices::{Doors, Prepared},
    server::Server,
    signals::Signals,
    tenants::PreparedTenants,
};
use crate::{
    config::Config,
    http,
    registry::{self, Natives, Parts, Registry, Shelf},
};

/// How long a shutdown waits for telemetry to be delivered.
const FLUSH: Duration = Duration::from_secs(5);

/// How long requests that have begun are waited for at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Serves until a signal or the end of the store. `Ok(false)`: not everything came to rest in time.
pub(crate) async fn serve(config: Config, directory: &Path, log: &HostLog) -> anyhow::Result<bool> {
    registry::check_grants(&config, directory)?;
    signals::survive_file_size_limit();
    // The port is taken first: a second host on the same configuration fails here, before it touches the store.
    let listener = TcpListener::bind(config.http.listen).await.with_context(|| format!("http.listen: cannot listen on {}", config.http.listen))?;
    let address = listener.local_addr()?;
    let doors = Doors::open(&config, directory).await?;
    let url = config.http.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let options = store_sqlite::Options { max_bytes: config.store.max_bytes, ..store_sqlite::Options::default() };
    let (store, opening) = Store::open(&config.store.path, options).with_context(|| format!("store.path: {}", config.store.path.display()))?;
    let tokens = Tokens::open(config.data_directory(), &config.tokens)?;
    let callback_keys = crate::config::callback_keys(&config.callbacks, directory)?;
    let mut watching = tokio::task::JoinSet::new();
    let host = Host::open(&config, directory, &url, store.clone(), &opening, log, &mut watching).await?;
    // From here on a signal is a drain.
    let mut signals = Signals::listen()?;
    let endpoint = config.data_directory().join("endpoint");
    std::fs::write(&endpoint, format!("http://{address}\n")).with_context(|| format!("{} cannot be written", endpoint.display()))?;
    let server = Server {
        listener,
        router: http::router(&host, tokens, &config, callback_keys),
        max_connections: config.http.max_connections,
        receive: Duration::from_millis(config.http.receive_ms),
    };
    let (stopping, stop) = watch::channel(false);
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(server.run(stop.clone()));
    if let Some(devices) = &host.devices {
        doors.serve(devices, config.data_directory(), &stop, &mut serving)?;
    }
    watching.spawn(host.registry.clone().look_after_canaries());
    if let Some(folder) = config.registry.drop_folder.clone() {
        watching.spawn(registry::watch_drop_folder(host.registry.clone(), folder));
    }
    info!("serving on http://{address}");
    say(&format!("jackfield serves on http://{address}"));

    let failed = tokio::select! {
        name = signals.next() => {
            info!("{name}: draining");
            None
        }
        reason = host.driver.failed() => Some(reason),
    };
    if let Some(reason) = &failed {
        error!("the store cannot be used any more, the process ends: {reason}");
    }
    // The interface answers during the drain: what is there can be seen, callbacks are taken, new work is refused as unavailable.
    let (budget, begun) = (Duration::from_millis(config.http.drain_ms), Instant::now());
    let rested = host.drain(budget, &mut signals).await;
    watching.shutdown().await;
    if let Some(devices) = &host.devices {
        // After a drain that was cut short, what devices are told last is all that is waited for.
        let left = if rested { budget.saturating_sub(begun.elapsed()).max(LAST_ANSWERS) } else { LAST_ANSWERS };
        tokio::select! {
            () = devices.let_go(left) => {}
            name = signals.next() => warn!("{name}: devices in session are left alone"),
        }
    }
    if let Some(tenants) = &host.tenants {
        tenants.let_go();
    }
    let _nobody_listens = stopping.send(true);
    // Connections that are still open then are cut by the end of the process.
    let _cut = tokio::time::timeout(LAST_ANSWERS, async { while serving.join_next().await.is_some() {} }).await;
    host.registry.come_to_rest(LAST_ANSWERS).await;
    host.close(&mut signals).await;
    let _gone = std::fs::remove_file(endpoint);
    Doors::forget(config.data_directory());
    match failed {
        Some(reason) => anyhow::bail!("the store cannot be used any more: {reason}"),
        None => Ok(rested),
    }
}

/// The pipelines of devices and tenants, where there are any.
pub(crate) fn packs(config: &Config) -> Vec<Pack> {
    devices::packs(config).into_iter().chain(tenants::packs(config)).collect()
}

/// Whose runs come in over this host; the name was checked when the configuration was read.
pub(crate) fn tenant(config: &Config) -> TenantName {
    TenantName::new(&config.engine.tenant).unwrap_or_else(|_| TenantName::new("default").expect("a valid name"))
}

/// A line on standard output for whoever started the host. A reader that is gone, or a full disk, is no reason to end.
fn say(line: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{line}").and_then(|()| out.flush()) {
        warn!("standard output cannot be written: {error}; it would have said: {line}");
    }
}

/// The parts of a serving host.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) driver: Arc<Driver>,
    pub(crate) store: Arc<Store>,
    pub(crate) runtime: plugin_runtime::Runtime,
    pub(crate) registry: Arc<Registry>,
    pub(crate) trust: Arc<TrustList>,
    pub(crate) telemetry: Arc<Telemetry>,
    /// The auto-configuration server, where devices contact the host.
    pub(crate) devices: Option<Arc<Devices>>,
    /// The tenants of a service.
    pub(crate) tenants: Option<Tenants>,
}

impl Host {
    /// Wires the parts together: this is the list of what a host consists of.
    pub(crate) async fn open(
        config: &Config,
        directory: &Path,
        url: &str,
        store: Arc<Store>,
        opening: &Opening,
        log: &HostLog,
        watching: &mut tokio::task::JoinSet<()>,
    ) -> anyhow::Result<Self> {
        // Telemetry first: attempts that the last process lost ended at its last sign of life, which is noted here.
        let (telemetry, sampler) = telemetry::start(config, &store, opening).await?;
        telemetry.export_log(log);
        let mut options = config.runtime.clone();
        options.cache_dir.get_or_insert_with(|| config.data_directory().join("compiled"));
        // This very executable, also when its file is replaced while it runs.
        options.compile_worker = Some("/proc/self/exe".into());
        options.seal_key = crate::config::seal_key(&config.secrets, directory)?;
        let secrets = Arc::new(plugin_runtime::HostSecrets::new(options.seal_key.clone()));
        let tenant = tenant(config);
        let tenants = PreparedTenants::new(config, directory, &tenant, &store, secrets.clone(), opening).await?;
        let interfaces: Vec<Arc<dyn HostInterface>> = tenants.iter().map(PreparedTenants::interface).collect();
        let runtime = plugin_runtime::Runtime::with(options, plugin_runtime::Contracts::builtin(), interfaces)?;
        let trust = Arc::new(TrustList::new(config.trust.clone())?);
        if trust.allows_unsigned() {
            warn!("plugins that nobody has signed are taken: `allow_unsigned = true` in [trust] is a switch for development");
        }
        let shelf = Shelf::new(runtime.clone(), store.clone(), telemetry.calls(), trust.clone(), directory.to_owned());
        let definition = Arc::new(orders::definition(&config.orders));
        let orders = Pack { definition, document: Some(orders::document) };
        let packs: Vec<Pack> = [orders].into_iter().chain(packs(config)).collect();
        let selectors = SelectorNames::of(packs.iter().map(|pack| &*pack.definition));
        let natives = Natives::of(config);
        let parts =
            Parts { config, directory, store: &store, runtime: &runtime, trust: &trust, shelf: &shelf, selectors: &selectors, natives: &natives };
        let (revision, table) = registry::current(&parts).await?;
        let devices = Prepared::new(config, &tenant, &store, secrets, telemetry.live_spans(sampler.clone())).await?;
        for (metric, gauge) in devices.iter().flat_map(Prepared::gauges) {
            telemetry.observe(metric, gauge);
        }
        let mut native = devices.as_ref().map(Prepared::natives).unwrap_or_default();
        native.extend(tenants.iter().flat_map(PreparedTenants::natives));
        let routed = Routed { plugins: Some(Arc::new(shelf.clone())), native };
        let runner: Arc<dyn Runner> = Arc::new(Exclusive::new(Arc::new(routed), tenants::zone_of));
        let mut observers = telemetry.observers();
        observers.extend(devices.iter().flat_map(Prepared::observers));
        observers.extend(tenants.iter().map(PreparedTenants::observer));
        let ports = Ports {
            journal: store.clone(),
            timers: store.clone(),
            blobs: store.clone(),
            runner: runner.clone(),
            clock: Arc::new(SystemClock),
            observers,
        };
        let options = Options {
            packs,
            table,
            revision: Some(revision),
            callback_base: format!("{url}/callbacks/"),
            max_driven: config.engine.max_driven,
            runs_on: Some(runtime.handle()),
            sampler,
            ..Options::default()
        };
        let driver = Arc::new(Driver::open(ports, opening, options).await?);
        let registry = Arc::new(Registry::new(&parts, driver.clone()).await?);
        let devices = devices.map(|prepared| prepared.connect(config, &driver, registry.clone())).transpose()?.map(Arc::new);
        let tenants = tenants.map(|prepared| prepared.connect(&driver, runner, &registry, watching));
        Ok(Self { driver, store, runtime, registry, trust, telemetry: Arc::new(telemetry), devices, tenants })
    }

    /// Lets calls finish within the budget, or until a second signal.
    async fn drain(&self, budget: Duration, signals: &mut Signals) -> bool {
        let ended = tokio::select! {
            rested = self.driver.stop(budget) => if rested { return true } else { format!("after {} ms", budget.as_millis()) },
            name = signals.next() => format!("when a second signal came ({name})"),
        };
        warn!("calls were still being made {ended}; what they did is in doubt and is observed at the next start");
        false
    }

    /// Delivers telemetry, or not if a further signal comes, and closes the store.
    async fn close(&self, signals: &mut Signals) {
        let delivered = tokio::select! {
            delivered = self.telemetry.flush(FLUSH) => delivered,
            _ = signals.next() => false,
        };
        if !delivered {
            warn!("telemetry was not delivered within {} s; spans of runs are delivered by the next start", FLUSH.as_secs());
        }
        self.store.close().await;
    }
}
