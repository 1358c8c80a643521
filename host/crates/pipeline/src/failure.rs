//! Failures that enter the journal: data that say what to do next, never a string to be parsed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a failure asks of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureClass {
    /// The request was refused and nothing was left behind; repeating it is pointless.
    Rejected,
    /// Nothing was left behind and a later attempt may succeed.
    Unavailable,
    /// Something may have been done: ask before acting.
    Unknown,
    /// A person must look: no automatic way on exists.
    Held,
}

/// Why an attempt or a step did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What to do next.
    pub class: FailureClass,
    /// The value of `error.type`: a code declared by the plugin or one of the host's closed list.
    pub error_type: String,
    /// One sentence for a person.
    pub message: String,
    /// How long the provider asked to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure without a wish about the time of the next attempt.
    pub fn new(class: FailureClass, error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self { class, error_type: error_type.into(), message: message.into(), retry_after_ms: None }
    }

    /// How long the provider asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after_ms.map(Duration::from_millis)
    }
}
