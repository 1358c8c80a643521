//! Signing requests from outside: they are for the names that were ordered, and for nothing else.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use pipeline::Failure;
use rcgen::{CertificateSigningRequestParams, SanType};
use rustls_pki_types::CertificateSigningRequestDer;

use crate::{contract::CertificateRequest, providers::effect::rejected};

/// The largest request in bytes.
const LARGEST: usize = 32 << 10;

/// Reads the signing request, whose own signature is checked.
pub(super) fn read(request: &CertificateRequest) -> Result<CertificateSigningRequestParams, Failure> {
    let der = der(request)?;
    let params = CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(der)).map_err(|error| bad(&error.to_string()))?;
    let mut found = BTreeSet::new();
    for name in &params.params.subject_alt_names {
        let SanType::DnsName(name) = name else { return Err(bad("it is for something that is no name of DNS")) };
        found.insert(name.as_str().to_ascii_lowercase());
    }
    if found != request.names.iter().cloned().collect() {
        return Err(bad("it is not for the names that were ordered"));
    }
    Ok(params)
}

/// The bytes of the signing request.
pub(crate) fn der(request: &CertificateRequest) -> Result<Vec<u8>, Failure> {
    if request.signing_request.len() > LARGEST {
        return Err(bad(&format!("it has more than the {LARGEST} bytes allowed")));
    }
    STANDARD.decode(&request.signing_request).map_err(|error| bad(&error.to_string()))
}

fn bad(why: &str) -> Failure {
    rejected("bad_signing_request", format!("the signing request cannot be used: {why}"))
}
