//! A WIT interface that the host offers to plugins, without the runtime knowing it.

use std::fmt;

use async_trait::async_trait;
use pipeline::{IdempotencyKey, RunId, TenantName};
use serde_json::Value;

use super::call::SpanContext;

/// Lets a pack offer plugins a new interface. The runtime builds the linkage from the WIT text and converts values to and from JSON.
#[async_trait]
pub trait HostInterface: fmt::Debug + Send + Sync {
    /// The interface with its version: `jackfield:cpe/session@1.0.0`.
    fn name(&self) -> &str;

    /// The WIT package that declares the interface, complete in itself.
    fn wit(&self) -> &str;

    /// One call by a plugin. `arguments` are the parameters in order, in JSON form; the answer is the result in JSON form, `null` where there is none.
    async fn call(&self, scope: &CallScope, function: &str, arguments: Vec<Value>) -> Result<Value, HostInterfaceError>;
}

/// Who calls: what a host interface may know about the plugin call it serves.
#[derive(Debug, Clone)]
pub struct CallScope {
    /// The plugin's name.
    pub plugin: String,
    /// The contract that is called: `jackfield:tenant/seed@1.0.0`.
    pub contract: String,
    /// Whose run it is.
    pub tenant: TenantName,
    /// The run.
    pub run: RunId,
    /// The key of the effect.
    pub key: IdempotencyKey,
    /// The plugin call's span.
    pub span: SpanContext,
}

/// Why a host interface could not answer; the plugin call ends with a trap that carries the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{interface}.{function}: {message}")]
pub struct HostInterfaceError {
    /// The interface.
    pub interface: String,
    /// The function.
    pub function: String,
    /// What went wrong.
    pub message: String,
}
