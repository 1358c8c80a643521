//! Which selector names a contract's callers can give.

use std::collections::{BTreeMap, BTreeSet};

use pipeline::{ContractTrack, Definition};

/// The selector names of each contract, one set per step that calls it: a rule needs one step that gives all of its names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SelectorNames(BTreeMap<ContractTrack, Vec<BTreeSet<&'static str>>>);

impl SelectorNames {
    /// The names that the steps of these pipelines give.
    pub fn of<'a>(definitions: impl IntoIterator<Item = &'a Definition>) -> Self {
        let mut names = Self::default();
        for step in definitions.into_iter().flat_map(|definition| &definition.steps) {
            if let Some(contract) = step.work.contract() {
                names.add(contract.clone(), step.selectors.names);
            }
        }
        names
    }

    /// Adds a caller of a contract.
    pub fn add(&mut self, contract: ContractTrack, names: &'static [&'static str]) {
        self.0.entry(contract).or_default().push(names.iter().copied().collect());
    }

    /// Every name that some caller of the contract gives, in order.
    pub fn names(&self, contract: &ContractTrack) -> BTreeSet<&'static str> {
        self.callers(contract).iter().flatten().copied().collect()
    }

    /// Whether one caller gives all of these names.
    pub(super) fn together<'a>(&self, contract: &ContractTrack, mut names: impl Iterator<Item = &'a String> + Clone) -> bool {
        self.callers(contract).iter().any(|caller| names.clone().all(|name| caller.contains(name.as_str()))) || names.next().is_none()
    }

    fn callers(&self, contract: &ContractTrack) -> &[BTreeSet<&'static str>] {
        self.0.get(contract).map_or(&[], Vec::as_slice)
    }
}
