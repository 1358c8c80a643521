//! Passwords of tenants: read once, with an entry in the audit trail, and rotated. What is kept is sealed.

use std::sync::Arc;

use engine::{
    api::{Engine, EngineError, Start, StartError},
    port::{Clock, Document, DocumentError, Documents, ReadError, Secrets, SecretsError},
};
use pipeline::{Outcome, PipelineName, RunId, TenantName};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use zeroize::Zeroizing;

use crate::{
    api::{Accounts, Audit},
    input::{RepairInput, RepairItem, TenantInput},
    projection::TENANT_COLLECTION,
    repair_pipeline::REPAIR_PIPELINE,
    sign_up::password,
    tenant_pipeline::DATABASE,
};

/// The collection of what became of passwords; the ids are tenant and password, as `t-1.admin`.
const COLLECTION: &str = "tenant-credential";

/// Which password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// That of the role of the tenant's database.
    Database,
    /// That of its administrator.
    Admin,
}

impl Credential {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Admin => "admin",
        }
    }
}

/// What became of a password since the sign-up.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Kept {
    /// The password, sealed; without one it is that of the sign-up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    handle: Option<String>,
    /// The password before, which is good until the run is done that brings the new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    /// The run that brings it where it is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<String>,
    /// Whether somebody has read it.
    #[serde(default)]
    read: bool,
}

/// Why a password is not given out or changed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Somebody has read it.
    #[error("the password was read before, and is shown once only: expected a rotation first")]
    Read,
    /// The new one is on its way.
    #[error("the password is being changed by run {0}: try again when that is over")]
    Rotating(String),
    /// The new one did not arrive: the one before is good.
    #[error("the password was not changed: run {0} failed; rotate it again")]
    NotRotated(String),
    /// There is no tenant that could use it.
    #[error("the tenant is not active")]
    NotReady,
    /// Something that is needed does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// It cannot be sealed or opened.
    #[error(transparent)]
    Secrets(#[from] SecretsError),
    /// The run that brings it was not started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The run cannot be looked at.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What became of it cannot be written.
    #[error(transparent)]
    Documents(#[from] DocumentError),
    /// What is kept cannot be understood.
    #[error("{0}")]
    Internal(String),
}

impl From<ReadError> for CredentialError {
    fn from(error: ReadError) -> Self {
        Self::Engine(error.into())
    }
}

/// Gives passwords out and changes them.
#[derive(Debug)]
pub struct Credentials {
    engine: Arc<dyn Engine>,
    documents: Arc<dyn Documents>,
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    audit: Arc<dyn Audit>,
    accounts: Arc<dyn Accounts>,
    service: TenantName,
    /// One at a time: what two read at once, both would have read.
    turn: Mutex<()>,
}

/// What passwords are kept with.
#[derive(Debug, Clone)]
pub struct CredentialParts {
    /// Starts and shows runs.
    pub engine: Arc<dyn Engine>,
    /// What is known of tenants.
    pub documents: Arc<dyn Documents>,
    /// Opens and seals passwords.
    pub secrets: Arc<dyn Secrets>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Writes down who read a password.
    pub audit: Arc<dyn Audit>,
    /// Changes passwords where they are used.
    pub accounts: Arc<dyn Accounts>,
    /// Whose runs these are.
    pub service: TenantName,
}

impl Credentials {
    /// Passwords over these parts.
    pub fn new(parts: CredentialParts) -> Self {
        let CredentialParts { engine, documents, secrets, clock, audit, accounts, service } = parts;
        Self { engine, documents, secrets, clock, audit, accounts, service, turn: Mutex::default() }
    }

    /// A password, once. The audit trail tells of it before it is given out.
    ///
    /// # Errors
    ///
    /// [`CredentialError`].
    pub async fn read(&self, id: &str, which: Credential, by: &str) -> Result<Zeroizing<String>, CredentialError> {
        let _turn = self.turn.lock().await;
        let input = self.input(id).await?;
        let kept = self.kept(id, which).await?;
        if kept.read {
            return Err(CredentialError::Read);
        }
        let password = self.secrets.open(&self.service, None, &self.good(&kept, &input, which).await?)?;
        let subject = format!("{which} of {id}", which = which.as_str());
        self.audit.write(by, "tenant-credentials", &subject).await.map_err(CredentialError::Unavailable)?;
        self.keep(id, which, &Kept { read: true, ..kept }).await?;
        Ok(password)
    }

    /// Another password, which can be read once. That of a database is brought there by a run, which is returned.
    ///
    /// # Errors
    ///
    /// [`CredentialError`]; the one before stays good.
    pub async fn rotate(&self, id: &str, which: Credential, by: &str) -> Result<Option<RunId>, CredentialError> {
        let _turn = self.turn.lock().await;
        let input = self.input(id).await?;
        let kept = self.kept(id, which).await?;
        let previous = match self.good(&kept, &input, which).await {
            Err(CredentialError::NotRotated(_)) => kept.previous.clone().unwrap_or_else(|| first(&input, which)),
            good => good?,
        };
        let handle = self.secrets.seal(&self.service, &password().map_err(|error| CredentialError::Unavailable(error.to_string()))?)?;
        let subject = format!("{which} of {id}", which = which.as_str());
        self.audit.write(by, "tenant-credentials-rotate", &subject).await.map_err(CredentialError::Unavailable)?;
        let run = match which {
            Credential::Admin => {
                self.accounts.set_admin(id, &handle).await.map_err(CredentialError::Unavailable)?;
                None
            }
            Credential::Database => Some(self.bring(&input, &handle).await?),
        };
        let kept = Kept { handle: Some(handle), previous: Some(previous), run: run.as_ref().map(ToString::to_string), read: false };
        self.keep(id, which, &kept).await?;
        Ok(run)
    }

    /// The password that is good now, sealed: for whoever connects to the database of a tenant.
    ///
    /// # Errors
    ///
    /// [`CredentialError`].
    pub async fn current(&self, input: &TenantInput, which: Credential) -> Result<String, CredentialError> {
        let kept = self.kept(&input.id, which).await?;
        match self.good(&kept, input, which).await {
            Err(CredentialError::Rotating(_) | CredentialError::NotRotated(_)) => Ok(kept.previous.unwrap_or_else(|| first(input, which))),
            good => good,
        }
    }

    /// The sealed password that is in use.
    async fn good(&self, kept: &Kept, input: &TenantInput, which: Credential) -> Result<String, CredentialError> {
        let Some(handle) = kept.handle.clone() else { return Ok(first(input, which)) };
        let Some(text) = &kept.run else { return Ok(handle) };
        let run = RunId::new(text).map_err(|error| CredentialError::Internal(error.to_string()))?;
        match self.engine.query(&run).await?.and_then(|view| view.run.outcome().cloned()) {
            None => Err(CredentialError::Rotating(text.clone())),
            Some(Outcome::Completed) => Ok(handle),
            Some(Outcome::Failed { .. } | Outcome::Cancelled) => Err(CredentialError::NotRotated(text.clone())),
        }
    }

    /// Starts the run that brings a password to the tenant's database.
    async fn bring(&self, input: &TenantInput, handle: &str) -> Result<RunId, CredentialError> {
        let TenantInput { id, slug, plan, region, .. } = input.clone();
        let item = RepairItem { step: DATABASE.to_owned(), label: String::new(), request: json!({ "tenant": id, "password": handle }) };
        let start = Start {
            tenant: self.service.clone(),
            pipeline: PipelineName::new(REPAIR_PIPELINE).expect("the pipeline's name is a valid name"),
            input: json!(RepairInput { id, slug, plan, region, items: vec![item] }),
            idempotency_key: None,
            trace: None,
        };
        Ok(self.engine.start(start).await?.run)
    }

    /// What an active tenant was signed up with.
    async fn input(&self, id: &str) -> Result<TenantInput, CredentialError> {
        let tenant = self.documents.get(TENANT_COLLECTION, id).await?.ok_or(CredentialError::NotReady)?.body;
        if tenant["active"] != true {
            return Err(CredentialError::NotReady);
        }
        let damaged = |what: &dyn std::fmt::Display| CredentialError::Internal(format!("the sign-up of tenant {id} cannot be read: {what}"));
        let run = RunId::new(tenant["run"].as_str().unwrap_or_default()).map_err(|error| damaged(&error))?;
        let view = self.engine.query(&run).await?.ok_or_else(|| damaged(&"its run is not known"))?;
        serde_json::from_value(view.run.input().clone()).map_err(|error| damaged(&error))
    }

    async fn kept(&self, id: &str, which: Credential) -> Result<Kept, CredentialError> {
        let found = self.documents.get(COLLECTION, &key(id, which)).await?;
        let body = found.map_or_else(|| json!({}), |document| document.body);
        serde_json::from_value(body).map_err(|error| CredentialError::Internal(format!("what became of the password cannot be read: {error}")))
    }

    async fn keep(&self, id: &str, which: Credential, kept: &Kept) -> Result<(), CredentialError> {
        let (body, rank): (Value, _) = (json!(kept), self.clock.now().0);
        let attributes = vec![("tenant", id.to_owned())];
        Ok(self.documents.put(vec![Document { collection: COLLECTION, id: key(id, which), rank, body, attributes }]).await?)
    }
}

fn key(id: &str, which: Credential) -> String {
    format!("{id}.{}", which.as_str())
}

/// The password of the sign-up, sealed.
fn first(input: &TenantInput, which: Credential) -> String {
    match which {
        Credential::Database => input.sealed.database.clone(),
        Credential::Admin => input.sealed.admin.clone(),
    }
}
