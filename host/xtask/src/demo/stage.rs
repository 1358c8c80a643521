//! The stage: the lab's back ends and the host, on an empty store, on free ports.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    http::{Answer, Client},
    server::Server,
};
use crate::{command, workspace};

/// A debug build compiles five plugins at its first start, which takes seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Where the TM Forum interface is.
pub(crate) const ORDERS: &str = "/tmf-api/productOrderingManagement/v4/productOrder";

/// Everything that serves, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Stage {
    directory: PathBuf,
    _lab: Server,
    host: Server,
    urls: Value,
    client: Client,
}

impl Stage {
    /// Starts everything. `without` leaves a plugin out of the configuration.
    pub(crate) fn set(without: Option<&str>) -> Result<Self> {
        let directory = workspace::target().join("demo");
        if directory.exists() {
            fs::remove_dir_all(&directory).with_context(|| format!("{} cannot be removed", directory.display()))?;
        }
        fs::create_dir_all(&directory).with_context(|| format!("{} cannot be made", directory.display()))?;
        let lab = Server::start(program("lab").stdin(Stdio::piped()), "{", &directory.join("lab.log"), PATIENCE).context("the lab")?;
        let urls: Value = serde_json::from_str(&format!("{{{}", lab.address)).context("the lab's addresses")?;
        let config = directory.join("jackfield.toml");
        fs::write(&config, configuration(&urls, without)).with_context(|| format!("{} cannot be written", config.display()))?;
        let serve = &mut program("jackfield");
        serve.args(["serve", "--config"]).arg(&config);
        let host = Server::start(serve, "jackfield serves on ", &directory.join("jackfield.log"), PATIENCE).context("the host")?;
        let token = fs::read_to_string(directory.join("data/admin-token")).context("the administrator's token")?;
        let client = Client::new(&host.address).with_header("authorization", &format!("Bearer {token}"));
        Ok(Self { directory, _lab: lab, host, urls, client })
    }

    /// Requests to the host, with the administrator's token.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Where the host serves.
    pub(crate) fn url(&self) -> &str {
        &self.host.address
    }

    /// The configuration that the host was started with.
    pub(crate) fn config(&self) -> PathBuf {
        self.directory.join("jackfield.toml")
    }

    /// The file with the exported spans.
    pub(crate) fn spans(&self) -> PathBuf {
        self.directory.join("spans.jsonl")
    }

    /// A request to a back end.
    pub(crate) fn back_end(&self, name: &str, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        let url = self.urls[name].as_str().with_context(|| format!("the lab has no back end `{name}`"))?;
        Client::new(url).send(method, path, body)
    }

    /// A command of the host, as a person types it.
    pub(crate) fn jackfield(&self, arguments: &[&str]) -> Result<()> {
        let mut command = program("jackfield");
        command.args(arguments).arg("--config").arg(self.config());
        command::run(&mut command)
    }

    /// Waits until somebody ends the host.
    pub(crate) fn wait(mut self) -> Result<()> {
        self.host.wait()
    }
}

/// A binary of this workspace, as the demo built it.
fn program(name: &str) -> Command {
    command::program(workspace::target().join("debug").join(name), &[])
}

fn configuration(urls: &Value, without: Option<&str>) -> String {
    let mut text = "# Written by `cargo xtask demo`.\n[http]\nlisten = \"127.0.0.1:0\"\n\n[store]\npath = \"data/jackfield.db\"\n\n\
                    # The plugins were built here, and nobody has signed them.\n[trust]\nallow_unsigned = true\n\n\
                    [telemetry]\nfile = \"spans.jsonl\"\n"
        .to_owned();
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
