//! Holds: which binding tables and plugins are needed by runs, and how often, so that what nobody needs can be removed.

use std::fmt;

use async_trait::async_trait;
use pipeline::{Digest, Revision};

use super::journal::ReadError;

/// Counts what runs need. The counts change in the transactions of the appends that change the runs.
#[async_trait]
pub trait Holds: fmt::Debug + Send + Sync {
    /// Everything that is needed, so with counts above zero, in order of revision and digest. A plugin that is needed under a revision needs that revision's table as well: it says
    /// what the plugin may reach.
    async fn held(&self) -> Result<Vec<Held>, ReadError>;
}

/// Something that runs need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The binding table.
    pub revision: Revision,
    /// The plugin under that table; `None`: the table itself, by which steps may be scheduled or a run be read again.
    pub digest: Option<Digest>,
    /// How many runs and items need it.
    pub count: u64,
}

/// A change of what is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldChange {
    /// The binding table.
    pub revision: Revision,
    /// The plugin under that table; `None`: the table itself.
    pub digest: Option<Digest>,
    /// How many more runs and items need it.
    pub change: i64,
}
