//! What this crate must be told about tenants.

use async_trait::async_trait;
use pipeline::RunId;

/// A tenant and how the host reaches its database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The tenant's id.
    pub tenant: String,
    /// The password of its role, sealed by the host.
    pub password: String,
}

/// Which tenant a run is about: the database of no other may be reached from it.
#[async_trait]
pub trait TenantOf: std::fmt::Debug + Send + Sync {
    /// The tenant of a run; `None` when the run is about none.
    ///
    /// # Errors
    ///
    /// A sentence, when it cannot be looked up now.
    async fn tenant_of(&self, run: &RunId) -> Result<Option<Account>, String>;
}
