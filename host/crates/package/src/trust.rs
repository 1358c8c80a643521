//! Who is trusted with what, until when, and what was taken back: the operator's half of a signature.

mod admit;
mod instant;
mod pattern;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use pipeline::Digest;
use serde::Deserialize;

pub use self::{
    admit::{Admission, Question, Refusal, Signer, SignerProblem, StepBack},
    instant::Instant,
    pattern::Pattern,
};
use crate::key::PublicKey;

/// What an operator writes down about trust.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustOptions {
    /// Takes plugins that nobody signed, and those signed by keys that nobody trusts: a switch for development. Default false. The host says so at its start and in
    /// `/healthz`. What is revoked, broken or older than what was there is refused all the same.
    pub allow_unsigned: bool,
    /// Who is trusted, by a name of the operator's own. A publisher that changes keys has an entry for each.
    pub publishers: BTreeMap<String, PublisherOptions>,
    /// Keys that were lost: a plugin that nobody else has signed is neither installed nor loaded any more.
    pub revoked_keys: BTreeSet<PublicKey>,
    /// Builds that must not run, by the sha256 of the file or of what is signed (`plugin inspect` prints both; the second one holds whoever signs it).
    pub revoked_digests: BTreeSet<Digest>,
}

impl TrustOptions {
    /// Adds a publisher who is trusted with everything and for ever.
    pub fn trust_with_everything(&mut self, name: &str, key: PublicKey) {
        let (plugins, contracts) = (Pattern::everything(), Pattern::everything());
        self.publishers.insert(name.to_owned(), PublisherOptions { key, plugins, contracts, not_before: None, expires: None });
    }
}

/// One publisher.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublisherOptions {
    /// The public key, as in the file NAME.pub.
    pub key: PublicKey,
    /// The names of plugins that this key may sign; `*` stands for any rest: `["acme-*"]`.
    pub plugins: Vec<Pattern>,
    /// The contracts that these may answer. Default: all.
    #[serde(default = "Pattern::everything")]
    pub contracts: Vec<Pattern>,
    /// Before it, nothing is installed or activated. Default: no such instant.
    #[serde(default)]
    pub not_before: Option<Instant>,
    /// From then on, nothing new is installed or activated; what a run is pinned to is loaded for ever. Default: never.
    #[serde(default)]
    pub expires: Option<Instant>,
}

/// A trust list that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("trust.publishers.{publisher}.{problem}")]
pub struct TrustError {
    publisher: String,
    problem: String,
}

/// A trust list that can be asked.
#[derive(Debug, Clone)]
pub struct TrustList {
    options: TrustOptions,
}

impl TrustList {
    /// Checks what the types do not say.
    pub fn new(options: TrustOptions) -> Result<Self, TrustError> {
        for (name, publisher) in &options.publishers {
            let wrong = |problem: String| Err(TrustError { publisher: name.clone(), problem });
            for (key, patterns) in [("plugins", &publisher.plugins), ("contracts", &publisher.contracts)] {
                if patterns.is_empty() {
                    return wrong(format!("{key} is empty: the publisher is trusted with nothing; expected at least one pattern, such as \"*\""));
                }
            }
            if let (Some(from), Some(to)) = (publisher.not_before, publisher.expires)
                && from >= to
            {
                return wrong(format!("expires is {to}, which is not after not_before ({from})"));
            }
        }
        Ok(Self { options })
    }

    /// Whether unsigned plugins are taken.
    pub fn allows_unsigned(&self) -> bool {
        self.options.allow_unsigned
    }
}
