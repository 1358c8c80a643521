//! The auto-configuration server in the host: its parts, in the order in which they need each other, and its listeners.

mod doors;
mod orders;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use ::telemetry::Gauge;
use anyhow::Context;
use cpe::{
    acs::Acs,
    api::{Api, Trail},
    flow::{Book, Builders, Caller, DeviceRunner, EmbeddedInventory, EmbeddedProfile, Intake, IntakeParts, Inventory, Watcher},
    quirks::{KeptQuirks, QuirkTable},
    wake::Waker,
};
use engine::{
    Driver, Pack,
    port::{Clock, LiveSpans, Observer, Runner, Secrets, SystemClock},
};
use pipeline::{ContractTrack, Definition, Provider, TenantName};
use serde_json::{Value, json};
use store_sqlite::Store;
use tracing::warn;

pub(super) use self::doors::Doors;
use self::orders::OrderedDevices;
use crate::{
    config::{Config, NATIVE},
    registry::{CWMP, EMBEDDED_INVENTORY, EMBEDDED_PROFILE},
};

/// How often it is looked whether all devices have gone.
const LOOK: Duration = Duration::from_millis(20);

/// What builds the configuration of a device.
static CONFIGURATION: LazyLock<ContractTrack> = LazyLock::new(|| "jackfield:cpe/configuration@1".parse().expect("the contract is a valid track"));

/// What there is before the engine is.
#[derive(Debug)]
pub(super) struct Prepared {
    acs: Acs,
    book: Arc<Book>,
    inventory: Arc<Inventory>,
    quirks: Arc<KeptQuirks>,
    runner: Arc<DeviceRunner>,
    watcher: Arc<Watcher>,
    ordered: Arc<OrderedDevices>,
    waker: Arc<Waker>,
    parts: Outside,
}

/// What it works with.
#[derive(Debug)]
struct Outside {
    store: Arc<Store>,
    secrets: Arc<dyn Secrets>,
    spans: Arc<dyn LiveSpans>,
    tenant: TenantName,
}

/// The auto-configuration server.
#[derive(Debug)]
pub(crate) struct Devices {
    acs: Acs,
    /// What operators and programs ask it, and what devices contact.
    pub(crate) api: Api,
}

/// The pipelines of devices.
pub(crate) fn packs(config: &Config) -> Vec<Pack> {
    if !config.cpe.is_enabled() {
        return Vec::new();
    }
    let options = &config.cpe.provisioning;
    let pack = |definition: Definition, document| Pack { definition: Arc::new(definition), document: Some(document) };
    vec![pack(cpe::flow::definition(options), cpe::flow::document), pack(cpe::flow::command_definition(options), cpe::flow::command_document)]
}

impl Prepared {
    /// Everything that can be there before the engine; `None` where devices contact nobody.
    pub(super) async fn new(
        config: &Config,
        tenant: &TenantName,
        store: &Arc<Store>,
        secrets: Arc<dyn Secrets>,
        spans: Arc<dyn LiveSpans>,
    ) -> anyhow::Result<Option<Self>> {
        if !config.cpe.is_enabled() {
            return Ok(None);
        }
        let (options, clock): (_, Arc<dyn Clock>) = (&config.cpe.provisioning, Arc::new(SystemClock));
        let acs = Acs::new(config.cpe.acs.clone(), clock.clone(), spans.clone()).context("cpe")?;
        let sessions = Arc::new(acs.clone());
        let book = Arc::new(Book::new(store.clone(), options));
        book.load().await.context("the devices in the store")?;
        let realm = config.cpe.acs.realm.clone();
        let inventory = Arc::new(Inventory::new(store.clone(), secrets.clone(), clock.clone(), tenant.clone(), realm));
        let quirks = QuirkTable::new(config.cpe.quirks.clone()).context("cpe.quirks")?;
        let quirks = KeptQuirks::load(store.clone(), clock.clone(), quirks).await.context("the quirk records in the store")?;
        let waker = Arc::new(Waker::new(config.cpe.wake.clone(), clock.clone()));
        let runner = DeviceRunner::new(sessions.clone(), book.clone(), store.clone(), secrets.clone(), clock.clone(), options)
            .with_caller(Caller::new(store.clone(), secrets.clone(), waker.clone()));
        let watcher = Arc::new(Watcher::new(book.clone(), sessions, store.clone(), clock));
        let ordered = Arc::new(OrderedDevices::new(store.clone(), inventory.clone()));
        let parts = Outside { store: store.clone(), secrets, spans, tenant: tenant.clone() };
        Ok(Some(Self { acs, book, inventory, quirks: Arc::new(quirks), runner: Arc::new(runner), watcher, ordered, waker, parts }))
    }

    /// Who answers the contracts of devices inside the host.
    pub(super) fn natives(&self) -> HashMap<String, Arc<dyn Runner>> {
        let inventory: Arc<dyn Runner> = Arc::new(EmbeddedInventory(self.inventory.clone()));
        let profile: Arc<dyn Runner> = Arc::new(EmbeddedProfile(self.inventory.clone()));
        let device: Arc<dyn Runner> = self.runner.clone();
        [(CWMP, device), (EMBEDDED_INVENTORY, inventory), (EMBEDDED_PROFILE, profile)].map(|(name, runner)| (name.to_owned(), runner)).into()
    }

    /// How many devices are in session, and how many may be, by the metrics that tell it.
    pub(super) fn gauges(&self) -> [(&'static str, Gauge); 2] {
        let (now, most) = (self.acs.clone(), self.acs.session_limit() as u64);
        [("cpe.provision.active_sessions", Arc::new(move || now.sessions() as u64)), ("cpe.provision.session.limit", Arc::new(move || most))]
    }

    /// Who follows what becomes of devices, and of orders that are about one.
    pub(super) fn observers(&self) -> [Arc<dyn Observer>; 2] {
        [self.watcher.clone(), self.ordered.clone()]
    }

    /// The server over an engine that was opened with all of this.
    pub(super) fn connect(self, config: &Config, driver: &Arc<Driver>, trail: Arc<dyn Trail>) -> anyhow::Result<Devices> {
        let Self { acs, book, inventory, quirks, runner: _, watcher, ordered, waker, parts } = self;
        let Outside { store, secrets, spans, tenant } = parts;
        let (kept, sealing, of) = (store.clone(), secrets.clone(), tenant.clone());
        if config.secrets.seal_key.is_none() {
            warn!("[secrets] seal_key is not set: devices get no passwords for connection requests, and no profile can have secrets");
        }
        let intake = Arc::new(Intake::new(
            &config.cpe.provisioning,
            IntakeParts {
                engine: driver.clone(),
                documents: store,
                secrets,
                clock: Arc::new(SystemClock),
                spans,
                book,
                inventory: inventory.clone(),
                quirks: quirks.clone(),
                builders: builders(driver.clone()),
                tenant,
            },
        ));
        watcher.connect(driver.clone());
        let (sessions, documents) = (Arc::new(acs.clone()), kept);
        let api =
            Api { intake: intake.clone(), inventory: inventory.clone(), quirks, documents, secrets: sealing, waker, sessions, tenant: of, trail };
        ordered.connect(api.clone());
        Ok(Devices { acs, api })
    }
}

impl Devices {
    /// Lets devices that are in session come for their answers, within the budget. Nothing new is begun for them any more.
    pub(super) async fn let_go(&self, budget: Duration) {
        let gone = async {
            while self.acs.sessions() > 0 {
                tokio::time::sleep(LOOK).await;
            }
        };
        let _some_stayed = tokio::time::timeout(budget, gone).await;
    }

    /// How many devices are in session, for people who look at the host.
    pub(crate) fn health(&self) -> Value {
        json!({"sessions": self.acs.sessions(), "session_limit": self.acs.session_limit()})
    }
}

/// What builds configurations by the current table; nothing where a rule has several choices, as in a canary.
fn builders(driver: Arc<Driver>) -> Builders {
    Arc::new(move |selectors| {
        let (_, table) = driver.current();
        let [only] = table.rule_for(&CONFIGURATION, selectors)?.choices.as_slice() else { return None };
        Some(match &only.pin.provider {
            Provider::Plugin { digest, .. } => digest.as_str().to_owned(),
            Provider::Native { name } => format!("{NATIVE}{name}"),
        })
    })
}
