//! What the host refuses a plugin: the plugin learns that much, the operator learns why and what would allow it.

use crate::call::Account;

/// How many denials of one call go to the log.
const MAX_LOGGED: u32 = 8;
/// How much of a denial is told: a path can be long.
const MAX_BYTES: usize = 1_024;

/// A request that no rule allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denial {
    /// What was denied and why.
    pub(crate) what: String,
    /// The line of configuration that would allow it, if one would.
    pub(crate) allow: Option<String>,
}

impl Denial {
    /// Tells the operator's log, and the account of the call, from which its failure and span take it.
    pub(crate) fn record(self, plugin: &str, account: &Account) {
        let Self { what, allow } = self;
        let text = match allow {
            Some(line) => format!("{what}; to allow it, set below [plugins.{plugin}.grant]: {line}"),
            None => what,
        };
        let text = crate::call::bounded(text, MAX_BYTES);
        // The rest of a call's denials are of the same kind, and a guest could fill the log with them.
        if account.deny(&text) <= MAX_LOGGED {
            tracing::warn!(plugin, "{text}");
        }
    }
}
