//! The key-value store of plugins: read here, written only together with the outcome of the call that wrote.

use std::fmt;

use async_trait::async_trait;

use super::journal::ReadError;

/// Reads committed keys. Each plugin has its own namespace.
#[async_trait]
pub trait KeyValue: fmt::Debug + Send + Sync {
    /// The value of a key.
    async fn get(&self, namespace: &str, key: &str) -> Result<Option<Versioned>, ReadError>;

    /// Keys that begin with `prefix`, in byte order, after a key; at most `limit`.
    async fn list(&self, namespace: &str, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<String>, ReadError>;
}

/// A value with the number of its version, from 1; a deleted and re-created key goes on counting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The value.
    pub value: String,
    /// The version.
    pub version: u64,
}
