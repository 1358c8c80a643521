//! Who did what: every change that somebody makes over the interface is told to the audit trail, after it was made. Commands are not among them, because the
//! run of a command names who gave it.

use std::fmt;

use async_trait::async_trait;
use axum::Extension;
use engine::port::registry::Deed;
use serde_json::{Value, json};

use super::{Api, ApiError};
use crate::device::DeviceKey;

/// How many devices an entry names of those that were taken in at once.
const NAMED: usize = 20;

/// Keeps who did what.
#[async_trait]
pub trait Trail: fmt::Debug + Send + Sync {
    /// Keeps an entry.
    ///
    /// # Errors
    ///
    /// Why it could not be kept.
    async fn tell(&self, deed: Deed) -> Result<(), String>;
}

/// Who makes a request, where whoever serves the interface knows it: an extension of the request.
#[derive(Debug, Clone)]
pub struct By(pub String);

/// Who makes a request, as handlers get it.
pub(super) type Caller = Option<Extension<By>>;

/// The name of who makes a request.
pub(super) fn by(caller: Caller) -> String {
    caller.map_or_else(|| "api".to_owned(), |Extension(By(name))| name)
}

/// What was changed: from something to something else.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) before: Value,
    pub(super) after: Value,
}

impl Change {
    pub(super) fn to(after: Value) -> Self {
        Self { before: Value::Null, after }
    }
}

impl Api {
    /// Tells of a change that was made. Every one of them can be repeated where that fails.
    pub(super) async fn tell(&self, caller: Caller, action: &str, subject: &str, change: Change) -> Result<(), ApiError> {
        let Change { before, after } = change;
        let deed = Deed { by: by(caller), action: action.to_owned(), subject: subject.to_owned(), before, after, note: String::new() };
        let untold = |error: String| ApiError::unavailable(format!("it is done, and the audit trail does not tell of it: {error}; repeat it"));
        self.trail.tell(deed).await.map_err(untold)
    }

    /// Tells of devices that were taken in.
    pub(super) async fn tell_of_import(&self, caller: Caller, devices: &[DeviceKey]) -> Result<(), ApiError> {
        match devices {
            [] => Ok(()),
            [one] => self.tell(caller, "import-devices", one.as_str(), Change::default()).await,
            several => {
                let named: Vec<&DeviceKey> = several.iter().take(NAMED).collect();
                let after = json!({ "devices": named, "count": several.len() });
                self.tell(caller, "import-devices", &format!("{} devices", several.len()), Change::to(after)).await
            }
        }
    }
}
