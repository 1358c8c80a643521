//! `jackfield:tenant/certificate`: has an ordered certificate issued.

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whose certificate it is: the tenant's id.
    pub owner: String,
    /// What `certificate-order` said the authority knows the order by.
    pub order: String,
    /// The names that it is for.
    pub names: Vec<String>,
    /// The signing request (RFC 2986): DER in base64.
    pub signing_request: String,
}

/// What came of it, and what `undo` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// How it ended, in the authority's word: `issued`, `valid`.
    pub status: String,
    /// Who issued it.
    pub issuer: String,
    /// Its serial number: hexadecimal digits.
    pub serial: String,
    /// Until when it is valid: seconds since 1970.
    pub not_after: u64,
    /// The certificate and what it is signed by: PEM.
    pub chain: String,
}

crate::contracts::effectful! {
    /// Certificates. `apply` asks the authority to issue one and is usually pending, `undo` revokes it.
    Certificate
}
