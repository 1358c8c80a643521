//! `[cpe]`: the auto-configuration server, where devices contact the host (TR-069).
//!
//! ```toml
//! [cpe]
//! listen = "127.0.0.1:7547"
//!
//! [cpe.tls]
//! listen = "0.0.0.0:7548"
//! certificate = "acs.pem"
//! key = "file:acs.key"
//! client_ca = "devices-ca.pem"
//!
//! [cpe.acs]
//! auth = "required"
//!
//! [cpe.provisioning]
//! models = ["RX-2100"]
//!
//! [[cpe.quirks]]
//! manufacturer = "Acme"
//! set = { boolean = "true" }
//! ```

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// The auto-configuration server. It is there when it listens somewhere.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Cpe {
    /// Where devices contact the host over plain HTTP; the port that the standard registers is 7547. Default none: not over plain HTTP.
    pub(crate) listen: Option<SocketAddr>,
    /// Where devices contact the host over TLS. Default none.
    pub(crate) tls: Option<Tls>,
    /// Sessions and authentication.
    pub(crate) acs: cpe::acs::Options,
    /// The pipeline of devices.
    pub(crate) provisioning: cpe::flow::Options,
    /// Connection requests.
    pub(crate) wake: cpe::wake::WakeOptions,
    /// How devices differ from the standard, over the records that come with the product. Later records change what earlier ones say.
    pub(crate) quirks: Vec<cpe::quirks::QuirkRecord>,
}

/// A listener for TLS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// The certificate with those between it and the root, in PEM.
    pub(crate) certificate: PathBuf,
    /// The key of the certificate in PEM: `file:PATH` or `env:NAME`.
    pub(crate) key: String,
    /// The authorities of devices' certificates in PEM. A device that shows one of theirs is proven by it. Default none: devices are asked for no certificate.
    #[serde(default)]
    pub(crate) client_ca: Option<PathBuf>,
}

impl Cpe {
    /// Whether there is such a server at all.
    pub(crate) fn is_enabled(&self) -> bool {
        self.listen.is_some() || self.tls.is_some()
    }

    /// Makes paths absolute.
    pub(super) fn anchor(&mut self, directory: &Path) {
        if let Some(tls) = &mut self.tls {
            for path in [Some(&mut tls.certificate), tls.client_ca.as_mut()].into_iter().flatten() {
                *path = directory.join(&*path);
            }
        }
    }
}
