//! What telemetry keeps in the store: how far each exporter has got, and counters that go on over restarts.

use std::fmt;

use async_trait::async_trait;
use engine::port::Position;

/// Keeps cursors and durable counters. The host implements it over its store.
#[async_trait]
pub trait CursorStore: fmt::Debug + Send + Sync {
    /// How far `name` has got; the beginning when it has saved nothing.
    async fn load(&self, name: &str) -> Result<Position, CursorError>;

    /// Saves how far `name` has got. Called after everything up to there was exported.
    async fn save(&self, name: &str, position: Position) -> Result<(), CursorError>;

    /// All durable counters.
    async fn tallies(&self) -> Result<Vec<Tally>, CursorError>;

    /// Adds to counters and moves the cursor of `name` to `position`, both or neither. When the cursor is there already or further, nothing is added.
    async fn commit_tallies(&self, name: &str, position: Position, changes: &[Tally]) -> Result<(), CursorError>;
}

/// A durable counter, or an addition to one.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    /// The instrument.
    pub name: String,
    /// The labels, ordered by name.
    pub labels: Vec<(String, String)>,
    /// The sum, or what is added, in the instrument's unit.
    pub value: f64,
}

/// The store did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store does not keep telemetry's place: {0}")]
pub struct CursorError(pub String);
