//! The secrets port: what the host itself seals, and what it opens for the wire.

use engine::port::{Secrets, SecretsError};
use pipeline::{RunId, TenantName};
use zeroize::Zeroizing;

use super::seal::{MAX_SEALED, NotSealed, Scope, SealKey};

/// Seals for the host, opens what the host or any plugin sealed.
#[derive(Debug, Clone)]
pub struct HostSecrets(Option<SealKey>);

impl HostSecrets {
    /// With the key that plugins seal with, if there is one.
    pub fn new(key: Option<SealKey>) -> Self {
        Self(key)
    }

    fn key(&self) -> Result<&SealKey, SecretsError> {
        self.0.as_ref().ok_or(SecretsError::NoKey)
    }
}

impl Secrets for HostSecrets {
    fn seal(&self, tenant: &TenantName, text: &str) -> Result<String, SecretsError> {
        self.key()?.seal(&Scope::host(tenant.as_str()), text).map_err(|not_sealed| match not_sealed {
            NotSealed::TooLong { found } => SecretsError::TooLong { found, limit: MAX_SEALED },
            NotSealed::NoRandomness(_) => SecretsError::Unavailable(not_sealed.to_string()),
        })
    }

    fn open(&self, tenant: &TenantName, run: Option<&RunId>, handle: &str) -> Result<Zeroizing<String>, SecretsError> {
        let scope = |owner: &str| match owner {
            "" => Some(Scope::host(tenant.as_str())),
            plugin => run.map(|run| Scope::run(plugin, tenant.as_str(), run.as_str())),
        };
        let opened = self.key()?.open(handle, scope).ok_or(SecretsError::Unknown)?;
        Ok(Zeroizing::new(opened.reveal().to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::{
        super::{
            handles::{CallSecrets, Caller, Secrets as Granted},
            seal::SEALED,
        },
        *,
    };

    fn key() -> Option<SealKey> {
        Some(SealKey::parse(&"07".repeat(32)).unwrap())
    }

    fn tenant(name: &str) -> TenantName {
        TenantName::new(name).unwrap()
    }

    fn run() -> RunId {
        pipeline::testing::run_id(1)
    }

    fn call(plugin: &str) -> CallSecrets {
        let caller = Caller { plugin: plugin.into(), tenant: "default".into(), run: run().to_string() };
        CallSecrets::new(Arc::new(Granted::new(BTreeMap::new(), &BTreeMap::new(), key(), true)), caller)
    }

    #[test]
    fn the_host_opens_its_own_and_those_of_every_plugin_of_the_tenant_and_no_plugin_opens_the_host_s() {
        let host = HostSecrets::new(key());
        let own = host.seal(&tenant("default"), "wifi-key-1").unwrap();
        let plugins = ["bss-profile", "inventory-pool"].map(|plugin| call(plugin).seal("wifi-key-1").unwrap());
        for handle in [&own].into_iter().chain(&plugins) {
            assert_eq!(host.open(&tenant("default"), Some(&run()), handle).unwrap().as_str(), "wifi-key-1");
            assert_eq!(host.open(&tenant("acme"), Some(&run()), handle), Err(SecretsError::Unknown), "another tenant's");
            assert!(!handle.contains("wifi"));
        }
        for handle in &plugins {
            assert_eq!(host.open(&tenant("default"), Some(&pipeline::testing::run_id(2)), handle), Err(SecretsError::Unknown), "another run's");
            assert_eq!(host.open(&tenant("default"), None, handle), Err(SecretsError::Unknown), "in no run");
        }
        assert!(call("bss-profile").reveal(&own).is_err());
        assert!(call("inventory-pool").reveal(&plugins[0]).is_err() && call("inventory-pool").reveal(&plugins[1]).is_ok());
        assert_ne!(own, host.seal(&tenant("default"), "wifi-key-1").unwrap(), "equal texts cannot be told by their handles");
    }

    #[test]
    fn whatever_is_no_handle_is_refused() {
        let host = HostSecrets::new(key());
        let own = host.seal(&tenant("default"), "x").unwrap();
        let damaged = own.replace(&own[SEALED.len() + 8..SEALED.len() + 10], "zz");
        for text in ["", "x", SEALED, "jackfield-sealed..", "jackfield-sealed.AA.", "jackfield-sealed.Av8.", &damaged, &"a".repeat(1 << 20)] {
            assert_eq!(host.open(&tenant("default"), Some(&run()), text), Err(SecretsError::Unknown), "{text:.40}");
        }
        let long = "x".repeat(MAX_SEALED + 1);
        assert_eq!(host.seal(&tenant("default"), &long), Err(SecretsError::TooLong { found: MAX_SEALED + 1, limit: MAX_SEALED }));
        let longest = host.seal(&tenant("default"), &long[1..]).unwrap();
        assert_eq!(host.open(&tenant("default"), Some(&run()), &longest).unwrap().len(), MAX_SEALED);
        let keyless = HostSecrets::new(None);
        assert_eq!(
            (keyless.seal(&tenant("default"), "x"), keyless.open(&tenant("default"), Some(&run()), &own)),
            (Err(SecretsError::NoKey), Err(SecretsError::NoKey))
        );
    }
}
