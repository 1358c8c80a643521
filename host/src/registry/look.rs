//! What the registry shows: plugins with their standing, bindings with their history, the audit trail.

use std::collections::BTreeSet;

use async_trait::async_trait;
use engine::port::registry::{AuditEntry, Deed, InstalledPlugin, Registry as _, RegistryState};
use pipeline::{Digest, Provider};
use plugin_runtime::BreakerState;
use serde_json::{Value, json};

use super::{Registry, RegistryError, edit};
use crate::config::shown;

impl Registry {
    /// Every installed plugin with where it stands.
    pub(crate) async fn list(&self) -> Result<Value, RegistryError> {
        let state = self.store.state().await?;
        let plugins: Vec<Value> = state.plugins.iter().map(|plugin| self.standing(&state, plugin)).collect();
        let rollouts = state.rollouts.iter().map(|(name, rollout)| {
            let (canary, baseline) = self.seen(rollout);
            let standing = json!({"rollout": rollout, "canary": canary, "baseline": baseline});
            (name.clone(), standing)
        });
        let rollouts: serde_json::Map<String, Value> = rollouts.collect();
        Ok(json!({
            "plugins": plugins,
            "canaries": rollouts,
            "quarantine": state.quarantine,
            "number": state.number,
            "endpoints": self.runtime.endpoints(),
        }))
    }

    fn standing(&self, state: &RegistryState, plugin: &InstalledPlugin) -> Value {
        let (revision, table) = self.driver.current();
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
        shown["health"] = json!(self.shelf.health(&revision, &plugin.digest));
        shown
    }

    /// The plugins that the current table names and how many endpoints are left alone, for people who look at the host.
    pub(crate) fn in_service(&self) -> (Vec<Value>, usize) {
        let (revision, table) = self.driver.current();
        let pins = table.rules.iter().flat_map(|rule| &rule.choices).map(|choice| &choice.pin.provider);
        let named: BTreeSet<(&str, &str, &Digest)> = pins
            .filter_map(|provider| match provider {
                Provider::Plugin { name, version, digest } => Some((name.as_str(), version.as_str(), digest)),
                Provider::Native { .. } => None,
            })
            .collect();
        // Whoever reads this need not be known: how much is done is not told.
        let plugins = named.into_iter().map(|(name, version, digest)| {
            let breaker = self.shelf.health(&revision, digest).map(|health| health.breaker);
            json!({"name": name, "version": version, "digest": digest, "breaker": breaker})
        });
        let left_alone = self.runtime.endpoints().into_iter().filter(|endpoint| endpoint.breaker != BreakerState::Closed).count();
        (plugins.collect(), left_alone)
    }

    /// The current bindings, and the revisions before them.
    pub(crate) async fn bindings(&self, revisions: usize) -> Result<Value, RegistryError> {
        let state = self.store.state().await?;
        let (revision, table) = self.driver.current();
        let grants: serde_json::Map<String, Value> = table.plugins.iter().map(|(digest, bound)| (digest.to_string(), shown(&bound.grant))).collect();
        let history = self.store.revisions(revisions).await?;
        let mut bindings = self.described(&state, &table);
        bindings["revision"] = json!(revision);
        bindings["grants"] = Value::Object(grants);
        bindings["history"] = json!(history);
        Ok(bindings)
    }

    /// Keeps an audit entry of something that changed nothing here.
    pub(crate) async fn keep(&self, deed: Deed) -> Result<(), RegistryError> {
        let _turn = self.changing.lock().await;
        let state = self.state().await?;
        self.commit(self.begin(&state, deed), None).await.map(drop)
    }

    /// Audit entries after a number; without one the last ones.
    pub(crate) async fn audit(&self, after: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>, RegistryError> {
        let after = match after {
            Some(after) => after,
            None => self.store.state().await?.number.saturating_sub(limit as u64),
        };
        Ok(self.store.audit(after, limit).await?)
    }
}

/// What is done with devices stands in the same trail.
#[async_trait]
impl cpe::api::Trail for Registry {
    async fn tell(&self, deed: Deed) -> Result<(), String> {
        self.keep(deed).await.map_err(|error| error.to_string())
    }
}
