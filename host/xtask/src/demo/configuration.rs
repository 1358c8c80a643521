//! What the host of the demo is told: its back ends, its plugins and their grants.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::workspace;

/// Files beside the configuration that it refers to.
pub(super) const SECRETS: [(&str, &str); 2] =
    [("seal.key", "2b7e151628aed2a6abf7158809cf4f3c2b7e151628aed2a6abf7158809cf4f3c"), ("bss.key", "a key that the business system knows")];

/// Tenants, on the providers that need no server.
const TENANTS: &str = r#"
# Companies sign up for a service of ours.
[tenants]
zone = "app.example.test"
target = ["192.0.2.10"]

[tenants.plans.business]
regions = ["eu"]
template = "shop"

[tenants.plans.free]
regions = ["eu"]
certificate = false

[tenants.plans.express]
regions = ["eu"]
ready_without_tls = true

[tenants.plans.broken]
regions = ["eu"]
certificate = false
template = "broken"
"#;

/// What databases of tenants begin with; the second writes into a table that there is not.
const TEMPLATES: &str = r#"{"shop": {"version": "1", "statements": [{"sql": "CREATE TABLE settings (key text PRIMARY KEY, value text NOT NULL)"}, {"sql": "INSERT INTO settings (key, value) VALUES ($1, $2)", "parameters": ["title", "Welcome, {name}"]}]}, "broken": {"version": "1", "statements": [{"sql": "INSERT INTO nowhere (key) VALUES ($1)", "parameters": ["x"]}]}}"#;

/// What the host is started with. `without` leaves a plugin out.
pub(super) fn configuration(urls: &Value, without: Option<&str>) -> String {
    let mut text = "# Written by `cargo xtask demo`.\n[http]\nlisten = \"127.0.0.1:0\"\n\n[store]\npath = \"data/jackfield.db\"\n\n\
                    # The plugins were built here, and nobody has signed them.\n[trust]\nallow_unsigned = true\n\n\
                    [telemetry]\nfile = \"spans.jsonl\"\n\n\
                    # Passwords of customers are sealed with this key from the business system to the device.\n[secrets]\nseal_key = \"file:seal.key\"\n\n\
                    # Devices contact the host here (TR-069).\n[cpe]\nlisten = \"127.0.0.1:0\"\n\n\
                    [cpe.wake]\nreach = [\"127.0.0.1/32\"]\n\n\
                    # The plugin for devices of each data model.\n[bindings]\n\"jackfield:cpe/configuration@1\" = [\n  \
                    { when = { root = \"Device\" }, plugin = \"configuration-tr181\" },\n  \
                    { when = { root = \"InternetGatewayDevice\" }, plugin = \"configuration-tr098\" },\n]\n"
        .to_owned();
    text.push_str(TENANTS);
    for step in ["decompose", "allocate_inventory", "provision", "activate", "billing_setup"] {
        text.push_str(&format!("\n[orders.{step}]\nretry_initial_ms = 100\n"));
    }
    let pools = r#"{"port": {"element": "olt-1", "count": 128}, "ipv4": {"element": "bng-1", "cidr": "198.51.100.0/24"}, "ipv6": {"element": "bng-1", "cidr": "2001:db8:100::/40", "prefix": 56}, "vlan": {"element": "olt-1", "from": 100, "to": 100}, "equipment": {"element": "warehouse", "count": 64}}"#;
    let url = |name: &str| urls[name].as_str().unwrap_or_default().to_owned();
    let plugins = [
        ("catalog-tmf633", format!("http.catalog = {{ url = \"{}\", methods = [\"GET\"] }}", url("catalogue"))),
        ("inventory-pool", format!("keyvalue = true\nconfig = {{ pools = '{pools}' }}")),
        ("provisioning-restconf", format!("http.element = {{ url = \"{}\", methods = [\"GET\", \"PUT\", \"DELETE\"] }}", url("element"))),
        (
            "activation-tmf640",
            format!(
                "config = {{ poll_ms = \"200\" }}\nhttp.activation = {{ url = \"{}\", methods = [\"GET\", \"POST\", \"DELETE\"] }}",
                url("activation")
            ),
        ),
        ("billing-rest", format!("http.billing = {{ url = \"{}\", methods = [\"GET\", \"POST\", \"DELETE\"] }}", url("billing"))),
        ("profile-rest", format!("secrets.bss-key = \"file:bss.key\"\nhttp.bss = {{ url = \"{}\", methods = [\"GET\"] }}", url("profiles"))),
        ("seed-templates", format!("config = {{ templates = '{TEMPLATES}' }}")),
        ("configuration-tr181", String::new()),
        ("configuration-tr098", String::new()),
    ];
    for (name, grant) in plugins.iter().filter(|(name, _)| Some(*name) != without) {
        let path = plugin(name);
        text.push_str(&format!("\n[plugins.{name}]\npath = \"{}\"\n\n[plugins.{name}.grant]\n{grant}\n", path.display()));
    }
    text
}

fn plugin(name: &str) -> PathBuf {
    Path::new(&workspace::target()).join("plugins").join(format!("{name}.wasm"))
}
