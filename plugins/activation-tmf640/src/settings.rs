//! The settings of the plugin, with their defaults.

use jackfield_plugin_sdk::{Failure, config};

use crate::BAD_CONFIG;

/// The settings.
pub(crate) struct Settings {
    /// The id of the service specification to order.
    pub(crate) specification: String,
    /// Milliseconds between polls. Two seconds: an activation takes seconds to hours, and a poll is cheap.
    pub(crate) poll_ms: u64,
    /// Milliseconds for one activation. An hour: beyond it a person should look.
    pub(crate) give_up_ms: u64,
}

impl Settings {
    /// Reads them.
    pub(crate) fn read() -> Result<Self, Failure> {
        Ok(Self {
            specification: config::get("specification").unwrap_or_else(|| "customer-service".into()),
            poll_ms: milliseconds("poll_ms", 2_000)?,
            give_up_ms: milliseconds("give_up_ms", 3_600_000)?,
        })
    }
}

fn milliseconds(key: &str, default: u64) -> Result<u64, Failure> {
    let Some(text) = config::get(key) else {
        return Ok(default);
    };
    text.trim().parse().map_err(|_| Failure::rejected(BAD_CONFIG, format!("the setting {key} is {text:?}; expected a number of milliseconds")))
}
