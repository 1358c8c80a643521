//! Telemetry in the host: from configuration and environment to running exporters, over the host's own store.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use engine::{
    Sampler,
    port::{Opening, Position, RunState, Timers},
};
use pipeline::{Measurement, PipelineName};
use store_sqlite::{Store, TallyChange};
use telemetry::{
    Census, CursorError, CursorStore, Env, ExporterOptions, Labels, Names, Options, Sampling, Tally, Target, Telemetry, Units,
    policy::{Pii, Policy},
};

use crate::config::{self, Config};

/// At this size the span file is renamed, replacing the one before it: 256 MiB, some 700,000 spans.
const MAX_FILE_BYTES: u64 = 256 << 20;

/// Starts telemetry and says how new runs are sampled.
pub(crate) async fn start(config: &Config, store: &Arc<Store>, opening: &Opening) -> anyhow::Result<(Telemetry, Sampler)> {
    let env = Env::read(variable).context("environment")?;
    let places = Arc::new(Places { store: store.clone(), runtime: tokio::runtime::Handle::current() });
    let mut options = Options {
        service_name: "jackfield".to_owned(),
        service_version: env!("CARGO_PKG_VERSION").to_owned(),
        instance_id: super::tokens::new_token()?[..32].to_owned(),
        exporters: exporters(config),
        units: units(config),
        policy: Policy { pii: pii(config, opening), names: names(config), ..Policy::default() },
        labels: Labels::new(config.telemetry.labels.clone()).context("telemetry.labels")?,
        propagates: true,
        zero_series: zero_series(config),
        census: places.clone(),
        cursors: places,
        epoch: opening.epoch,
        last_sign_of_life: opening.last_sign_of_life,
        delivery: telemetry::DeliveryOptions::default(),
    };
    let mut sampling = Sampling { pipelines: config.telemetry.sampling.clone(), ..Sampling::default() };
    env.apply(&mut options, &mut sampling);
    sampling.validate().context("telemetry.sampling")?;
    let telemetry = Telemetry::start(options).await?;
    let sampler: Sampler = Arc::new(move |pipeline, caller| sampling.decide(pipeline, caller));
    Ok((telemetry, sampler))
}

/// Every series that is known before anything happens.
fn zero_series(config: &Config) -> Vec<Measurement> {
    let mut series = orders::initial_series(&config.orders.categories);
    if config.cpe.is_enabled() {
        series.extend(cpe::flow::initial_series(&config.cpe.provisioning));
    }
    if let Some(tenants) = &config.tenants {
        series.extend(tenants::initial_series(&tenants.options));
    }
    series
}

fn exporters(config: &Config) -> Vec<ExporterOptions> {
    let mut exporters = Vec::new();
    if let Some(endpoint) = &config.telemetry.otlp {
        let endpoint = Some(endpoint.clone());
        let target = match config.telemetry.protocol {
            config::Protocol::Http => Target::OtlpHttp { endpoint },
            config::Protocol::Grpc => Target::OtlpGrpc { endpoint },
        };
        exporters.push(ExporterOptions::new("otlp", target));
    }
    if let Some(traces) = &config.telemetry.file {
        let target = Target::File { traces: traces.clone(), metrics: None, logs: None, max_bytes: MAX_FILE_BYTES };
        exporters.push(ExporterOptions { metrics: false, ..ExporterOptions::new("file", target) });
    }
    exporters
}

fn names(config: &Config) -> Names {
    match config.telemetry.names {
        config::Names::Seed => Names::Seed,
        config::Names::SeedAndSemconv => Names::SeedAndSemconv,
    }
}

fn units(config: &Config) -> Units {
    match config.telemetry.units {
        config::Units::Seed => Units::Seed,
        config::Units::Semconv => Units::Semconv,
    }
}

fn pii(config: &Config, opening: &Opening) -> Pii {
    match config.telemetry.pii {
        config::Pii::Emit => Pii::Emit,
        config::Pii::Drop => Pii::Drop,
        // Keyed by the store's secret: equal values stay equal within one installation and cannot be guessed from outside.
        config::Pii::Hash => Pii::Hash(blake3::derive_key("jackfield 2026 telemetry pii", &opening.secret)),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one home of the OTEL_* environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Telemetry's places in the store.
#[derive(Debug)]
struct Places {
    store: Arc<Store>,
    runtime: tokio::runtime::Handle,
}

fn refused(error: impl std::fmt::Display) -> CursorError {
    CursorError(error.to_string())
}

#[async_trait]
impl CursorStore for Places {
    async fn load(&self, name: &str) -> Result<Position, CursorError> {
        self.store.cursor(name).await.map_err(refused)
    }

    async fn save(&self, name: &str, position: Position) -> Result<(), CursorError> {
        self.store.save_cursor(name, position).await.map_err(refused)
    }

    async fn tallies(&self) -> Result<Vec<Tally>, CursorError> {
        let tallies = self.store.tallies().await.map_err(refused)?;
        Ok(tallies.into_iter().map(|tally| Tally { name: tally.name, labels: tally.labels, value: tally.value }).collect())
    }

    async fn commit_tallies(&self, name: &str, position: Position, changes: &[Tally]) -> Result<(), CursorError> {
        let change = |tally: &Tally| TallyChange { name: tally.name.clone(), labels: tally.labels.clone(), add: tally.value };
        self.store.commit_tallies(name, position, changes.iter().map(change).collect()).await.map_err(refused)
    }
}

impl Census for Places {
    /// Reads the store on a thread of its own: the caller's may belong to a runtime, where waiting for a future is not allowed.
    fn runs(&self) -> Option<Vec<(PipelineName, RunState, u64)>> {
        let census = || self.runtime.block_on(self.store.census());
        std::thread::scope(|scope| scope.spawn(census).join()).ok()?.ok()
    }
}
