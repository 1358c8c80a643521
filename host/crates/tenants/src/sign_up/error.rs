//! Why a sign-up was not taken.

use std::{borrow::Cow, time::Duration};

use engine::{
    api::{EngineError, StartError},
    port::{ReadError, SecretsError},
};

/// Why a sign-up was not taken. Nothing was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignUpError {
    /// A field is wrong.
    #[error("{place}: {what}: expected {expected}")]
    Invalid {
        /// Which field.
        place: &'static str,
        /// What is wrong with it.
        what: Cow<'static, str>,
        /// What was expected.
        expected: Cow<'static, str>,
    },
    /// Another tenant has the slug, or something of an earlier one is left under it.
    #[error("slug: `{0}` is taken: expected another one")]
    Taken(String),
    /// The plan has as many tenants as it may have.
    #[error("plan: `{plan}` has the {quota} tenants that it may have: expected another plan")]
    Full {
        /// The plan.
        plan: String,
        /// How many it may have.
        quota: u64,
    },
    /// The key was used for another sign-up.
    #[error("Idempotency-Key: it was used for another sign-up, whose digest is {used}, and not {given}: expected the same body or another key")]
    KeyUsed {
        /// The digest of the sign-up that it was used for.
        used: String,
        /// The digest of this one.
        given: String,
    },
    /// There were too many.
    #[error("{what}: expected the next one not before {} s", wait.as_secs().max(1))]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// How long to wait.
        wait: Duration,
    },
    /// Passwords and keys cannot be kept.
    #[error("passwords and keys of tenants cannot be sealed: {0}")]
    Secrets(#[from] SecretsError),
    /// No random numbers, or no signing request.
    #[error("{0}")]
    Material(String),
    /// The run was not started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// What there is could not be looked at.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl SignUpError {
    pub(super) fn invalid(place: &'static str, what: impl Into<Cow<'static, str>>, expected: impl Into<Cow<'static, str>>) -> Self {
        Self::Invalid { place, what: what.into(), expected: expected.into() }
    }
}

impl From<ReadError> for SignUpError {
    fn from(error: ReadError) -> Self {
        Self::Engine(error.into())
    }
}
