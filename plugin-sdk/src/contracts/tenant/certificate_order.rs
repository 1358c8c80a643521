//! `jackfield:tenant/certificate-order`: orders a certificate.

pub use super::Challenge;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Whose certificate it is: the tenant's id.
    pub owner: String,
    /// The names that it is for, the first of them its subject.
    pub names: Vec<String>,
}

/// What came of it, and what `undo` needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// What the authority knows the order by.
    pub order: String,
    /// The TXT records that must be there before it is asked to issue (RFC 8555, section 8.4).
    pub challenges: Vec<Challenge>,
}

crate::contracts::effectful! {
    /// Orders of certificates. `apply` says what the authority wants to see before it issues one.
    CertificateOrder
}
