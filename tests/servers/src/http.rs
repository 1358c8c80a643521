//! Requests to the servers' own interfaces.

use std::{sync::Arc, time::Duration};

use rustls::crypto::ring;
use ureq::{
    Agent,
    http::{Request, StatusCode},
    tls::{Certificate, RootCerts, TlsConfig},
};

use crate::Error;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client.
#[derive(Debug, Clone)]
pub(crate) struct Http(Agent);

impl Http {
    /// For addresses without TLS.
    pub(crate) fn plain() -> Self {
        Self(Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().new_agent())
    }

    /// Trusts one root only.
    pub(crate) fn trusting(root: &str) -> Result<Self, Error> {
        let root = Certificate::from_pem(root.as_bytes()).map_err(|error| Error::refused("a root certificate", error.to_string()))?;
        let provider = Arc::new(ring::default_provider());
        let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[root])).unversioned_rustls_crypto_provider(provider).build();
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).tls_config(tls);
        Ok(Self(config.build().new_agent()))
    }

    /// Sends a request and returns the answer's body. Anything but success is an error that quotes it.
    pub(crate) fn send(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Result<String, Error> {
        let what = format!("{method} {url}");
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_owned()).map_err(|error| Error::refused(&what, error.to_string()))?;
        let answer = self.0.run(request).map_err(|error| Error::refused(&what, error.to_string()))?;
        let (parts, mut body) = answer.into_parts();
        let text = body.read_to_string().map_err(|error| Error::refused(&what, error.to_string()))?;
        match parts.status {
            StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(text),
            status => Err(Error::refused(&what, format!("{status} {text}"))),
        }
    }
}
