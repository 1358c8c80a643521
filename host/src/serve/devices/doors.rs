//! The listeners of devices: taken and made ready before anything else is touched.

use std::{net::SocketAddr, path::Path};

use anyhow::Context;
use cpe::acs::{Door, Tls};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tracing::info;

use super::Devices;
use crate::config::{self, Config};

/// The file in the data directory that says where devices contact the host: one address per line.
const ENDPOINT: &str = "cwmp-endpoint";

/// Listeners that nobody serves yet.
#[derive(Debug, Default)]
pub(in crate::serve) struct Doors(Vec<(TcpListener, Option<Tls>)>);

impl Doors {
    /// Takes the ports and reads the certificates.
    pub(in crate::serve) async fn open(config: &Config, directory: &Path) -> anyhow::Result<Self> {
        let mut doors = Vec::new();
        if let Some(address) = config.cpe.listen {
            doors.push((listen("cpe.listen", address).await?, None));
        }
        if let Some(tls) = &config.cpe.tls {
            let certificates = read(tls, directory)?;
            doors.push((listen("cpe.tls.listen", tls.listen).await?, Some(certificates)));
        }
        Ok(Self(doors))
    }

    /// Serves devices until it is told to stop, and then until what has begun is answered. Says where.
    pub(in crate::serve) fn serve(
        self,
        devices: &Devices,
        data: &Path,
        stop: &watch::Receiver<bool>,
        serving: &mut JoinSet<()>,
    ) -> anyhow::Result<()> {
        let mut addresses = Vec::new();
        for (listener, tls) in self.0 {
            let address = listener.local_addr()?;
            addresses.push(format!("{}://{address}", if tls.is_some() { "https" } else { "http" }));
            let door = Door { listener, tls, intake: devices.api.intake.clone(), credentials: devices.api.inventory.clone() };
            let (acs, stop) = (devices.acs.clone(), stop.clone());
            serving.spawn(async move { acs.serve(door, stop).await });
        }
        let file = data.join(ENDPOINT);
        std::fs::write(&file, addresses.join("\n") + "\n").with_context(|| format!("{} cannot be written", file.display()))?;
        for address in addresses {
            info!("devices contact the host at {address}");
            crate::serve::say(&format!("jackfield serves devices on {address}"));
        }
        Ok(())
    }

    /// The addresses are good no longer.
    pub(in crate::serve) fn forget(data: &Path) {
        let _gone = std::fs::remove_file(data.join(ENDPOINT));
    }
}

async fn listen(key: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{key}: cannot listen on {address}"))
}

fn read(tls: &config::Tls, directory: &Path) -> anyhow::Result<Tls> {
    let pem = |key: &str, path: &Path| std::fs::read(path).with_context(|| format!("cpe.tls.{key}: {} cannot be read", path.display()));
    let certificate = pem("certificate", &tls.certificate)?;
    let authorities = tls.client_ca.as_deref().map(|path| pem("client_ca", path)).transpose()?;
    let key = config::secret_text("cpe.tls.key", &tls.key, directory)?;
    Tls::new(&certificate, key.as_bytes(), authorities.as_deref()).context("cpe.tls")
}
