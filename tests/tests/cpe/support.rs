//! A host that devices contact, in front of a lab, and what there is to see of it.

use end_to_end_tests::harness::{Host, Lab, Setup, until};
use lab::device::{Device, DeviceOptions, Model, SessionReport};
use serde_json::{Value, json};

/// What secrets are sealed with.
const SEAL_KEY: &str = "0707070707070707070707070707070707070707070707070707070707070707";

/// A host with the plugins of devices in front of a lab. `acs` are lines of `[cpe.acs]`, `more` whole tables.
pub(crate) fn setup(lab: &Lab, acs: &str, more: &str) -> Setup {
    let http = |back_end: &str| json!({"url": lab.url(back_end), "methods": ["GET"]});
    base(acs, more)
        .plugin("device-inventory-rest", json!({"http": {"inventory": http("device_inventory")}}))
        .plugin("profile-rest", json!({"http": {"bss": http("profiles")}, "secrets": {"bss-key": "env:JACKFIELD_TEST_BSS_KEY"}}))
        .environment("JACKFIELD_TEST_BSS_KEY", "key-of-the-business-system")
}

/// A host that keeps devices and plans itself.
pub(crate) fn base(acs: &str, more: &str) -> Setup {
    with_devices(Setup::default(), acs, more)
}

/// A host that devices contact besides what it does otherwise.
pub(crate) fn with_devices(setup: Setup, acs: &str, more: &str) -> Setup {
    let bindings = r#"
[[bindings."jackfield:cpe/configuration@1"]]
when = { root = "Device" }
plugin = "configuration-tr181"

[[bindings."jackfield:cpe/configuration@1"]]
when = { root = "InternetGatewayDevice" }
plugin = "configuration-tr098"
"#;
    setup
        .config(&format!(
            "[cpe]\nlisten = \"127.0.0.1:0\"\n[cpe.acs]\n{acs}\n{more}\n[secrets]\nseal_key = \"env:JACKFIELD_TEST_SEAL_KEY\"\n{bindings}"
        ))
        .environment("JACKFIELD_TEST_SEAL_KEY", SEAL_KEY)
        .plugin("configuration-tr181", json!({}))
        .plugin("configuration-tr098", json!({}))
}

/// Where devices contact a host.
pub(crate) fn acs_url(host: &Host) -> String {
    let endpoints = std::fs::read_to_string(host.directory().join("jackfield-data/cwmp-endpoint")).unwrap();
    format!("{}/acs", endpoints.lines().next().unwrap())
}

/// The same at a port that it has again after a restart.
pub(crate) fn at_a_port(setup: Setup) -> Setup {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    setup.config_instead("listen = \"127.0.0.1:0\"", &format!("listen = \"127.0.0.1:{port}\""))
}

/// A virtual device of that serial number at a host.
pub(crate) fn device(host: &Host, model: Model, serial: &str, change: impl FnOnce(&mut DeviceOptions)) -> Device {
    let mut options = DeviceOptions { acs_url: acs_url(host), ..DeviceOptions::of(model, serial) };
    change(&mut options);
    Device::new(options)
}

/// One session of a device, on a thread of its own: tests are not asynchronous.
pub(crate) fn session(device: &Device, events: &[&str]) -> SessionReport {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(device.session(events)).unwrap();
    assert_eq!(report.complaints, Vec::<String>::new(), "{report:#?}");
    report
}

/// The metrics that begin so, with their values.
pub(crate) fn metrics(host: &Host, name: &str) -> Vec<(String, f64)> {
    let text = host.text("/metrics");
    let lines = text.lines().filter(|line| line.starts_with(name));
    lines.filter_map(|line| line.rsplit_once(' ')).map(|(series, value)| (series.to_owned(), value.parse().unwrap())).collect()
}

/// What provisionings came to, and how often.
pub(crate) fn counts(host: &Host) -> Vec<(String, f64)> {
    let result = |series: &str| series.split_once("result=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(result, _)| result.to_owned());
    metrics(host, "cpe_provision_count_total").into_iter().filter_map(|(series, count)| Some((result(&series)?, count))).collect()
}

/// The runs of a pipeline.
pub(crate) fn runs(host: &Host, pipeline: &str) -> Vec<Value> {
    let all = host.request("GET", "/api/v1/runs", &[], "").body;
    all.as_array().unwrap().iter().filter(|run| run["pipeline"] == pipeline).cloned().collect()
}

/// Waits until no run of devices is under way; the journals of all of them.
pub(crate) fn settled(host: &Host) -> Vec<Value> {
    let under_way = || runs(host, "cpe").iter().filter(|run| run["state"] == "active" || run["state"] == "waiting").count();
    until("the end of the runs of devices", || under_way() == 0);
    runs(host, "cpe").iter().map(|run| host.run(run["run"].as_str().unwrap())["records"].clone()).collect()
}

/// A device that lives its own life until it is dropped.
#[derive(Debug)]
pub(crate) struct Living {
    pub(crate) device: Device,
    _runtime: tokio::runtime::Runtime,
}

/// Lets a device live: it listens, boots, and comes when it is called.
pub(crate) fn alive(device: Device) -> Living {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let living = device.clone();
    runtime.spawn(async move { living.run(|_| {}).await });
    Living { device, _runtime: runtime }
}

/// What the command line prints, which must be done.
pub(crate) fn cli(host: &Host, arguments: &[&str]) -> String {
    let output = host.cli(arguments);
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{arguments:?}: {}{}", said(&output.stdout), said(&output.stderr));
    said(&output.stdout)
}

/// A plan and a device that has it, as an operator writes them.
pub(crate) fn stock(model: Model, serial: &str) -> Value {
    let options = DeviceOptions::of(model, serial);
    let settings = json!([
        {"name": "internet.username", "value": "c1@isp.example"}, {"name": "internet.password", "secret": "ppp-secret-1"},
        {"name": "wifi.2.4.ssid", "value": "Gold"}, {"name": "wifi.2.4.key", "secret": "wifi-secret-1"},
    ]);
    json!({
        "plans": [{"name": "gold", "services": ["internet"], "wifi-bands": ["2.4GHz"], "settings": settings}],
        "devices": [{"oui": options.oui, "product-class": options.product_class, "serial": serial, "username": options.username(), "password": options.password,
                     "customer": "C-1", "plan": "gold", "location": "7 Main"}],
    })
}

/// Has the host take something in.
pub(crate) fn import(host: &Host, what: &Value) {
    std::fs::write(host.directory().join("import.json"), what.to_string()).unwrap();
    cli(host, &["cpe", "import", "import.json"]);
}

/// The name of a device in the host. What joins its parts is percent-encoded within them.
pub(crate) fn key(device: &Device) -> String {
    let DeviceOptions { oui, product_class, serial, .. } = device.options();
    format!("{oui}-{}-{serial}", product_class.replace('-', "%2D"))
}
