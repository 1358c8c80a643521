//! The contracts `certificate-order` and `certificate` answered by a private authority that this host is itself, for a host without another. Its certificates
//! are real, and believed by whoever believes its root. What proves a name must be in the embedded zone.

mod authority;
mod request;

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Clock, Document, DocumentQuery, Documents, Observed, PendingAnswer, Runner, Signal};
use pipeline::{Failure, Pin, Timestamp, Verbs};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Mutex;

use self::authority::Authority;
pub use self::authority::LocalCaError;
use super::{
    LocalZone,
    effect::{self, Effect, LASTING, body, done, drifted, held, ours, rejected, unreadable, unwritten},
    names::{check_names, shown},
};
use crate::contract::{CertificateOrderReceipt, CertificateOrderRequest, CertificateReceipt, CertificateRequest, Challenge};

/// The name of the provider in bindings.
pub const LOCAL_CA_PROVIDER: &str = "local-ca";

/// The collection of what it issued, by order.
pub const LOCAL_CA_COLLECTION: &str = "tenant-local-ca-certificate";

/// For how long certificates are valid.
const VALIDITY: Duration = Duration::from_secs(90 * 86_400);

/// How many of its certificates are read at a time.
const PAGE: u64 = 500;

/// A private authority.
#[derive(Debug, Clone)]
pub struct LocalCa {
    authority: Arc<Authority>,
    zone: LocalZone,
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
    takes: Duration,
    alone: Arc<Mutex<()>>,
}

/// The contract `certificate-order` at the private authority.
#[derive(Debug, Clone)]
pub struct LocalCertificateOrder(pub LocalCa);

/// The contract `certificate` at the private authority.
#[derive(Debug, Clone)]
pub struct LocalCertificates(pub LocalCa);

/// A certificate as the authority remembers it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct IssuedRow {
    owner: String,
    names: Vec<String>,
    receipt: CertificateReceipt,
    /// When it was revoked: microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked: Option<u64>,
}

/// What a pending issue goes on with.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// When it is issued: microseconds since 1970.
    due: u64,
}

impl LocalCa {
    /// An authority that keeps its key in a folder. It is made when the folder has none.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used, or what is in it is not an authority.
    pub fn open(folder: &Path, zone: LocalZone, documents: Arc<dyn Documents>, clock: Arc<dyn Clock>) -> Result<Self, LocalCaError> {
        let authority = Arc::new(Authority::open(folder, clock.now())?);
        Ok(Self { authority, zone, documents, clock, takes: Duration::ZERO, alone: Arc::default() })
    }

    /// Takes its time, as other authorities do: an order is answered `pending` for so long.
    #[must_use]
    pub fn taking(self, takes: Duration) -> Self {
        Self { takes, ..self }
    }

    /// What the step of the order is bound to.
    pub fn order_pin() -> Pin {
        effect::native(LOCAL_CA_PROVIDER, "jackfield:tenant/certificate-order@1.0.0", LASTING, true)
    }

    /// What the step of the certificate is bound to.
    pub fn certificate_pin() -> Pin {
        effect::native(LOCAL_CA_PROVIDER, "jackfield:tenant/certificate@1.0.0", Verbs { resume: true, ..LASTING }, true)
    }

    /// The root that its certificates are believed by, in PEM form.
    pub fn root(&self) -> &str {
        self.authority.root()
    }

    /// The serial numbers of the certificates that it revoked and that would be valid else.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn revoked(&self) -> Result<Vec<String>, Failure> {
        let (mut serials, mut offset) = (Vec::new(), 0);
        loop {
            let equal = vec![("state".to_owned(), "revoked".to_owned())];
            let query = DocumentQuery { collection: LOCAL_CA_COLLECTION, equal, offset, limit: PAGE };
            let page = self.documents.find(query).await.map_err(|error| unreadable(&error))?;
            for document in &page.documents {
                let row: IssuedRow = body(LOCAL_CA_COLLECTION, &document.body)?;
                if row.receipt.not_after > self.clock.now().0 / 1_000_000 {
                    serials.push(row.receipt.serial);
                }
            }
            offset += page.documents.len() as u64;
            if page.documents.is_empty() || offset >= page.total {
                return Ok(serials);
            }
        }
    }

    /// The order of an idempotency key. It need not be kept: what proves its names follows from it and from the authority's key.
    fn order(&self, call: &Call, request: &CertificateOrderRequest) -> Result<CertificateOrderReceipt, Failure> {
        check_names(&request.names)?;
        let order = format!("order-{}", &call.key.as_str()[..32]);
        let challenges = request.names.iter().map(|name| self.challenge(&order, name)).collect();
        Ok(CertificateOrderReceipt { order, challenges })
    }

    fn challenge(&self, order: &str, name: &str) -> Challenge {
        let value = self.authority.proof(order, name);
        Challenge { name: format!("_acme-challenge.{}", name.strip_prefix("*.").unwrap_or(name)), value }
    }

    async fn row(&self, order: &str) -> Result<Option<IssuedRow>, Failure> {
        let found = self.documents.get(LOCAL_CA_COLLECTION, order).await.map_err(|error| unreadable(&error))?;
        found.map(|document| body(LOCAL_CA_COLLECTION, &document.body)).transpose()
    }

    async fn keep(&self, order: &str, row: &IssuedRow) -> Result<(), Failure> {
        let state = if row.revoked.is_some() { "revoked" } else { "valid" };
        let attributes = vec![("state", state.to_owned()), ("serial", row.receipt.serial.clone())];
        let document = Document { collection: LOCAL_CA_COLLECTION, id: order.to_owned(), rank: self.clock.now().0, body: json!(row), attributes };
        self.documents.put(vec![document]).await.map_err(|error| unwritten(&error))
    }

    /// Whether every name is proved.
    async fn check_proofs(&self, request: &CertificateRequest) -> Result<(), Failure> {
        for name in &request.names {
            let Challenge { name: place, value } = self.challenge(&request.order, name);
            if !self.zone.texts(&place).await?.contains(&value) {
                return Err(rejected("challenge_failed", format!("the TXT record of {place} does not have the value for {name}")));
            }
        }
        Ok(())
    }

    async fn issue(&self, request: &CertificateRequest) -> Result<CertificateReceipt, Failure> {
        let _alone = self.alone.lock().await;
        if let Some(row) = self.row(&request.order).await? {
            return match row {
                IssuedRow { owner, names, receipt, revoked: None } if owner == request.owner && names == request.names => Ok(receipt),
                IssuedRow { .. } => Err(rejected("order_used", format!("the order {} has a certificate already", shown(&request.order)))),
            };
        }
        let wanted = request::read(request)?;
        self.check_proofs(request).await?;
        let receipt = self.authority.issue(wanted, self.clock.now(), VALIDITY)?;
        let row = IssuedRow { owner: request.owner.clone(), names: request.names.clone(), receipt, revoked: None };
        self.keep(&request.order, &row).await?;
        Ok(row.receipt)
    }

    /// Issues when the time has come.
    async fn at(&self, request: &CertificateRequest, due: Timestamp) -> Result<Answer, Failure> {
        let left = due.since(self.clock.now());
        if left.is_zero() {
            return Ok(done(&self.issue(request).await?));
        }
        let checkpoint = json!(Checkpoint { due: due.0 }).to_string();
        let give_up_after = left.saturating_add(Duration::from_secs(3_600));
        Ok(Answer::Pending(PendingAnswer { operation: request.order.clone(), checkpoint, poll_after: Some(left), give_up_after }))
    }
}

#[async_trait]
impl Runner for LocalCertificateOrder {
    async fn call(&self, call: Call) -> CallReport {
        effect::run(self, &call).await
    }
}

#[async_trait]
impl Effect for LocalCertificateOrder {
    type Request = CertificateOrderRequest;
    type Receipt = CertificateOrderReceipt;

    async fn apply(&self, call: &Call, request: CertificateOrderRequest) -> Result<Answer, Failure> {
        Ok(done(&self.0.order(call, &request)?))
    }

    async fn observe(&self, call: &Call, request: CertificateOrderRequest) -> Result<Observed, Failure> {
        Ok(ours(&self.0.order(call, &request)?))
    }

    async fn undo(&self, _: &Call, _: CertificateOrderReceipt) -> Result<(), Failure> {
        Ok(())
    }
}

#[async_trait]
impl Runner for LocalCertificates {
    async fn call(&self, call: Call) -> CallReport {
        effect::run(self, &call).await
    }
}

#[async_trait]
impl Effect for LocalCertificates {
    type Request = CertificateRequest;
    type Receipt = CertificateReceipt;

    async fn apply(&self, _: &Call, request: CertificateRequest) -> Result<Answer, Failure> {
        check_names(&request.names)?;
        self.0.at(&request, self.0.clock.now().plus(self.0.takes)).await
    }

    async fn resume(&self, _: &Call, request: CertificateRequest, checkpoint: &str, signal: &Signal) -> Result<Answer, Failure> {
        if *signal == Signal::Cancel {
            return match self.0.row(&request.order).await? {
                Some(row) => self.revoke(&request.order, row).await.map(|()| Answer::Undone),
                None => Ok(Answer::Undone),
            };
        }
        let Checkpoint { due } =
            serde_json::from_str(checkpoint).map_err(|error| held("plugin.contract", format!("the checkpoint does not fit: {error}")))?;
        self.0.at(&request, Timestamp(due)).await
    }

    async fn observe(&self, _: &Call, request: CertificateRequest) -> Result<Observed, Failure> {
        Ok(match self.0.row(&request.order).await? {
            None => Observed::Absent,
            Some(row) if row.owner != request.owner => Observed::Foreign(row.owner),
            Some(row) if row.revoked.is_some() || row.names != request.names => drifted(&row.receipt),
            Some(row) => ours(&row.receipt),
        })
    }

    async fn undo(&self, _: &Call, receipt: CertificateReceipt) -> Result<(), Failure> {
        let equal = vec![("serial".to_owned(), receipt.serial.clone())];
        let query = DocumentQuery { collection: LOCAL_CA_COLLECTION, equal, offset: 0, limit: 1 };
        let page = self.0.documents.find(query).await.map_err(|error| unreadable(&error))?;
        match page.documents.into_iter().next() {
            Some(document) => self.revoke(&document.id, body(LOCAL_CA_COLLECTION, &document.body)?).await,
            None => Err(rejected("unknown_certificate", format!("there is no certificate {}", shown(&receipt.serial)))),
        }
    }
}

impl LocalCertificates {
    async fn revoke(&self, order: &str, row: IssuedRow) -> Result<(), Failure> {
        if row.revoked.is_some() {
            return Ok(());
        }
        let revoked = Some(self.0.clock.now().0);
        self.0.keep(order, &IssuedRow { revoked, ..row }).await
    }
}

#[cfg(test)]
mod tests;
