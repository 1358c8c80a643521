//! The TLS side of a listener: our certificate, and those of devices.

use std::sync::Arc;

use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::TlsAcceptor;
use x509_parser::{extensions::GeneralName, parse_x509_certificate};

/// What a TLS listener shows, and what it believes.
#[derive(Clone)]
pub struct Tls {
    pub(super) acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// TLS cannot be set up as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM text has not what it should have.
    #[error("the {what} cannot be read: {error}; expected {expected} in PEM form")]
    Pem {
        /// Which text.
        what: &'static str,
        /// What should be in it.
        expected: &'static str,
        /// What is wrong.
        error: rustls_pki_types::pem::Error,
    },
    /// A part does not fit.
    #[error("the {what} cannot be used: {error}")]
    Unfit {
        /// Which part.
        what: &'static str,
        /// What is wrong.
        error: String,
    },
}

impl Tls {
    /// A listener with this certificate chain and private key. With the certificates of authorities for devices, a device may prove itself by a certificate in
    /// its name: its key as the common name or as an alternative name.
    ///
    /// # Errors
    /// A text that is no PEM of its kind, a key that does not belong to the certificate, or an authority that cannot be one.
    pub fn new(chain: &[u8], key: &[u8], device_authorities: Option<&[u8]>) -> Result<Self, TlsError> {
        let chain = certificates(chain, "certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| TlsError::Pem { what: "private key", expected: "a key", error })?;
        let unfit = |error: rustls::Error| TlsError::Unfit { what: "certificate with its private key", error: error.to_string() };
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions().map_err(unfit)?;
        let config = match device_authorities {
            Some(pem) => config.with_client_cert_verifier(verifier(pem, provider)?),
            None => config.with_no_client_auth(),
        };
        let mut config = config.with_single_cert(chain, key).map_err(unfit)?;
        // Many devices that come back at once do not cost a full handshake each.
        config.ticketer = ring::Ticketer::new().map_err(unfit)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
        Ok(Self { acceptor: TlsAcceptor::from(Arc::new(config)) })
    }
}

/// Devices may have no certificate; one that they have must be right.
fn verifier(pem: &[u8], provider: Arc<rustls::crypto::CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let unfit = |error: String| TlsError::Unfit { what: "device authority", error };
    let mut roots = RootCertStore::empty();
    for authority in certificates(pem, "device authority")? {
        roots.add(authority).map_err(|error| unfit(error.to_string()))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).allow_unauthenticated();
    let verifier = verifier.build().map_err(|error| unfit(error.to_string()))?;
    Ok(verifier)
}

fn certificates(pem: &[u8], what: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |error| TlsError::Pem { what, expected: "a certificate", error };
    let all = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    if all.is_empty() { Err(wrong(rustls_pki_types::pem::Error::NoItemsFound)) } else { Ok(all) }
}

/// The names in the certificate of a device, which was verified before.
pub(super) fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = parse_x509_certificate(certificate) else { return Vec::new() };
    let common = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let alternative = alternative.iter().flat_map(|names| &names.value.general_names).filter_map(|name| {
        let (GeneralName::DNSName(name) | GeneralName::URI(name)) = name else { return None };
        Some(*name)
    });
    common.chain(alternative).map(str::to_owned).collect()
}
