//! What the registry shows: plugins with their standing, bindings with their history, the audit trail.

use engine::port::registry::{AuditEntry, InstalledPlugin, Registry as _, RegistryState};
use serde_json::{Value, json};

use super::{Registry, RegistryError, edit};

impl Registry {
    /// Every installed plugin with where it stands.
    pub(crate) async fn list(&self) -> Result<Value, RegistryError> {
        let state = self.state().await?;
        let plugins: Vec<Value> = state.plugins.iter().map(|plugin| self.standing(&state, plugin)).collect();
        let rollouts = state.rollouts.iter().map(|(name, rollout)| {
            let (canary, baseline) = self.seen(rollout);
            let standing = json!({"rollout": rollout, "canary": canary, "baseline": baseline});
            (name.clone(), standing)
        });
        let rollouts: serde_json::Map<String, Value> = rollouts.collect();
        Ok(json!({"plugins": plugins, "canaries": rollouts, "quarantine": state.quarantine, "number": state.number}))
    }

    fn standing(&self, state: &RegistryState, plugin: &InstalledPlugin) -> Value {
        let (_, table) = self.driver.current();
        let contracts = edit::contracts_of(&table, &plugin.digest);
        let standing = if state.quarantine.contains_key(&plugin.digest) {
            "quarantined"
        } else if state.rollouts.values().any(|rollout| rollout.canary == plugin.digest) {
            "canary"
        } else if contracts.is_empty() {
            "installed"
        } else {
            "active"
        };
        let (running, waiting) = self.runtime.load_of(&plugin.digest);
        let mut shown = json!(plugin);
        (shown["running"], shown["waiting"]) = (json!(running), json!(waiting));
        shown["standing"] = json!(standing);
        shown["bound_to"] = json!(contracts);
        shown
    }

    /// The current bindings, and the revisions before them.
    pub(crate) async fn bindings(&self, revisions: usize) -> Result<Value, RegistryError> {
        let state = self.state().await?;
        let (revision, table) = self.driver.current();
        let grants: serde_json::Map<String, Value> = table.plugins.iter().map(|(digest, bound)| (digest.to_string(), bound.grant.clone())).collect();
        let history = self.store.revisions(revisions).await?;
        let mut shown = self.described(&state, &table);
        shown["revision"] = json!(revision);
        // Secrets are references in a grant.
        shown["grants"] = Value::Object(grants);
        shown["history"] = json!(history);
        Ok(shown)
    }

    /// Audit entries after a number; without one the last ones.
    pub(crate) async fn audit(&self, after: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>, RegistryError> {
        let after = match after {
            Some(after) => after,
            None => self.state().await?.number.saturating_sub(limit as u64),
        };
        Ok(self.store.audit(after, limit).await?)
    }
}
