//! The registry: which plugins are installed, which table of bindings is current, what is quarantined, and who changed what.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use pipeline::{Digest, Revision, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    blobs::BlobHash,
    journal::{ReadError, WriteError},
};

/// Keeps what operators decide about plugins. Every change is one transaction with one audit entry: after a crash it is there whole or not at all.
#[async_trait]
pub trait Registry: fmt::Debug + Send + Sync {
    /// Everything that is in force now.
    async fn state(&self) -> Result<RegistryState, ReadError>;

    /// Makes a change. When it returns `Ok` the change is durable. Refused when the state is not the one that it was built on.
    async fn change(&self, change: RegistryChange) -> Result<(), ChangeError>;

    /// Audit entries in order, after a number; at most `limit`.
    async fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, ReadError>;

    /// The revisions of the binding table, the newest first; at most `limit`.
    async fn revisions(&self, limit: usize) -> Result<Vec<RevisionRow>, ReadError>;
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct RegistryState {
    /// How many changes there were: the number of the last audit entry. A change names it as `expected`.
    pub number: u64,
    /// The current table; none before the first was made.
    pub current: Option<RevisionRow>,
    /// The installed plugins, ordered by name and time of installation.
    pub plugins: Vec<InstalledPlugin>,
    /// The newest version of each name that was ever installed.
    pub newest: BTreeMap<String, String>,
    /// The digests that may not be called.
    pub quarantine: BTreeMap<Digest, Quarantine>,
    /// The canaries under way, by the name of the plugin.
    pub rollouts: BTreeMap<String, Rollout>,
    /// The fingerprint of the configuration that was applied last.
    pub applied: Option<String>,
}

impl RegistryState {
    /// The installed plugin of a digest.
    pub fn plugin(&self, digest: &Digest) -> Option<&InstalledPlugin> {
        self.plugins.iter().find(|plugin| plugin.digest == *digest)
    }
}

/// An installed plugin: checked, stored, and so far without any traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstalledPlugin {
    /// The sha256 of its bytes.
    pub digest: Digest,
    /// The name in its manifest.
    pub name: String,
    /// The version in its manifest.
    pub version: String,
    /// Who makes it, as its manifest says.
    pub vendor: String,
    /// Whose signature it was taken for; none for one that nobody vouches for.
    pub publisher: Option<String>,
    /// The blob with the component.
    pub component: BlobHash,
    /// The size of the component in bytes.
    pub size: u64,
    /// The contracts that it answers, with their exact versions.
    pub contracts: Vec<String>,
    /// When it was installed.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Why a digest may not be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// What the operator said.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
}

/// A canary: a version that gets a part of the runs until it is promoted or taken back. Fields that are not known any more are passed over when it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollout {
    /// The version under trial.
    pub canary: Digest,
    /// The versions that it is compared with.
    pub baseline: Vec<Digest>,
    /// The share of runs that it gets, in parts per million.
    pub share: u32,
    /// When it began.
    pub since: Timestamp,
    /// How long it is watched before it gets everything, in milliseconds.
    pub watch_ms: u64,
    /// How many calls are needed for a verdict.
    pub min_calls: u64,
    /// The share of calls that may fail, in parts per million.
    pub max_error_rate: u32,
    /// How long the slowest of a hundred calls may take, in milliseconds.
    pub max_p99_ms: Option<u64>,
    /// Who began it.
    pub by: String,
}

/// A revision of the binding table that was or is current. Going back to an old table is a new number with the same hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionRow {
    /// Its number, rising.
    pub number: u64,
    /// The hash of the table.
    pub revision: Revision,
    /// Since when.
    pub at: Timestamp,
    /// Who made it current.
    pub by: String,
    /// Whether a canary was under way: nobody goes back to such a table as it is.
    pub trial: bool,
    /// The versions under trial, by the name of the plugin: without them it is a table to go back to. Not known of a trial that an older host began.
    #[serde(default)]
    pub canaries: BTreeMap<String, Digest>,
}

/// What was done, by whom, and what it changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Its number, rising without gaps.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What was done and by whom.
    #[serde(flatten)]
    pub deed: Deed,
}

/// An audit entry before it has its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deed {
    /// Who: the owner of a token, `configuration`, `drop-folder`, or `canary` for what the host decided from its own measurements.
    pub by: String,
    /// What: `install`, `activate`, `rollback`, ...
    pub action: String,
    /// With what: a plugin, a digest, a run.
    pub subject: String,
    /// What was in force before.
    pub before: Value,
    /// What is in force now.
    pub after: Value,
    /// Why, and what it was decided on.
    pub note: String,
}

/// One change: everything that one deed does, atomically.
#[derive(Debug, Clone, PartialEq)]
pub struct RegistryChange {
    /// The number of the state that it was built on.
    pub expected: u64,
    /// When.
    pub at: Timestamp,
    /// The entry that tells of it.
    pub deed: Deed,
    /// Blobs that it refers to and that may not be stored yet.
    pub blobs: Vec<Vec<u8>>,
    /// The table that becomes current, by its hash; its bytes are among the blobs or stored.
    pub current: Option<Revision>,
    /// Plugins to install. One that is installed is left as it is.
    pub install: Vec<InstalledPlugin>,
    /// Digests to quarantine, or to let out again.
    pub quarantine: Vec<(Digest, Option<Quarantine>)>,
    /// Canaries to begin, or to end.
    pub rollouts: Vec<(String, Option<Rollout>)>,
    /// Names with the newest version that was ever installed of them.
    pub newest: Vec<(String, String)>,
    /// The fingerprint of the configuration that this change applies.
    pub applied: Option<String>,
    /// What nobody needs any more.
    pub remove: Removal,
}

impl RegistryChange {
    /// A change that only tells of a deed.
    pub fn of(expected: u64, at: Timestamp, deed: Deed) -> Self {
        Self {
            expected,
            at,
            deed,
            blobs: Vec::new(),
            current: None,
            install: Vec::new(),
            quarantine: Vec::new(),
            rollouts: Vec::new(),
            newest: Vec::new(),
            applied: None,
            remove: Removal::default(),
        }
    }
}

/// What is removed. The bytes of a plugin go when no other plugin has the same, those of a revision always.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removal {
    /// Installed plugins.
    pub plugins: Vec<Digest>,
    /// Tables that are not current.
    pub revisions: Vec<Revision>,
}

/// Why a change was not made. Nothing of it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Somebody else made a change in between.
    #[error("the registry is at change {actual}, not {expected}: somebody else changed it at the same time")]
    Stale {
        /// The number that the change was built on.
        expected: u64,
        /// The number that the store has.
        actual: u64,
    },
    /// A removal of something that is needed.
    #[error("{what} is still needed: {by}")]
    Needed {
        /// What was to be removed.
        what: String,
        /// What needs it.
        by: String,
    },
    /// The store did not take it, whatever it says.
    #[error(transparent)]
    Write(#[from] WriteError),
}
