//! Signing requests from outside: they are for the names that were ordered, and for nothing else.

use std::collections::BTreeSet;

use pipeline::Failure;
use rcgen::{CertificateSigningRequestParams, SanType};
use rustls_pki_types::CertificateSigningRequestDer;

use crate::{
    contract::CertificateRequest,
    providers::{effect::rejected, signing::request_der},
};

/// Reads the signing request, whose own signature is checked.
pub(super) fn read(request: &CertificateRequest) -> Result<CertificateSigningRequestParams, Failure> {
    let der = request_der(&request.signing_request).map_err(|why| bad(&why))?;
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

fn bad(why: &str) -> Failure {
    rejected("bad_signing_request", format!("the signing request cannot be used: {why}"))
}
