//! Tenants in the host: the parts of the pack, in the order in which they need each other, and the providers inside the host.

mod ports;
mod providers;

use std::{collections::HashMap, sync::Arc};

use anyhow::Context;
use engine::{
    Driver, Pack,
    port::{Call, Clock, HostInterface, Observer, Opening, Runner, Secrets, SystemClock, Verb},
};
use pipeline::{Definition, TenantName};
use store_sqlite::Store;
use tenants::{
    Book, Caretaker, CaretakerParts, CredentialParts, Credentials, Follower, Intake, IntakeParts, Listeners, Remover, RestedRuns,
    api::{Api, Key},
};
use tokio::task::JoinSet;
use tracing::warn;

use self::{
    ports::{AuditTrail, DirectoryAccounts, LocalZones, RunsTenant},
    providers::Providers,
};
use crate::{config::Config, registry::Registry};

/// What there is before the engine is.
#[derive(Debug)]
pub(super) struct PreparedTenants {
    providers: Providers,
    book: Arc<Book>,
    listeners: Arc<Listeners>,
    follower: Arc<Follower>,
    rested: RestedRuns,
    options: Arc<tenants::Options>,
    runs_tenant: Arc<RunsTenant>,
    outside: Outside,
}

/// What it works with.
#[derive(Debug, Clone)]
struct Outside {
    store: Arc<Store>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    service: TenantName,
    key: Key,
}

/// The tenants of a service.
#[derive(Debug)]
pub(crate) struct Tenants {
    /// What operators, programs and sign-up pages ask it.
    pub(crate) api: Api,
    listeners: Arc<Listeners>,
}

/// The pipelines of tenants.
pub(super) fn packs(config: &Config) -> Vec<Pack> {
    let Some(settings) = &config.tenants else { return Vec::new() };
    let pack = |definition: Definition, document| Pack { definition: Arc::new(definition), document: Some(document) };
    vec![
        pack(tenants::definition(&settings.options), tenants::document),
        pack(tenants::certificate_definition(&settings.options), tenants::certificate_document),
        pack(tenants::repair_definition(&settings.options), tenants::repair_document),
    ]
}

/// What a call must have for itself: servers of zones know no conditional update, or it is not used by everybody.
pub(super) fn zone_of(call: &Call) -> Option<String> {
    if !call.pin.contract.starts_with("jackfield:tenant/dns@") {
        return None;
    }
    let told = match &call.verb {
        Verb::Undo { receipt } => receipt,
        Verb::Apply | Verb::Resume { .. } | Verb::Observe => &call.request,
    };
    told["zone"].as_str().map(|zone| format!("zone {zone}"))
}

impl PreparedTenants {
    /// Everything that can be there before the engine; `None` where there are no tenants.
    pub(super) async fn new(
        config: &Config,
        directory: &std::path::Path,
        service: &TenantName,
        store: &Arc<Store>,
        secrets: Arc<dyn Secrets>,
        opening: &Opening,
    ) -> anyhow::Result<Option<Self>> {
        let Some(settings) = &config.tenants else { return Ok(None) };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        if config.secrets.seal_key.is_none() {
            warn!("[secrets] seal_key is not set: nobody can sign up, because passwords and keys of tenants cannot be kept");
        }
        let outside = Outside { store: store.clone(), secrets, clock: clock.clone(), service: service.clone(), key: Key::of(&opening.secret) };
        let providers = Providers::open(config, settings, directory, &outside).context("tenants")?;
        let (book, listeners) = (Arc::new(Book::default()), Arc::new(Listeners::default()));
        book.load(&**store).await.context("the tenants in the store")?;
        let (follower, rested) = Follower::new(book.clone(), listeners.clone(), store.clone(), clock);
        let runs_tenant = Arc::new(RunsTenant::new(store.clone()));
        let options = Arc::new(settings.options.clone());
        Ok(Some(Self { providers, book, listeners, follower: Arc::new(follower), rested, options, runs_tenant, outside }))
    }

    /// What plugins are offered beside the host's own interfaces: the database of the tenant that a run is about.
    pub(super) fn interface(&self) -> Arc<dyn HostInterface> {
        self.providers.sql(self.runs_tenant.clone())
    }

    /// Who answers the contracts of tenants inside the host.
    pub(super) fn natives(&self) -> HashMap<String, Arc<dyn Runner>> {
        self.providers.runners()
    }

    /// Who follows what becomes of tenants.
    pub(super) fn observer(&self) -> Arc<dyn Observer> {
        self.follower.clone()
    }

    /// The tenants over an engine that was opened with all of this. What has to be done for them is done by a task of `watching`.
    pub(super) fn connect(self, driver: &Arc<Driver>, runner: Arc<dyn Runner>, registry: &Arc<Registry>, watching: &mut JoinSet<()>) -> Tenants {
        let Self { providers, book, listeners, follower: _, rested, options, runs_tenant, outside } = self;
        let Outside { store, secrets, clock, service, key } = outside;
        let remover = Arc::new(Remover::new(driver.clone(), store.clone()));
        let credentials = Arc::new(Credentials::new(CredentialParts {
            engine: driver.clone(),
            documents: store.clone(),
            secrets: secrets.clone(),
            clock: clock.clone(),
            audit: Arc::new(AuditTrail(registry.clone())),
            accounts: Arc::new(DirectoryAccounts(providers.directory.clone())),
            service: service.clone(),
        }));
        runs_tenant.connect(driver.clone(), credentials.clone());
        let caretaker = CaretakerParts {
            engine: driver.clone(),
            documents: store.clone(),
            secrets: secrets.clone(),
            clock: clock.clone(),
            remover: remover.clone(),
            service: service.clone(),
        };
        watching.spawn(Caretaker::new(caretaker, rested).run());
        let intake = IntakeParts {
            engine: driver.clone(),
            documents: store.clone(),
            secrets,
            clock: clock.clone(),
            options: options.clone(),
            service: service.clone(),
        };
        let api = Api {
            intake: Arc::new(Intake::new(intake, book)),
            driver: driver.clone(),
            runner,
            documents: store,
            clock,
            options,
            remover,
            listeners: listeners.clone(),
            credentials,
            zones: Some(Arc::new(LocalZones(providers.zone))),
            key,
            service,
        };
        Tenants { api, listeners }
    }
}

impl Tenants {
    /// Lets everybody go who listens to tenants: their streams would never end by themselves.
    pub(super) fn let_go(&self) {
        self.listeners.close();
    }
}
