//! The stage: the lab's back ends and the host, on an empty store, on free ports.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{
    configuration::{SECRETS, configuration},
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
        for (name, secret) in SECRETS {
            fs::write(directory.join(name), secret).with_context(|| format!("{name} cannot be written"))?;
        }
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

    /// Starts virtual devices, so many routers and terminals, of which the last one is a liar. They live as long as what is returned.
    pub(crate) fn devices(&self, routers: u32, terminals: u32) -> Result<Server> {
        let acs = fs::read_to_string(self.directory.join("data/cwmp-endpoint")).context("where devices contact the host")?;
        let (routers, terminals, acs) = (routers.to_string(), terminals.to_string(), format!("{}/", acs.trim()));
        let devices = &mut program("lab");
        devices
            .args(["devices", "--acs", &acs, "--tr181", &routers, "--tr098", &terminals, "--liar", "1", "--retry-ms", "500"])
            .stdin(Stdio::piped());
        Server::start(devices, "{", &self.directory.join("devices.log"), PATIENCE).context("the devices")
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
