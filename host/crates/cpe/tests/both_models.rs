//! Devices are provisioned over HTTP: the server, the pipeline and the provider are the real ones, and so is what virtual devices say.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::HashMap, sync::Arc, time::Duration};

use cpe::{
    acs::{Acs, Door, Options as AcsOptions},
    device::DeviceKey,
    flow::{
        Book, DEVICE_CONTRACT, DeviceRunner, EmbeddedInventory, EmbeddedProfile, Intake, IntakeParts, Inventory, NewDevice, NewPlan, Options,
        STATE_COLLECTION, StepOptions, Watcher, command_definition, command_document, definition, document,
    },
    quirks::{KeptQuirks, QuirkTable},
};
use engine::{
    Driver, Options as EngineOptions, Pack, Ports, Routed,
    port::{Answer, Documents, Runner, SystemClock},
    testing::{MemorySecrets, MemorySpans, MemoryStore, Providers, pin, table},
};
use lab::device::{Device, DeviceOptions, End, Faults, Later, Lie, Missing, Model, SessionReport, Vanish};
use pipeline::{Pin, TenantName, Verbs};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

/// A server with one device that it knows.
struct Server {
    store: Arc<MemoryStore>,
    inventory: Arc<Inventory>,
    intake: Arc<Intake>,
    url: String,
    _stop: watch::Sender<bool>,
    _serving: JoinSet<()>,
}

/// The parameters of a plan on a device of either data model: ten, of which one cannot be read back.
fn configuration(request: &Value) -> Value {
    let root = request["device"]["root"].as_str().unwrap();
    let key = request["profile"]["settings"].as_array().unwrap().iter().find(|setting| setting["name"] == "wifi.key").unwrap();
    let names: [(&str, &str, &str); 9] = if root == "Device." {
        [
            ("WiFi.SSID.1.SSID", "home", "string"),
            ("WiFi.SSID.2.SSID", "home 5", "string"),
            ("WiFi.SSID.1.Enable", "true", "boolean"),
            ("WiFi.SSID.2.Enable", "true", "boolean"),
            ("WiFi.AccessPoint.1.Enable", "true", "boolean"),
            ("WiFi.AccessPoint.1.Security.ModeEnabled", "WPA2-Personal", "string"),
            ("ManagementServer.PeriodicInformInterval", "3600", "unsigned-int"),
            ("DeviceInfo.ProvisioningCode", "c-1", "string"),
            ("Time.LocalTimeZone", "CET-1CEST,M3.5.0,M10.5.0/3", "string"),
        ]
    } else {
        [
            ("LANDevice.1.WLANConfiguration.1.SSID", "home", "string"),
            ("LANDevice.1.WLANConfiguration.2.SSID", "home 5", "string"),
            ("LANDevice.1.WLANConfiguration.1.Enable", "true", "boolean"),
            ("LANDevice.1.WLANConfiguration.2.Enable", "true", "boolean"),
            ("LANDevice.1.WLANConfiguration.1.SSIDAdvertisementEnabled", "false", "boolean"),
            ("LANDevice.1.WLANConfiguration.2.SSIDAdvertisementEnabled", "false", "boolean"),
            ("ManagementServer.PeriodicInformInterval", "3600", "unsigned-int"),
            ("DeviceInfo.ProvisioningCode", "c-1", "string"),
            ("ManagementServer.PeriodicInformEnable", "true", "boolean"),
        ]
    };
    let hidden = if root == "Device." { "WiFi.AccessPoint.1.Security.KeyPassphrase" } else { "LANDevice.1.WLANConfiguration.1.KeyPassphrase" };
    let mut assignments: Vec<Value> =
        names.iter().map(|(name, value, kind)| json!({"name": format!("{root}{name}"), "value": {"text": value}, "kind": kind})).collect();
    assignments.push(json!({"name": format!("{root}{hidden}"), "value": key["value"], "kind": "string"}));
    json!({"removals": [], "objects": [], "assignments": assignments, "notifications": [], "hidden": [], "quirks": [], "reboot": false})
}

/// The wiring of a host in memory.
async fn serve(options: &DeviceOptions) -> Server {
    let store = Arc::new(MemoryStore::default());
    let (secrets, spans, clock) = (Arc::new(MemorySecrets::default()), Arc::new(MemorySpans::default()), Arc::new(SystemClock));
    let tenant = TenantName::new("default").unwrap();
    let quick = StepOptions { retry_initial_ms: 1, retry_max_ms: 5, ..StepOptions::default() };
    let flow =
        Options { push_config: quick, verify: StepOptions { max_attempts: Options::default().verify.max_attempts, ..quick }, ..Options::default() };
    let acs = Acs::new(AcsOptions::default(), clock.clone(), spans.clone()).unwrap();
    let sessions = Arc::new(acs.clone());
    let book = Arc::new(Book::new(store.clone(), &flow));
    let inventory = Arc::new(Inventory::new(store.clone(), secrets.clone(), clock.clone(), tenant.clone(), AcsOptions::default().realm));
    let runner = DeviceRunner::new(sessions.clone(), book.clone(), store.clone(), secrets.clone(), clock.clone(), &flow);
    let watcher = Arc::new(Watcher::new(book.clone(), sessions, store.clone(), clock.clone()));
    let builder = Providers::default().with("builder", |call| async move { Ok(Answer::Done(configuration(&call.request))) });
    let native: [(&str, Arc<dyn Runner>); 4] = [
        ("cwmp", Arc::new(runner)),
        ("embedded-inventory", Arc::new(EmbeddedInventory(inventory.clone()))),
        ("embedded-profile", Arc::new(EmbeddedProfile(inventory.clone()))),
        ("builder", Arc::new(builder)),
    ];
    let native: HashMap<String, Arc<dyn Runner>> = native.map(|(name, runner)| (name.to_owned(), runner)).into();
    let pure = |name: &str| Pin { verbs: Verbs::default(), idempotent: true, ..pin(name) };
    let table = table([
        (DEVICE_CONTRACT, DeviceRunner::pin()),
        ("jackfield:cpe/inventory@1", pure("embedded-inventory")),
        ("jackfield:cpe/profile@1", pure("embedded-profile")),
        ("jackfield:cpe/configuration@1", pure("builder")),
    ]);
    let packs = vec![
        Pack { definition: Arc::new(definition(&flow)), document: Some(document) },
        Pack { definition: Arc::new(command_definition(&flow)), document: Some(command_document) },
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
    let driver = Arc::new(Driver::open(ports, &opening, EngineOptions { packs, table, ..EngineOptions::default() }).await.unwrap());
    watcher.connect(driver.clone());
    let quirks = Arc::new(KeptQuirks::load(store.clone(), clock.clone(), QuirkTable::default()).await.unwrap());
    let builders: cpe::flow::Builders = Arc::new(|_| Some("native:builder".to_owned()));
    let parts =
        IntakeParts { engine: driver, documents: store.clone(), secrets, clock, spans, book, inventory: inventory.clone(), quirks, builders, tenant };
    let intake = Arc::new(Intake::new(&flow, parts));
    let plan = json!({"name": "p", "services": ["internet"], "wifi-bands": ["2.4GHz"], "settings": [{"name": "wifi.key", "secret": "kept-secret"}]});
    inventory.put_plan(serde_json::from_value::<NewPlan>(plan).unwrap()).await.unwrap();
    let known = json!({
        "oui": options.oui, "product-class": options.product_class, "serial": options.serial,
        "username": options.username(), "password": options.password, "customer": "c-1", "plan": "p",
    });
    inventory.import(vec![serde_json::from_value::<NewDevice>(known).unwrap()]).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (stop, stopped) = watch::channel(false);
    let mut serving = JoinSet::new();
    let door = Door { listener, tls: None, intake: intake.clone(), credentials: inventory.clone() };
    serving.spawn(async move { acs.serve(door, stopped).await });
    Server { store, inventory, intake, url, _stop: stop, _serving: serving }
}

fn options(model: Model, faults: Faults) -> DeviceOptions {
    DeviceOptions { faults, ..DeviceOptions::of(model, "S1") }
}

impl Server {
    fn device(&self, options: DeviceOptions) -> Device {
        Device::new(DeviceOptions { acs_url: self.url.clone(), ..options })
    }

    async fn state(&self, device: &Device) -> String {
        let DeviceOptions { oui, product_class, serial, .. } = device.options();
        let key = DeviceKey::new(oui, product_class, serial);
        let document = Documents::get(&*self.store, STATE_COLLECTION, key.as_str()).await.unwrap();
        document.map_or("unknown".to_owned(), |document| document.body["state"].as_str().unwrap().to_owned())
    }

    /// The state once the run has had a moment to come to rest.
    async fn settled(&self, device: &Device) -> String {
        for _ in 0..50 {
            let state = self.state(device).await;
            if state != "provisioning" {
                return state;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        "provisioning".to_owned()
    }

    /// Lets the device have sessions until its provisioning is over or held. Returns the first of them.
    async fn provision(&self, device: &Device) -> SessionReport {
        let mut first = None;
        for number in 0..10 {
            let events: &[&str] = if number == 0 { &["0 BOOTSTRAP"] } else { &["2 PERIODIC"] };
            let report = device.session(events).await.unwrap();
            // A device that left once comes back and stays.
            if report.ended != End::Done {
                device.set_faults(Faults::default());
            }
            first.get_or_insert(report);
            if self.settled(device).await != "provisioning" {
                return first.unwrap();
            }
        }
        panic!("the device is never provisioned: {first:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_parameters_take_four_exchanges_with_both_data_models() {
    for model in [Model::Tr181Router, Model::Tr098Ont] {
        let options = options(model, Faults::default());
        let server = serve(&options).await;
        let device = server.device(options);
        let report = server.provision(&device).await;
        assert_eq!(
            (server.state(&device).await.as_str(), &report.ended, report.authenticated_exchanges),
            ("provisioned", &End::Done, 4),
            "{report:#?}"
        );
        assert_eq!(report.rpcs, ["SetParameterValues", "GetParameterValues"]);
        assert!(report.complaints.is_empty(), "{report:#?}");
        let secret =
            if model == Model::Tr181Router { "WiFi.AccessPoint.1.Security.KeyPassphrase" } else { "LANDevice.1.WLANConfiguration.1.KeyPassphrase" };
        assert_eq!(device.value(&format!("{}{secret}", model.root())).as_deref(), Some("kept-secret"));
        // A device that has what it is to have is asked nothing.
        let periodic = device.session(&["2 PERIODIC"]).await.unwrap();
        assert_eq!((periodic.ended, periodic.rpcs.len()), (End::Done, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_device_is_provisioned_that_is_not_and_none_is_held_that_is() {
    let faults = Faults::default;
    let missing = |name: &str, silent| Some(Missing { names: vec![name.to_owned()], silent });
    let vanishes = |rpc: &str, done| Some(Vanish { rpc: rpc.to_owned(), done });
    for (what, faults, expected) in [
        ("other forms", Faults { other_forms: true, ..faults() }, "provisioned"),
        ("no cookies", Faults { no_cookies: true, new_connections: false, ..faults() }, "provisioned"),
        ("a connection for each request", Faults { new_connections: true, ..faults() }, "provisioned"),
        ("no IDs", Faults { no_id: true, ..faults() }, "provisioned"),
        ("odd XML", Faults { odd_xml: true, ..faults() }, "provisioned"),
        ("shows what is hidden", Faults { shows_hidden: true, ..faults() }, "provisioned"),
        ("applies at the end", Faults { status1: Some(Later::End), ..faults() }, "provisioned"),
        ("applies at once and says later", Faults { status1: Some(Later::Now), ..faults() }, "provisioned"),
        ("applies after a restart", Faults { status1: Some(Later::Reboot), ..faults() }, "provisioned"),
        ("leaves before it sets", Faults { vanishes: vanishes("SetParameterValues", false), ..faults() }, "provisioned"),
        ("leaves after it set", Faults { vanishes: vanishes("SetParameterValues", true), ..faults() }, "provisioned"),
        ("leaves when it is read", Faults { vanishes: vanishes("GetParameterValues", true), ..faults() }, "provisioned"),
        ("wrong lengths", Faults { short_length: true, ..faults() }, "provisioned"),
        ("slow", Faults { slow_ms: 20, ..faults() }, "provisioned"),
        ("restarts before it is asked", Faults { reboot_after: Some(2), ..faults() }, "provisioned"),
        ("restarts in the session", Faults { reboot_after: Some(3), ..faults() }, "provisioned"),
        ("restarts when it is read", Faults { reboot_after: Some(4), ..faults() }, "provisioned"),
        ("says later and lies", Faults { status1: Some(Later::Now), lie: Some(Lie::Everything), ..faults() }, "held"),
        ("lies", Faults { lie: Some(Lie::Everything), ..faults() }, "held"),
        ("lies about one", Faults { lie: Some(Lie::About("ProvisioningCode".to_owned())), ..faults() }, "held"),
        ("lacks one", Faults { missing: missing("ProvisioningCode", false), ..faults() }, "held"),
        ("lacks one and does not say so", Faults { missing: missing("ProvisioningCode", true), ..faults() }, "held"),
        ("refuses one", Faults { refuses: Some((9007, "ProvisioningCode".to_owned())), ..faults() }, "held"),
    ] {
        for model in [Model::Tr181Router, Model::Tr098Ont] {
            let options = options(model, faults.clone());
            let server = serve(&options).await;
            let device = server.device(options);
            let report = server.provision(&device).await;
            assert_eq!(server.state(&device).await, expected, "{what} {model:?}: {report:#?}");
            let applied = device.value(&format!("{}DeviceInfo.ProvisioningCode", model.root()));
            assert_eq!(applied.as_deref() == Some("c-1"), expected == "provisioned", "{what} {model:?}: {applied:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_belongs_to_nobody_is_let_go_and_provisioned_once_it_does() {
    let options = DeviceOptions { serial: "S2".to_owned(), ..options(Model::Tr181Router, Faults::default()) };
    let server = serve(&DeviceOptions::of(Model::Tr181Router, "S1")).await;
    let import = async |owner: Value| {
        let mut known = json!({"oui": options.oui, "product-class": options.product_class, "serial": "S2", "username": options.username()});
        known["password"] = options.password.clone().into();
        known.as_object_mut().unwrap().extend(owner.as_object().unwrap().clone());
        let keys = server.inventory.import(vec![serde_json::from_value(known).unwrap()]).await.unwrap();
        server.intake.try_again(&keys);
    };
    import(json!({})).await;
    let device = server.device(options.clone());
    let report = server.provision(&device).await;
    assert_eq!((server.state(&device).await.as_str(), report.ended, report.authenticated_exchanges), ("failed", End::Done, 2));
    let again = device.session(&["1 BOOT"]).await.unwrap();
    assert_eq!((server.state(&device).await.as_str(), again.rpcs.len()), ("failed", 0));
    import(json!({"customer": "c-2", "plan": "p"})).await;
    let report = device.session(&["2 PERIODIC"]).await.unwrap();
    assert_eq!((server.settled(&device).await.as_str(), report.rpcs.len()), ("provisioned", 2), "{report:#?}");
}
