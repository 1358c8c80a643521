//! The requests and receipts of the contracts in `wit/tenant`, and of the directory, which is the host's own, in their JSON form: kebab-case names, absent
//! options left out.

use serde::{Deserialize, Serialize};

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Characteristic {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// A tenant as every step knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tenant {
    /// Its id, which never changes.
    pub id: String,
    /// Its name in addresses.
    pub slug: String,
    /// What it bought.
    pub plan: String,
    /// Where its data may be.
    pub region: String,
}

/// One set of records of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DnsRecord {
    /// The whole name in lower case, without the last dot.
    pub name: String,
    /// The type: `A`, `AAAA`, `CNAME`, `TXT` or `CAA`.
    pub kind: String,
    /// How long it may be remembered, in seconds.
    pub ttl: u32,
    /// The values.
    pub values: Vec<String>,
    /// Whether others may have values of the same name and type.
    pub shared: bool,
}

/// What a certificate authority wants to find in the DNS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Challenge {
    /// The whole name of the TXT record.
    pub name: String,
    /// Its text.
    pub value: String,
}

/// The request of `storage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StorageRequest {
    /// Whose it is.
    pub tenant: Tenant,
    /// The name of the bucket.
    pub bucket: String,
    /// What to write on it.
    pub labels: Vec<Characteristic>,
}

/// The receipt of `storage`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct StorageReceipt {
    /// The bucket.
    pub bucket: String,
    /// Where it is.
    pub region: String,
    /// The vendor.
    pub provider: String,
    /// The tenant's id.
    pub owner: String,
}

/// The request of `dns`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DnsRequest {
    /// Whose records they are.
    pub owner: String,
    /// The zone.
    pub zone: String,
    /// The records.
    pub records: Vec<DnsRecord>,
}

/// The receipt of `dns`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DnsReceipt {
    /// The zone.
    pub zone: String,
    /// Whose records they are.
    pub owner: String,
    /// The records.
    pub records: Vec<DnsRecord>,
    /// The vendor.
    pub provider: String,
}

/// The request of `certificate-order`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CertificateOrderRequest {
    /// Whose certificate it is.
    pub owner: String,
    /// The names that it is for.
    pub names: Vec<String>,
}

/// The receipt of `certificate-order`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CertificateOrderReceipt {
    /// What the authority knows the order by.
    pub order: String,
    /// What must be in the DNS first.
    pub challenges: Vec<Challenge>,
}

/// The request of `certificate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CertificateRequest {
    /// Whose certificate it is.
    pub owner: String,
    /// What the authority knows the order by.
    pub order: String,
    /// The names that it is for.
    pub names: Vec<String>,
    /// The signing request: DER in base64.
    pub signing_request: String,
}

/// The receipt of `certificate`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CertificateReceipt {
    /// How it ended.
    pub status: String,
    /// Who issued it.
    pub issuer: String,
    /// Its serial number in hexadecimal digits.
    pub serial: String,
    /// Until when it is valid: seconds since 1970.
    pub not_after: u64,
    /// The certificate and what it is signed by: PEM.
    pub chain: String,
}

/// The request of `seed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SeedRequest {
    /// Whose database it is.
    pub tenant: Tenant,
    /// What the tenant calls itself.
    pub name: String,
    /// Which data to begin with.
    pub template: String,
    /// What the data says.
    pub settings: Vec<Characteristic>,
}

/// The receipt of `seed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SeedReceipt {
    /// Which data.
    pub template: String,
    /// Its version.
    pub version: String,
    /// How many rows.
    pub rows: u64,
}

/// The request of `integration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IntegrationRequest {
    /// Whom it is about.
    pub tenant: Tenant,
    /// What the tenant calls itself.
    pub name: String,
    /// The system.
    pub integration: String,
    /// Where the tenant is found.
    pub domain: String,
    /// What else the plan says about it.
    pub settings: Vec<Characteristic>,
}

/// The receipt of `integration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct IntegrationReceipt {
    /// The system.
    pub integration: String,
    /// What the tenant is there.
    pub id: String,
}

/// The request of `mail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MailRequest {
    /// The id of the message, without angle brackets.
    pub message_id: String,
    /// Who gets it.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// The receipt of `mail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MailReceipt {
    /// The id of the message.
    pub message_id: String,
    /// What the server said.
    pub answer: String,
}

/// The contract of the directory with the version that this host speaks: the list of tenants, in the host's own store.
pub const DIRECTORY: &str = "jackfield:tenant/directory@1.0.0";

/// The request of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "operation")]
pub enum DirectoryRequest {
    /// Claims the id and the slug; the tenant is there, and not active.
    #[serde(rename_all = "kebab-case")]
    Create {
        /// The tenant.
        tenant: Tenant,
        /// What it calls itself.
        name: String,
        /// Where it will be found.
        domain: String,
    },
    /// Makes the account of its administrator.
    #[serde(rename_all = "kebab-case")]
    Account {
        /// The tenant's id.
        id: String,
        /// The administrator's address. Personal data.
        email: String,
        /// The first password, sealed.
        password: String,
    },
    /// Makes the tenant active.
    #[serde(rename_all = "kebab-case")]
    Activate {
        /// The tenant's id.
        id: String,
    },
    /// Keeps a certificate for the tenant's domain.
    #[serde(rename_all = "kebab-case")]
    Certificate {
        /// The tenant's id.
        id: String,
        /// The certificate.
        certificate: CertificateReceipt,
        /// Its private key, sealed.
        key: String,
    },
}

/// The receipt of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DirectoryReceipt {
    /// What was done: the operation.
    pub operation: String,
    /// The tenant's id.
    pub id: String,
    /// Of a certificate: its serial number, which tells it from one that was installed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}
