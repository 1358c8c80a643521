//! What an operator grants a plugin: the other half of every capability.

mod range;
mod rate;
mod rule;

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

pub use self::{range::AddressRange, rate::Rate, rule::HttpRule};
use crate::limits::PluginLimits;

/// What an operator grants a plugin. A capability is there when the manifest asks for it and the grant has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    /// Endpoints by the logical name that the plugin uses as the host of its URLs.
    pub http: BTreeMap<String, HttpRule>,
    /// Whether the plugin may keep keys.
    pub keyvalue: bool,
    /// Settings that the plugin reads.
    pub config: BTreeMap<String, String>,
    /// Limits of this plugin, below those of the runtime.
    pub limits: PluginLimits,
}

/// How the host authenticates itself: becomes the header `authorization`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Auth {
    /// RFC 6750.
    Bearer(Secret),
    /// RFC 7617.
    Basic {
        /// The user's name.
        user: String,
        /// The password.
        password: Secret,
    },
}

/// What happens to `traceparent` and `tracestate`. A plugin's own are removed in both cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TracePolicy {
    /// The host's are sent: for systems of one's own.
    #[default]
    Inject,
    /// None are sent: a trace id is information.
    Strip,
}

/// A text that is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being printed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the wire only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
