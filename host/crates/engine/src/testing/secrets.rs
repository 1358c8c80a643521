//! Secrets in memory: a handle is a number.

use std::sync::{Mutex, PoisonError};

use pipeline::{RunId, TenantName};
use zeroize::Zeroizing;

use crate::port::{Secrets, SecretsError};

/// Secrets that end with the process.
#[derive(Default)]
pub struct MemorySecrets {
    texts: Mutex<Vec<(TenantName, Zeroizing<String>)>>,
}

impl std::fmt::Debug for MemorySecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemorySecrets").finish_non_exhaustive()
    }
}

impl Secrets for MemorySecrets {
    fn seal(&self, tenant: &TenantName, text: &str) -> Result<String, SecretsError> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        texts.push((tenant.clone(), Zeroizing::new(text.to_owned())));
        Ok(format!("jackfield-sealed.{}.", texts.len() - 1))
    }

    fn open(&self, tenant: &TenantName, _: Option<&RunId>, handle: &str) -> Result<Zeroizing<String>, SecretsError> {
        let number = handle.strip_prefix("jackfield-sealed.").and_then(|rest| rest.strip_suffix('.')).and_then(|number| number.parse::<usize>().ok());
        let texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let found = number.and_then(|number| texts.get(number)).filter(|(of, _)| of == tenant);
        found.map(|(_, text)| text.clone()).ok_or(SecretsError::Unknown)
    }
}
