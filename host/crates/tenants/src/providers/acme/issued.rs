//! What was issued, and the check that it is what was asked for.

use pipeline::Failure;
use serde::{Deserialize, Serialize};
use x509_parser::{certification_request::X509CertificationRequest, parse_x509_certificate, pem::Pem, prelude::FromDer as _};

use crate::{contract::CertificateReceipt, providers::effect::held};

/// The collection of certificates, by the address of their order.
pub const CERTIFICATE_COLLECTION: &str = "tenant-acme-certificate";

/// A certificate as it was issued.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct CertificateRow {
    pub(super) owner: String,
    pub(super) names: Vec<String>,
    pub(super) receipt: CertificateReceipt,
    /// Whether it was revoked from here.
    pub(super) revoked: bool,
}

/// The certificate of a chain, without those that vouch for it.
pub(super) fn leaf(chain: &str) -> Result<Vec<u8>, Failure> {
    let first = Pem::iter_from_buffer(chain.as_bytes()).next().and_then(Result::ok);
    first.map(|pem| pem.contents).ok_or_else(|| unfit("it is not in PEM form"))
}

/// Reads a chain that was issued on a signing request.
pub(super) fn read(chain: String, request: &[u8]) -> Result<CertificateReceipt, Failure> {
    let der = leaf(&chain)?;
    let (_, certificate) = parse_x509_certificate(&der).map_err(|error| unfit(&error.to_string()))?;
    let (_, request) = X509CertificationRequest::from_der(request).map_err(|error| unfit(&format!("the signing request cannot be read: {error}")))?;
    if certificate.public_key().raw != request.certification_request_info.subject_pki.raw {
        return Err(unfit("it is for another key than the one of the signing request"));
    }
    let serial = certificate.raw_serial();
    let serial = serial.strip_prefix(&[0]).filter(|rest| !rest.is_empty()).unwrap_or(serial);
    Ok(CertificateReceipt {
        status: "valid".to_owned(),
        issuer: certificate.issuer().to_string(),
        serial: serial.iter().map(|byte| format!("{byte:02x}")).collect(),
        not_after: u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or_default(),
        chain,
    })
}

fn unfit(why: &str) -> Failure {
    held("wrong_certificate", format!("the certificate authority issued what cannot be used: {why}"))
}
