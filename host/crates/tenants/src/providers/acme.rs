//! The contracts `certificate-order` and `certificate` answered by a certificate authority over ACME (RFC 8555), with proofs in the DNS. The key of the account
//! is sealed; private keys of certificates are not seen here.

mod account;
mod certificate;
mod fault;
mod issued;
mod options;
mod order;
mod proof;
mod transport;

use std::{fmt, sync::Arc, time::Duration};

use engine::port::{Clock, Document, DocumentQuery, Documents, PendingAnswer, Secrets};
use instant_acme::Account;
use pipeline::{Failure, Pin, TenantName, Verbs};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use tokio::sync::Mutex;

use self::transport::Transport;
pub use self::{
    account::ACCOUNT_COLLECTION as ACME_ACCOUNT_COLLECTION,
    certificate::AcmeCertificates,
    issued::CERTIFICATE_COLLECTION as ACME_CERTIFICATE_COLLECTION,
    options::{AcmeBinding, AcmeOptions},
    order::{AcmeOrders, ORDER_COLLECTION as ACME_ORDER_COLLECTION},
};
use super::effect::{self, LASTING, body, unreadable, unremoved, unwritten};

/// The name of the provider in bindings.
pub const ACME_PROVIDER: &str = "acme";

/// So often work is begun anew that the authority refused for the sake of a nonce. What it is made of can be repeated.
const NONCES: u32 = 6;

/// The longest pause that an authority can ask for while it issues.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// Does work anew when the authority did not like a nonce. A macro, because closures that are async borrow too little to be sent.
macro_rules! patiently {
    ($work:expr) => {{
        let mut tries = 1;
        loop {
            match $work.await {
                Err($crate::providers::acme::fault::Stop::Acme(error))
                    if $crate::providers::acme::fault::is_bad_nonce(&error) && tries < $crate::providers::acme::NONCES =>
                {
                    tries += 1;
                }
                other => break other,
            }
        }
    }};
}
use patiently;

/// An authority and this host's account there.
#[derive(Clone)]
pub struct Acme(Arc<Inner>);

struct Inner {
    options: AcmeOptions,
    binding: Option<AcmeBinding>,
    transport: Transport,
    parts: AcmeParts,
    account: Mutex<Option<Account>>,
}

/// What the provider stands on.
#[derive(Debug, Clone)]
pub struct AcmeParts {
    /// Where the account, orders and certificates are kept.
    pub documents: Arc<dyn Documents>,
    /// What the key of the account is sealed with.
    pub secrets: Arc<dyn Secrets>,
    /// In whose name it is sealed.
    pub owner: TenantName,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Acme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Acme").field("directory", &self.0.options.directory).finish_non_exhaustive()
    }
}

impl Acme {
    /// An authority. Nobody is asked before the first order.
    ///
    /// # Errors
    ///
    /// When a setting cannot be used; says which.
    pub fn new(options: AcmeOptions, binding: Option<AcmeBinding>, parts: AcmeParts) -> Result<Self, String> {
        options.check()?;
        let transport = Transport::new(options.roots.as_deref(), Duration::from_millis(options.timeout_ms))?;
        Ok(Self(Arc::new(Inner { options, binding, transport, parts, account: Mutex::default() })))
    }

    /// What the step of the order is bound to.
    pub fn order_pin() -> Pin {
        effect::native(ACME_PROVIDER, "jackfield:tenant/certificate-order@1.0.0", LASTING, true)
    }

    /// What the step of the certificate is bound to.
    pub fn certificate_pin() -> Pin {
        effect::native(ACME_PROVIDER, "jackfield:tenant/certificate@1.0.0", Verbs { resume: true, ..LASTING }, true)
    }

    fn pending(&self, order: &str, checkpoint: String) -> PendingAnswer {
        let poll = Duration::from_millis(self.0.options.poll_ms);
        let poll_after = transport::asked_pause().unwrap_or(poll).clamp(poll.min(LONGEST_PAUSE), LONGEST_PAUSE);
        let give_up_after = Duration::from_secs(self.0.options.give_up_s);
        PendingAnswer { operation: order.to_owned(), checkpoint, poll_after: Some(poll_after), give_up_after }
    }

    fn seconds(&self) -> u64 {
        self.0.parts.clock.now().0 / 1_000_000
    }

    async fn read<T: DeserializeOwned>(&self, collection: &str, id: &str) -> Result<Option<T>, Failure> {
        let found = self.0.parts.documents.get(collection, id).await.map_err(|error| unreadable(&error))?;
        found.map(|document| body(collection, &document.body)).transpose()
    }

    /// The document with an attribute that only one has.
    async fn find<T: DeserializeOwned>(&self, collection: &'static str, attribute: &str, value: &str) -> Result<Option<(String, T)>, Failure> {
        let equal = vec![(attribute.to_owned(), value.to_owned())];
        let query = DocumentQuery { collection, equal, offset: 0, limit: 1 };
        let page = self.0.parts.documents.find(query).await.map_err(|error| unreadable(&error))?;
        let found = page.documents.into_iter().next();
        found.map(|document| Ok((document.id, body(collection, &document.body)?))).transpose()
    }

    async fn write(
        &self,
        collection: &'static str,
        id: &str,
        row: &(impl Serialize + Sync),
        attribute: Option<(&'static str, String)>,
    ) -> Result<(), Failure> {
        let rank = self.0.parts.clock.now().0;
        let document = Document { collection, id: id.to_owned(), rank, body: json!(row), attributes: attribute.into_iter().collect() };
        self.0.parts.documents.put(vec![document]).await.map_err(|error| unwritten(&error))
    }

    async fn remove(&self, collection: &str, id: &str) -> Result<(), Failure> {
        self.0.parts.documents.remove(collection, id).await.map_err(|error| unremoved(&error))
    }
}
