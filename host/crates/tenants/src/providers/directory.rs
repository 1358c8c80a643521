//! The directory: which tenants there are, under which names, who administers them and with which certificate. Kept as documents of this host.

mod rows;

use std::sync::Arc;

use async_trait::async_trait;
use engine::port::{Answer, Call, CallReport, Clock, Document, Documents, Observed, Runner};
use pipeline::{Failure, Pin};
use serde_json::Value;
use tokio::sync::Mutex;

pub use self::rows::{Account, Entry, Installed};
use self::rows::{Certificates, SlugRow, read};
use super::{
    effect::{self, Effect, LASTING, done, drifted, ours, rejected, unremoved, unwritten},
    names::{check_id, is_label, shown},
};
use crate::contract::{DIRECTORY, DirectoryReceipt, DirectoryRequest};

/// The name of the provider in bindings.
pub const DIRECTORY_PROVIDER: &str = "directory";

/// The collection of tenants, by id.
pub const DIRECTORY_COLLECTION: &str = "tenant-directory";

/// The collection of slugs that are taken.
pub const SLUG_COLLECTION: &str = "tenant-directory-slug";

/// The collection of administrators' accounts, by the tenant's id.
pub const ACCOUNT_COLLECTION: &str = "tenant-directory-account";

/// The collection of installed certificates, by the tenant's id.
pub const CERTIFICATE_COLLECTION: &str = "tenant-directory-certificate";

/// The provider of the contract [`DIRECTORY`]. One process has one of it: what it changes is changed by one call at a time.
#[derive(Debug, Clone)]
pub struct Directory {
    documents: Arc<dyn Documents>,
    clock: Arc<dyn Clock>,
    alone: Arc<Mutex<()>>,
}

impl Directory {
    /// A directory in these documents.
    pub fn new(documents: Arc<dyn Documents>, clock: Arc<dyn Clock>) -> Self {
        Self { documents, clock, alone: Arc::default() }
    }

    /// What the steps of the directory are bound to.
    pub fn pin() -> Pin {
        effect::native(DIRECTORY_PROVIDER, DIRECTORY, LASTING, true)
    }

    /// A tenant.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn entry(&self, id: &str) -> Result<Option<Entry>, Failure> {
        read(&*self.documents, DIRECTORY_COLLECTION, id).await
    }

    /// The id of the tenant that has a slug.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn id_of(&self, slug: &str) -> Result<Option<String>, Failure> {
        Ok(read::<SlugRow>(&*self.documents, SLUG_COLLECTION, slug).await?.map(|row| row.id))
    }

    /// A tenant's account.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn account(&self, id: &str) -> Result<Option<Account>, Failure> {
        read(&*self.documents, ACCOUNT_COLLECTION, id).await
    }

    /// A tenant's certificate, if one is installed.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn certificate(&self, id: &str) -> Result<Option<Installed>, Failure> {
        Ok(self.certificates(id).await?.map(|both| both.current))
    }

    /// Gives an account another sealed password.
    ///
    /// # Errors
    ///
    /// Where there is no such account, or the store does not answer.
    pub async fn set_password(&self, id: &str, password: String) -> Result<(), Failure> {
        let _alone = self.alone.lock().await;
        let account = self.account(id).await?.ok_or_else(|| unknown(id))?;
        self.put(vec![Account { password, ..account }.document(id, self.now())]).await
    }

    fn now(&self) -> u64 {
        self.clock.now().0
    }

    async fn put(&self, documents: Vec<Document>) -> Result<(), Failure> {
        self.documents.put(documents).await.map_err(|error| unwritten(&error))
    }

    async fn remove(&self, collection: &str, id: &str) -> Result<(), Failure> {
        self.documents.remove(collection, id).await.map_err(|error| unremoved(&error))
    }

    async fn certificates(&self, id: &str) -> Result<Option<Certificates>, Failure> {
        read(&*self.documents, CERTIFICATE_COLLECTION, id).await
    }

    async fn known(&self, id: &str) -> Result<Entry, Failure> {
        check_id(id)?;
        self.entry(id).await?.ok_or_else(|| unknown(id))
    }

    async fn create(&self, wanted: Entry) -> Result<(), Failure> {
        check_id(&wanted.id)?;
        if !is_label(&wanted.slug) {
            return Err(rejected("bad_slug", format!("`{}` is no label of DNS", shown(&wanted.slug))));
        }
        let entry = self.entry(&wanted.id).await?;
        if entry.as_ref().is_some_and(|entry| !entry.is_as(&wanted)) {
            return Err(rejected("id_taken", format!("{} is another tenant already", wanted.id)));
        }
        match self.id_of(&wanted.slug).await? {
            Some(other) if other != wanted.id => Err(rejected("slug_taken", format!("the slug `{}` belongs to another tenant", wanted.slug))),
            Some(_) if entry.is_some() => Ok(()),
            Some(_) | None => {
                let (now, slug) = (self.now(), SlugRow { id: wanted.id.clone() });
                self.put(vec![entry.as_ref().unwrap_or(&wanted).document(now), slug.document(&wanted.slug, now)]).await
            }
        }
    }

    /// Removes the tenant with all that is kept about it. The slug goes first: it is found by the tenant.
    async fn forget(&self, id: &str) -> Result<(), Failure> {
        if let Some(entry) = self.entry(id).await?
            && self.id_of(&entry.slug).await?.is_some_and(|holder| holder == id)
        {
            self.remove(SLUG_COLLECTION, &entry.slug).await?;
        }
        for collection in [CERTIFICATE_COLLECTION, ACCOUNT_COLLECTION, DIRECTORY_COLLECTION] {
            self.remove(collection, id).await?;
        }
        Ok(())
    }

    async fn set_active(&self, entry: Entry, active: bool) -> Result<(), Failure> {
        if entry.active == active {
            return Ok(());
        }
        let rank = entry.created;
        self.put(vec![Entry { active, ..entry }.document(rank)]).await
    }

    /// An account that is there keeps its password, which may be another by now.
    async fn make_account(&self, id: &str, email: String, password: String) -> Result<(), Failure> {
        self.known(id).await?;
        match self.account(id).await? {
            Some(account) if account.email == email => Ok(()),
            Some(_) | None => self.put(vec![Account { email, password }.document(id, self.now())]).await,
        }
    }

    /// The certificate before stays at hand until this one is replaced, so that it can be taken back.
    async fn install(&self, id: &str, installed: Installed) -> Result<(), Failure> {
        self.known(id).await?;
        let current = self.certificates(id).await?.map(|both| both.current);
        if current.as_ref() == Some(&installed) {
            return Ok(());
        }
        let previous = current.filter(|current| current.certificate.serial != installed.certificate.serial);
        self.put(vec![Certificates { current: installed, previous }.document(id, self.now())]).await
    }

    async fn uninstall(&self, id: &str, serial: Option<&str>) -> Result<(), Failure> {
        let Some(both) = self.certificates(id).await? else { return Ok(()) };
        let is = |installed: &Installed| serial.is_none_or(|serial| installed.certificate.serial == serial);
        match both {
            Certificates { current, previous: Some(previous) } if is(&current) => {
                self.put(vec![Certificates { current: previous, previous: None }.document(id, self.now())]).await
            }
            Certificates { current, previous: None } if is(&current) => self.remove(CERTIFICATE_COLLECTION, id).await,
            Certificates { current, previous: Some(previous) } if is(&previous) => {
                self.put(vec![Certificates { current, previous: None }.document(id, self.now())]).await
            }
            Certificates { .. } => Ok(()),
        }
    }
}

#[async_trait]
impl Runner for Directory {
    async fn call(&self, call: Call) -> CallReport {
        effect::run(self, &call).await
    }
}

#[async_trait]
impl Effect for Directory {
    type Request = DirectoryRequest;
    type Receipt = DirectoryReceipt;

    async fn apply(&self, _: &Call, request: DirectoryRequest) -> Result<Answer, Failure> {
        let _alone = self.alone.lock().await;
        let receipt = receipt(&request);
        match request {
            DirectoryRequest::Create { tenant, name, domain } => self.create(Entry::new(tenant, name, domain, self.now())).await?,
            DirectoryRequest::Account { id, email, password } => self.make_account(&id, email, password).await?,
            DirectoryRequest::Activate { id } => {
                let entry = self.known(&id).await?;
                self.set_active(entry, true).await?;
            }
            DirectoryRequest::Certificate { id, certificate, key } => self.install(&id, Installed { certificate, key }).await?,
        }
        Ok(done(&receipt))
    }

    async fn observe(&self, _: &Call, request: DirectoryRequest) -> Result<Observed, Failure> {
        let receipt = receipt(&request);
        let same = match request {
            DirectoryRequest::Create { tenant, name, domain } => {
                let wanted = Entry::new(tenant, name, domain, 0);
                match (self.entry(&wanted.id).await?, self.id_of(&wanted.slug).await?) {
                    (_, Some(holder)) if holder != wanted.id => return Ok(Observed::Foreign(holder)),
                    (Some(entry), slug) => Some(entry.is_as(&wanted) && slug.is_some()),
                    (None, _) => None,
                }
            }
            DirectoryRequest::Account { id, email, .. } => self.account(&id).await?.map(|account| account.email == email),
            DirectoryRequest::Activate { id } => self.entry(&id).await?.filter(|entry| entry.active).map(|_| true),
            DirectoryRequest::Certificate { id, certificate, key } => {
                self.certificate(&id).await?.map(|current| current == Installed { certificate, key })
            }
        };
        Ok(match same {
            None => Observed::Absent,
            Some(true) => ours(&receipt),
            Some(false) => drifted(&receipt),
        })
    }

    async fn undo(&self, _: &Call, receipt: DirectoryReceipt) -> Result<(), Failure> {
        let _alone = self.alone.lock().await;
        let id = &receipt.id;
        match receipt.operation.as_str() {
            "create" => self.forget(id).await,
            "account" => self.remove(ACCOUNT_COLLECTION, id).await,
            "activate" => match self.entry(id).await? {
                Some(entry) => self.set_active(entry, false).await,
                None => Ok(()),
            },
            "certificate" => self.uninstall(id, receipt.serial.as_deref()).await,
            other => Err(effect::held("plugin.contract", format!("the directory knows no operation `{}`", shown(other)))),
        }
    }
}

fn receipt(request: &DirectoryRequest) -> DirectoryReceipt {
    let (operation, id, serial) = match request {
        DirectoryRequest::Create { tenant, .. } => ("create", &tenant.id, None),
        DirectoryRequest::Account { id, .. } => ("account", id, None),
        DirectoryRequest::Activate { id } => ("activate", id, None),
        DirectoryRequest::Certificate { id, certificate, .. } => ("certificate", id, Some(certificate.serial.clone())),
    };
    DirectoryReceipt { operation: operation.to_owned(), id: id.clone(), serial }
}

fn unknown(id: &str) -> Failure {
    rejected("unknown_tenant", format!("there is no tenant `{}`", shown(id)))
}

/// The value of a document.
fn document(collection: &'static str, id: &str, rank: u64, body: Value, attributes: Vec<(&'static str, String)>) -> Document {
    Document { collection, id: id.to_owned(), rank, body, attributes }
}

#[cfg(test)]
mod tests;
