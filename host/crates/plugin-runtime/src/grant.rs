//! What an operator grants a plugin: the other half of every capability.

mod auth;
mod range;
mod rate;
mod rule;
mod secret;

use std::{collections::BTreeMap, net::SocketAddr};

use serde::Deserialize;

pub use self::{
    auth::{Auth, HmacAlgorithm, HmacAuth, HmacEncoding, HmacOver},
    range::AddressRange,
    rate::Rate,
    rule::HttpRule,
    secret::Secret,
};
use crate::limits::PluginLimits;

/// What an operator grants a plugin. A capability is there when the manifest asks for it and the grant has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    /// Endpoints by the logical name that the plugin uses as the host of its URLs.
    pub http: BTreeMap<String, HttpRule>,
    /// Addresses to which the plugin may open TCP connections, each with its port. What it sends there the host does not see.
    pub tcp: Vec<SocketAddr>,
    /// Secrets by the logical name by which the plugin asks for a handle. It never sees them.
    pub secrets: BTreeMap<String, Secret>,
    /// Whether the plugin may keep keys.
    pub keyvalue: bool,
    /// Settings that the plugin reads.
    pub config: BTreeMap<String, String>,
    /// Limits of this plugin, below those of the runtime.
    pub limits: PluginLimits,
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
