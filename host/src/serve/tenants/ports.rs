//! What the pack of tenants needs of the host.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use engine::{api::Engine, port::Documents};
use pipeline::RunId;
use store_sqlite::Store;
use tenant_database::{Account, TenantOf};
use tenants::{
    Credential, Credentials, TENANT_COLLECTION, TenantInput,
    api::{Accounts, Audit, Zones},
    providers::{Directory, LocalZone},
};

use crate::registry::Registry;

/// The audit trail of the host.
#[derive(Debug)]
pub(super) struct AuditTrail(pub(super) Arc<Registry>);

#[async_trait]
impl Audit for AuditTrail {
    async fn write(&self, by: &str, action: &str, subject: &str) -> Result<(), String> {
        self.0.note(by, action, subject).await.map_err(|error| format!("the audit trail cannot be written: {error}"))
    }
}

/// The administrators' accounts in the directory.
#[derive(Debug)]
pub(super) struct DirectoryAccounts(pub(super) Directory);

#[async_trait]
impl Accounts for DirectoryAccounts {
    async fn set_admin(&self, id: &str, sealed: &str) -> Result<(), String> {
        self.0.set_password(id, sealed.to_owned()).await.map_err(|failure| failure.message)
    }
}

/// The zone that the host keeps itself.
#[derive(Debug)]
pub(super) struct LocalZones(pub(super) LocalZone);

#[async_trait]
impl Zones for LocalZones {
    async fn file(&self, zone: &str) -> Result<String, String> {
        self.0.zone_file(zone).await.map_err(|failure| failure.message)
    }
}

/// Which tenant a run is about, from the run itself. It is asked by plugins that are called in runs, so the engine is there.
#[derive(Debug)]
pub(super) struct RunsTenant {
    store: Arc<Store>,
    engine: OnceLock<(Arc<dyn Engine>, Arc<Credentials>)>,
}

impl RunsTenant {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self { store, engine: OnceLock::new() }
    }

    /// Tells it the engine. Before, it knows no run.
    pub(super) fn connect(&self, engine: Arc<dyn Engine>, credentials: Arc<Credentials>) {
        let _connected_before = self.engine.set((engine, credentials));
    }

    /// What a tenant was signed up with, by the input of any of its runs.
    async fn signed_up(&self, engine: &dyn Engine, run: &RunId) -> Result<Option<TenantInput>, String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let Some(view) = engine.query(run).await.map_err(|error| text(&error))? else { return Ok(None) };
        if let Ok(input) = serde_json::from_value(view.run.input().clone()) {
            return Ok(Some(input));
        }
        // A repair has less than the sign-up that it repairs.
        let Some(id) = view.run.input()["id"].as_str() else { return Ok(None) };
        let Some(tenant) = self.store.get(TENANT_COLLECTION, id).await.map_err(|error| text(&error))? else { return Ok(None) };
        let Ok(first) = RunId::new(tenant.body["run"].as_str().unwrap_or_default()) else { return Ok(None) };
        let view = engine.query(&first).await.map_err(|error| text(&error))?;
        Ok(view.and_then(|view| serde_json::from_value(view.run.input().clone()).ok()))
    }
}

#[async_trait]
impl TenantOf for RunsTenant {
    async fn tenant_of(&self, run: &RunId) -> Result<Option<Account>, String> {
        let (engine, credentials) = self.engine.get().ok_or("the engine is being opened")?;
        let Some(input) = self.signed_up(&**engine, run).await? else { return Ok(None) };
        let password = credentials.current(&input, Credential::Database).await.map_err(|error| error.to_string())?;
        Ok(Some(Account { tenant: input.id, password }))
    }
}
