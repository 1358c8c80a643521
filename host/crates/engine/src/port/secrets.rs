//! Secrets as the host handles them: sealed texts that packs pass on and open for the wire only.

use std::fmt;

use pipeline::{RunId, TenantName};
use zeroize::Zeroizing;

/// Seals texts into handles and opens them. A handle is safe to write down; who opens it keeps the text for no longer than it takes to send it.
pub trait Secrets: fmt::Debug + Send + Sync {
    /// A handle of the host itself: no plugin can open it.
    ///
    /// # Errors
    ///
    /// Where there is no key, or the text is too long.
    fn seal(&self, tenant: &TenantName, text: &str) -> Result<String, SecretsError>;

    /// The text of a handle that the host sealed for this tenant, or any plugin in this run of it. Without a run only the host's own are opened.
    ///
    /// # Errors
    ///
    /// Where there is no key, or the text is no such handle.
    fn open(&self, tenant: &TenantName, run: Option<&RunId>, handle: &str) -> Result<Zeroizing<String>, SecretsError>;
}

/// Why a text was not sealed or a handle not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// The operator set no key.
    #[error("the operator set no key to seal with")]
    NoKey,
    /// The text is too long.
    #[error("a text to seal has {found} bytes, more than the {limit} allowed")]
    TooLong {
        /// How long it is.
        found: usize,
        /// How long it may be.
        limit: usize,
    },
    /// Not a handle, sealed for another tenant or in another run, under another key, or damaged.
    #[error("the text is no handle that can be opened for this run")]
    Unknown,
    /// The system refused.
    #[error("{0}")]
    Unavailable(String),
}
