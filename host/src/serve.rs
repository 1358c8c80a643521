//! `jackfield serve`: opens everything in order, serves, and lets go of it in reverse.

mod bindings;
mod plugins;
mod telemetry;
mod tokens;

use std::{path::Path, sync::Arc, time::Duration};

use ::telemetry::Telemetry;
use anyhow::Context;
use engine::{
    Driver, Options, Pack, Ports, Routed,
    port::{Opening, SystemClock},
};
use store_sqlite::Store;
use tokio::{net::TcpListener, sync::watch};
use tracing::{error, info, warn};

pub(crate) use self::tokens::{Tokens, new_token};
use self::{bindings::bind, plugins::Shelf};
use crate::{config::Config, http};

/// How long a shutdown waits for telemetry to be delivered.
const FLUSH: Duration = Duration::from_secs(5);

/// Serves until a signal or the end of the store. `Ok(false)`: not everything came to rest in time.
pub(crate) async fn serve(config: Config, directory: &Path) -> anyhow::Result<bool> {
    // The port is taken first: a second host on the same configuration fails here, before it touches the store.
    let listener = TcpListener::bind(config.http.listen).await.with_context(|| format!("http.listen: cannot listen on {}", config.http.listen))?;
    let address = listener.local_addr()?;
    let url = config.http.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let options = store_sqlite::Options { max_bytes: config.store.max_bytes, ..store_sqlite::Options::default() };
    let (store, opening) = Store::open(&config.store.path, options).with_context(|| format!("store.path: {}", config.store.path.display()))?;
    let tokens = Tokens::open(config.data_directory(), &config.tokens)?;
    let host = Host::open(&config, directory, &url, store.clone(), &opening).await?;
    let (stopping, stop) = watch::channel(false);
    let app = http::router(&host, tokens, &config);
    let server = axum::serve(listener, app).with_graceful_shutdown(wait_for(stop));
    let endpoint = config.data_directory().join("endpoint");
    std::fs::write(&endpoint, format!("http://{address}\n")).with_context(|| format!("{} cannot be written", endpoint.display()))?;
    info!("serving on http://{address}");
    println!("jackfield serves on http://{address}");

    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(server.into_future());
    let failed = tokio::select! {
        () = signal() => None,
        reason = host.driver.failed() => Some(reason),
    };
    if let Some(reason) = &failed {
        error!("the store cannot be used any more, the process ends: {reason}");
    }
    let _nobody_listens = stopping.send(true);
    let rested = host.close(Duration::from_millis(config.http.drain_ms)).await;
    // Connections that are still open after the drain are cut by the end of the process.
    let _cut = tokio::time::timeout(Duration::from_secs(1), serving.join_next()).await;
    let _gone = std::fs::remove_file(endpoint);
    match failed {
        Some(reason) => anyhow::bail!("the store cannot be used any more: {reason}"),
        None => Ok(rested),
    }
}

/// The parts of a serving host.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) driver: Arc<Driver>,
    pub(crate) store: Arc<Store>,
    pub(crate) runtime: plugin_runtime::Runtime,
    pub(crate) installed: Vec<plugins::Installed>,
    pub(crate) telemetry: Arc<Telemetry>,
}

impl Host {
    /// Wires the parts together: this is the list of what a host consists of.
    pub(crate) async fn open(config: &Config, directory: &Path, url: &str, store: Arc<Store>, opening: &Opening) -> anyhow::Result<Self> {
        // Telemetry first: attempts that the last process lost ended at its last sign of life, which is noted here.
        let (telemetry, sampler) = telemetry::start(config, &store, opening).await?;
        let mut options = config.runtime.clone();
        options.cache_dir.get_or_insert_with(|| config.data_directory().join("compiled"));
        let runtime = plugin_runtime::Runtime::new(options)?;
        let installed = plugins::install(&runtime, &*store, config, directory).await?;
        let table = bind(&installed, config)?;
        let shelf = Shelf::new(runtime.clone(), store.clone(), telemetry.calls(), directory.to_owned());
        let runner = Routed { plugins: Some(Arc::new(shelf)), ..Routed::default() };
        let ports = Ports {
            journal: store.clone(),
            timers: store.clone(),
            blobs: store.clone(),
            runner: Arc::new(runner),
            clock: Arc::new(SystemClock),
            observers: telemetry.observers(),
        };
        let orders = Pack { definition: Arc::new(orders::definition(&config.orders)), document: Some(orders::document) };
        let options = Options {
            packs: vec![orders],
            table,
            callback_base: format!("{url}/callbacks/"),
            max_driven: config.engine.max_driven,
            sampler,
            ..Options::default()
        };
        let driver = Arc::new(Driver::open(ports, opening, options).await?);
        Ok(Self { driver, store, runtime, installed, telemetry: Arc::new(telemetry) })
    }

    /// Lets calls finish within the budget and closes the store.
    async fn close(&self, budget: Duration) -> bool {
        let rested = self.driver.stop(budget).await;
        if !rested {
            warn!("calls were still being made after {} ms; what they did is in doubt and is observed at the next start", budget.as_millis());
        }
        if !self.telemetry.flush(FLUSH).await {
            warn!("telemetry was not delivered within {} s; spans of runs are delivered by the next start", FLUSH.as_secs());
        }
        self.store.close().await;
        rested
    }
}

async fn wait_for(mut stop: watch::Receiver<bool>) {
    let _sender_gone = stop.wait_for(|stop| *stop).await;
}

/// Returns at SIGINT or SIGTERM.
async fn signal() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            warn!("SIGTERM cannot be caught: {error}");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => info!("SIGTERM: draining"),
        _ = tokio::signal::ctrl_c() => info!("SIGINT: draining"),
    }
}
