//! TLS as a device speaks it: with the authorities that it was given, and perhaps a certificate of its own.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Whom a device believes, and what it shows.
#[derive(Debug, Clone)]
pub struct Tls(Arc<ClientConfig>);

/// The TLS of a device cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("the {what} of a device cannot be used: {reason}")]
pub struct TlsError {
    what: &'static str,
    reason: String,
}

impl Tls {
    /// With these authorities (PEM), and a certificate chain with its key (PEM) if the device has one.
    pub fn new(authorities: &[u8], identity: Option<(&[u8], &[u8])>) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for authority in certificates("authorities", authorities)? {
            roots.add(authority).map_err(|error| unfit("authorities", &error))?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions();
        let config = config.map_err(|error| unfit("TLS", &error))?.with_root_certificates(roots);
        let config = match identity {
            None => config.with_no_client_auth(),
            Some((chain, key)) => {
                let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| unfit("private key", &error))?;
                config.with_client_auth_cert(certificates("certificate", chain)?, key).map_err(|error| unfit("certificate", &error))?
            }
        };
        Ok(Self(Arc::new(config)))
    }

    /// Speaks TLS on a connection to this host.
    pub(crate) async fn connect(&self, host: &str, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
        TlsConnector::from(self.0.clone()).connect(name, stream).await
    }
}

fn certificates(what: &'static str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|error| unfit(what, &error))
}

fn unfit(what: &'static str, error: &dyn std::fmt::Display) -> TlsError {
    TlsError { what, reason: error.to_string() }
}
