//! Selectors: the typed facts about a step's input by which a binding may choose its provider.

use serde_json::Value;

use crate::view::View;

/// Which facts a step offers, and how they are read from an item's input.
#[derive(Debug, Clone, Copy)]
pub struct Selectors {
    /// Every name that [`Self::of`] may give.
    pub names: &'static [&'static str],
    /// The values for one request, each name at most once; what the input does not have is left out. Pure and total: the provider must be the same
    /// whenever and wherever this is asked.
    pub of: fn(&View<'_>, &Value) -> Vec<(&'static str, String)>,
}

impl Selectors {
    /// A step whose input offers nothing to choose by.
    pub const NONE: Self = Self { names: &[], of: |_, _| Vec::new() };
}
