//! A host that serves devices: the real binary with the vendor plugin of the virtual routers, devices that it knows, and what it says of them.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use http::{Method, StatusCode};
use lab::{
    device::{DeviceOptions, Model},
    storm::{Storm, StormOptions, StormReport},
};
use serde_json::json;

use crate::{
    receiver::Receiver,
    served::{Configured, Served, configuration},
    setup::Setup,
};

/// The password of every device.
const PASSWORD: &str = "correct horse battery staple";
/// How many devices one request takes in.
const AT_ONCE: usize = 500;
/// How long the last liar may take to be found out.
const PATIENCE: Duration = Duration::from_secs(60);
/// The plan comes to ten parameters on these routers.
const PLAN: &str = "fibre-100";

/// A host with its devices' address. The receiver of its telemetry lives as long.
#[derive(Debug)]
pub(crate) struct DevicesServed {
    pub(crate) host: Served,
    acs_url: String,
    _receiver: Receiver,
}

impl DevicesServed {
    /// Starts the host in a directory: durable store, one trace in a hundred exported, the inventory and the profiles embedded.
    pub(crate) async fn start(setup: &Setup, directory: &Path, more: &str) -> Result<Self> {
        Self::start_with(setup, directory, more, &[]).await
    }

    /// The same with further plugins, each with its grant.
    pub(crate) async fn start_with(setup: &Setup, directory: &Path, more: &str, others: &[(&str, String)]) -> Result<Self> {
        let receiver = Receiver::start()?;
        let mut plugins = Vec::new();
        for (name, grant) in [("configuration-tr181", String::new())].iter().chain(others) {
            let file = setup.plugins.join(name).with_extension("wasm");
            let component = fs::read(&file).with_context(|| format!("{} cannot be read", file.display()))?;
            plugins.push(Configured::write(directory, name, &component, grant)?);
        }
        fs::write(directory.join("seal.key"), "07".repeat(32))?;
        fs::write(directory.join("bss.key"), "a key of the business system")?;
        let rest = format!(
            "[secrets]\nseal_key = \"file:seal.key\"\n[telemetry]\notlp = \"{}\"\nsampling = {{ cpe = 0.01 }}\n[cpe]\nlisten = \"127.0.0.1:0\"\n{more}",
            receiver.endpoint
        );
        fs::write(directory.join("jackfield.toml"), configuration(&plugins, "") + &rest)?;
        let host = Served::start(directory)?;
        let acs_url =
            fs::read_to_string(directory.join("data/cwmp-endpoint")).context("the address for devices cannot be read")?.trim().to_owned() + "/";
        let settings = json!([
            {"name": "internet.username", "value": "c@isp"},
            {"name": "wifi.2.4.ssid", "value": "home"},
            {"name": "wifi.2.4.key", "secret": "a key of the customer"},
        ]);
        let plan = json!({"name": PLAN, "services": ["internet"], "wifi-bands": ["2.4GHz"], "settings": settings});
        host.ask(Method::POST, "/api/v1/cpe/plans", plan.to_string()).await?;
        Ok(Self { host, acs_url, _receiver: receiver })
    }

    /// So many devices that the host knows. A storm of them is as `change` wants it.
    pub(crate) async fn devices(&self, prefix: &str, count: usize, change: impl FnOnce(&mut StormOptions)) -> Result<Storm> {
        let device = DeviceOptions { acs_url: self.acs_url.clone(), password: PASSWORD.to_owned(), ..DeviceOptions::of(Model::Tr181Router, prefix) };
        let mut options = StormOptions { share_nonces: true, ..StormOptions::new(device, count) };
        change(&mut options);
        let storm = Storm::new(options);
        for some in storm.devices().chunks(AT_ONCE) {
            let devices = some.iter().map(|device| {
                let options = device.options();
                json!({"oui": options.oui, "product-class": options.product_class, "serial": options.serial, "password": PASSWORD,
                    "customer": options.serial, "plan": PLAN})
            });
            let devices: Vec<_> = devices.collect();
            self.host.ask(Method::POST, "/api/v1/cpe/devices", serde_json::Value::from(devices).to_string()).await?;
        }
        Ok(storm)
    }

    /// Waits until so many devices are provisioned and so many liars reported; no others.
    pub(crate) async fn provisioned(&self, good: u64, liars: u64) -> Result<()> {
        let begun = Instant::now();
        loop {
            let found = (self.results("success").await?, self.results("verification_failed").await?);
            if found == (good, liars) {
                return Ok(());
            }
            ensure!(begun.elapsed() < PATIENCE, "{} devices are provisioned and {} liars reported: expected {good} and {liars}", found.0, found.1);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// How many provisionings have come to a result.
    async fn results(&self, result: &str) -> Result<u64> {
        let (status, text, _) = self.host.send(Method::GET, "/metrics", bytes::Bytes::new()).await?;
        ensure!(status == StatusCode::OK, "/metrics was answered with {status}");
        let text = String::from_utf8_lossy(&text);
        let label = format!("result=\"{result}\"");
        let line = text.lines().find(|line| line.starts_with("cpe_provision_count_total") && line.contains(&label));
        let value = line.and_then(|line| line.rsplit(' ').next()).context("/metrics does not have cpe_provision_count_total")?;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        Ok(value.parse::<f64>()? as u64)
    }
}

/// Every device had its session, and no answer was wrong.
pub(crate) fn check(report: &StormReport) -> Result<()> {
    ensure!(
        report.unfinished == 0 && report.lost == 0 && report.refused == 0 && report.complaints.is_empty(),
        "{} devices had no session, {} sessions broke, {} were refused: {:?}",
        report.unfinished,
        report.lost,
        report.refused,
        report.complaints
    );
    Ok(())
}
