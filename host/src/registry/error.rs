//! Why the registry did not do what it was asked: what was named is not there, it was refused, or the store is in the way.

use engine::port::{ReadError, registry::ChangeError};

/// Why a command was not carried out. Nothing has changed then, but for [`RegistryError::Unread`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegistryError {
    /// What was named does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// It was understood and refused.
    #[error("{0}")]
    Refused(String),
    /// The store did not answer.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The change is durable and in force; what else is in force could not be read.
    #[error("`{made}` was done and is in force, and what is in force now cannot be shown: {error}")]
    Unread {
        /// What was done.
        made: String,
        /// Why it could not be read.
        error: String,
    },
    /// The store did not take the change.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl RegistryError {
    /// A refusal with the whole chain of its reasons.
    pub(crate) fn refused(error: &anyhow::Error) -> Self {
        Self::Refused(format!("{error:#}"))
    }
}
