//! What the host refuses a plugin: the plugin learns that much, the operator learns why and what would allow it.

use crate::call::Account;

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
        tracing::warn!(plugin, "{text}");
        account.deny(text);
    }
}
