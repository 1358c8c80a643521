//! A host in memory with a real port for devices.

use std::{collections::HashMap, net::SocketAddr, num::NonZeroU32, sync::Arc, time::Duration};

use cpe::{
    acs::{Acs, Door, Options as AcsOptions, Tls},
    device::DeviceKey,
    flow::{
        Book, COMMAND_COLLECTION, Command, DEVICE_CONTRACT, DeviceRunner, EmbeddedInventory, EmbeddedProfile, Intake, IntakeParts, Inventory,
        Options, STATE_COLLECTION, StepOptions, Watcher, command_definition, command_document, definition, document,
    },
    quirks::{KeptQuirks, QuirkTable},
};
use engine::{
    Driver, Options as EngineOptions, Pack, Ports, Routed,
    port::{Answer, Documents, Runner, SystemClock},
    testing::{MemorySecrets, MemorySpans, MemoryStore, Providers, pin, table},
};
use lab::device::{Device, DeviceOptions, Faults, Model, SessionReport};
use pipeline::{Pin, RunId, TenantName, Verbs};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// Sessions after which a provisioning that is not at rest never will be.
const MAX_SESSIONS: u32 = 12;

/// What outlives a host.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ground {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) secrets: Arc<MemorySecrets>,
    /// What its listener shows and believes, if it speaks TLS.
    pub(crate) tls: Option<Tls>,
}

/// The host.
pub(crate) struct Host {
    store: Arc<MemoryStore>,
    inventory: Arc<Inventory>,
    intake: Arc<Intake>,
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
    _driver: Arc<Driver>,
    _serving: JoinSet<()>,
    _stop: watch::Sender<bool>,
}

fn options() -> Options {
    let quick = StepOptions { retry_initial_ms: 1, retry_max_ms: 2, ..StepOptions::default() };
    let verify = StepOptions { max_attempts: NonZeroU32::new(3).unwrap(), ..quick };
    Options { authenticate: quick, fetch_profile: quick, build_config: quick, push_config: quick, verify, ..Options::default() }
}

/// What every device is to have: text, a number, truth values, a key that reads empty, and in routers an instance that is added.
pub(crate) fn settings(root: &str) -> Vec<(String, &'static str, &'static str)> {
    let names: &[(&str, &str, &str)] = if root == "Device." {
        &[
            ("WiFi.SSID.1.SSID", "Home & away", "string"),
            ("WiFi.SSID.1.Enable", "true", "boolean"),
            ("WiFi.Radio.1.Channel", "6", "unsigned-int"),
            ("WiFi.Radio.1.OperatingStandards", "b,g,n", "string"),
            ("WiFi.AccessPoint.1.Security.ModeEnabled", "WPA2-Personal", "string"),
            ("ManagementServer.PeriodicInformInterval", "3600", "unsigned-int"),
            ("ManagementServer.PeriodicInformTime", "2026-01-01T00:00:00Z", "date-time"),
        ]
    } else {
        &[
            ("LANDevice.1.WLANConfiguration.1.SSID", "Home & away", "string"),
            ("LANDevice.1.WLANConfiguration.1.Enable", "true", "boolean"),
            ("LANDevice.1.WLANConfiguration.1.Channel", "6", "unsigned-int"),
            ("LANDevice.1.WLANConfiguration.1.BeaconType", "11i", "string"),
            ("ManagementServer.PeriodicInformInterval", "3600", "unsigned-int"),
            ("ManagementServer.PeriodicInformTime", "2026-01-01T00:00:00Z", "date-time"),
        ]
    };
    names.iter().map(|(name, value, kind)| (format!("{root}{name}"), *value, *kind)).collect()
}

/// The parameter that holds the key of the network.
pub(crate) fn key_of(root: &str) -> String {
    let hidden =
        if root == "Device." { "WiFi.AccessPoint.1.Security.KeyPassphrase" } else { "LANDevice.1.WLANConfiguration.1.PreSharedKey.1.KeyPassphrase" };
    format!("{root}{hidden}")
}

/// The plugin.
fn configuration(request: &Value) -> Value {
    let root = request["device"]["root"].as_str().unwrap();
    let key = request["profile"]["settings"].as_array().unwrap().iter().find(|setting| setting["name"] == "wifi.key").unwrap();
    let text = |name: &str, value: &str, kind: &str| json!({"name": name, "value": {"text": value}, "kind": kind});
    let mut assignments: Vec<Value> = settings(root).iter().map(|(name, value, kind)| text(name, value, kind)).collect();
    assignments.push(json!({"name": key_of(root), "value": key["value"], "kind": "string"}));
    let mut objects = Vec::new();
    if root == "Device." {
        let path = "Device.Ethernet.VLANTermination.";
        objects.push(json!({"label": "iptv", "path": path, "key": [text("VLANID", "30", "unsigned-int")]}));
        assignments.push(text(&format!("{path}{{iptv}}.Enable"), "true", "boolean"));
    }
    json!({"removals": [], "objects": objects, "assignments": assignments, "notifications": [], "hidden": [], "quirks": [], "reboot": false})
}

fn key(device: &Device) -> DeviceKey {
    let DeviceOptions { oui, product_class, serial, .. } = device.options();
    DeviceKey::new(oui, product_class, serial)
}

impl Host {
    /// A host whose devices differ from the standard as these quirks say.
    pub(crate) async fn start(quirks: Value) -> Self {
        let host = Self::on(Ground::default(), quirks).await;
        host.sell().await;
        host
    }

    /// There is a plan that devices can have.
    pub(crate) async fn sell(&self) {
        let plan =
            json!({"name": "plan", "services": ["internet"], "wifi-bands": ["2.4GHz"], "settings": [{"name": "wifi.key", "secret": "kept-secret"}]});
        self.inventory.put_plan(serde_json::from_value(plan).unwrap()).await.unwrap();
    }

    /// A host over what another one has left.
    pub(crate) async fn on(Ground { store, secrets, tls }: Ground, quirks: Value) -> Self {
        let spans = Arc::new(MemorySpans::default());
        let (options, clock, tenant) = (options(), Arc::new(SystemClock), TenantName::new("default").unwrap());
        let documents: Arc<dyn Documents> = store.clone();
        let acs = Acs::new(AcsOptions { session_ms: 1_000, ..AcsOptions::default() }, clock.clone(), spans.clone()).unwrap();
        let sessions = Arc::new(acs.clone());
        let book = Arc::new(Book::new(documents.clone(), &options));
        book.load().await.unwrap();
        let inventory = Arc::new(Inventory::new(documents.clone(), secrets.clone(), clock.clone(), tenant.clone(), "cwmp".to_owned()));
        let watcher = Arc::new(Watcher::new(book.clone(), sessions.clone(), documents.clone(), clock.clone()));
        let device = DeviceRunner::new(sessions, book.clone(), documents.clone(), secrets.clone(), clock.clone(), &options);
        let builder = Providers::default().with("builder", |call| {
            let built = configuration(&call.request);
            async move { Ok(Answer::Done(built)) }
        });
        let mut native: HashMap<String, Arc<dyn Runner>> = HashMap::new();
        native.insert("cwmp".to_owned(), Arc::new(device));
        native.insert("embedded-inventory".to_owned(), Arc::new(EmbeddedInventory(inventory.clone())));
        native.insert("embedded-profile".to_owned(), Arc::new(EmbeddedProfile(inventory.clone())));
        native.insert("builder".to_owned(), Arc::new(builder));
        let pure = |name: &str| Pin { verbs: Verbs::default(), idempotent: true, ..pin(name) };
        let bound = table([
            (DEVICE_CONTRACT, DeviceRunner::pin()),
            ("jackfield:cpe/inventory@1", pure("embedded-inventory")),
            ("jackfield:cpe/profile@1", pure("embedded-profile")),
            ("jackfield:cpe/configuration@1", pure("builder")),
        ]);
        let packs = vec![
            Pack { definition: Arc::new(definition(&options)), document: Some(document) },
            Pack { definition: Arc::new(command_definition(&options)), document: Some(command_document) },
        ];
        let ports = Ports {
            journal: store.clone(),
            timers: store.clone(),
            blobs: store.clone(),
            runner: Arc::new(Routed { plugins: None, native }),
            clock: clock.clone(),
            observers: vec![watcher.clone()],
        };
        let opening = store.open();
        let driver = Driver::open(ports, &opening, EngineOptions { packs, table: bound, ..EngineOptions::default() }).await.unwrap();
        let driver = Arc::new(driver);
        watcher.connect(driver.clone());
        let table = QuirkTable::new(serde_json::from_value(quirks).unwrap()).unwrap();
        let quirks = Arc::new(KeptQuirks::load(documents.clone(), clock.clone(), table).await.unwrap());
        let parts = IntakeParts {
            engine: driver.clone(),
            documents,
            secrets,
            clock,
            spans,
            book,
            inventory: inventory.clone(),
            quirks,
            builders: Arc::new(|_| Some("native:builder".to_owned())),
            tenant,
        };
        let intake = Arc::new(Intake::new(&options, parts));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http{}://{address}/", if tls.is_some() { "s" } else { "" });
        let (stop, stopped) = watch::channel(false);
        let door = Door { listener, tls, intake: intake.clone(), credentials: inventory.clone() };
        let mut serving = JoinSet::new();
        serving.spawn(async move { acs.serve(door, stopped).await });
        Self { store, inventory, intake, url, address, _driver: driver, _serving: serving, _stop: stop }
    }

    /// A device that the host knows.
    pub(crate) async fn device(&self, model: Model, serial: &str, faults: Faults) -> Device {
        let device = Device::new(DeviceOptions { acs_url: self.url.clone(), faults, ..DeviceOptions::of(model, serial) });
        self.import(std::slice::from_ref(&device)).await;
        device
    }

    /// The host gets to know these devices.
    pub(crate) async fn import(&self, devices: &[Device]) {
        let known = |device: &Device| {
            let DeviceOptions { oui, product_class, serial, password, .. } = device.options();
            json!({"oui": oui, "product-class": product_class, "serial": serial, "password": password, "customer": "c-1", "plan": "plan"})
        };
        for part in devices.chunks(100) {
            let rows = part.iter().map(|device| serde_json::from_value(known(device)).unwrap()).collect();
            self.inventory.import(rows).await.unwrap();
        }
    }

    /// Has something done with a device, at its next session.
    pub(crate) async fn give(&self, device: &Device, command: Command) -> RunId {
        self.intake.command(&key(device), command, "ann").await.unwrap()
    }

    /// What a command has come to, once it does nothing for now.
    pub(crate) async fn command(&self, run: &RunId) -> Value {
        for _ in 0..100 {
            let document = Documents::get(&*self.store, COMMAND_COLLECTION, run.as_str()).await.unwrap();
            let body = document.map_or(Value::Null, |document| document.body);
            if body["state"] == "done" || body["state"] == "failed" {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        json!({"state": "waiting"})
    }

    /// Where the provisioning of a device stands.
    pub(crate) async fn state(&self, device: &Device) -> Value {
        let key = key(device);
        let document = Documents::get(&*self.store, STATE_COLLECTION, key.as_str()).await.unwrap();
        document.map_or(Value::Null, |document| document.body)
    }

    /// Lets a device call until its provisioning is at rest; its sessions, and what it came to.
    pub(crate) async fn provision(&self, device: &Device) -> (Vec<SessionReport>, String) {
        let mut sessions = Vec::new();
        for _ in 0..MAX_SESSIONS {
            sessions.push(device.session(&["1 BOOT"]).await.unwrap());
            for _ in 0..30 {
                let state = self.state(device).await["state"].as_str().unwrap_or("unknown").to_owned();
                if !matches!(state.as_str(), "provisioning" | "unknown") {
                    return (sessions, state);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        (sessions, format!("{:#}", self.state(device).await))
    }
}
