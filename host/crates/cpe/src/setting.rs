//! Settings of an operator that cannot be.

use std::{fmt::Display, ops::RangeInclusive};

/// A setting that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {found}: expected {expected}")]
pub struct BadSetting {
    /// Which.
    pub name: &'static str,
    /// What it is.
    pub found: String,
    /// What it may be.
    pub expected: String,
}

/// A day: no limit of a request is meant to be longer.
pub(crate) const MAX_MS: u64 = 86_400_000;

/// A number within bounds.
pub(crate) fn within<T: PartialOrd + Display>(name: &'static str, given: T, range: RangeInclusive<T>) -> Result<(), BadSetting> {
    if range.contains(&given) {
        return Ok(());
    }
    Err(BadSetting { name, found: given.to_string(), expected: format!("a number from {} to {}", range.start(), range.end()) })
}
