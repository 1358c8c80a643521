//! The table: its rules, their choices, and how one of them is picked.

use std::{collections::BTreeMap, sync::Arc};

use pipeline::{ContractTrack, Digest, Failure, FailureClass, Pin, Revision, RunId};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::explain::fit;
use crate::port::{BlobHash, Blobs, ReadError};

/// One revision of the table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindingTable {
    /// When the providers of a run are chosen.
    #[serde(default)]
    pub policy: PinPolicy,
    /// The rules. They are a set: their order does not matter.
    pub rules: Vec<Binding>,
    /// The plugins that the rules name, by digest: part of the revision, so that a run keeps the code and the grants it began with.
    #[serde(default)]
    pub plugins: BTreeMap<Digest, BoundPlugin>,
}

/// When the providers of a run are chosen. The policy of the table that a run starts with holds to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PinPolicy {
    /// All steps by the revision that was current when the run started.
    #[default]
    PinRun,
    /// Each step by the revision that is current when it is scheduled.
    PinStep,
}

/// A plugin of a binding table: where its bytes are and what it may reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundPlugin {
    /// The blob with the component.
    pub component: BlobHash,
    /// What the operator grants it, in the runtime's own form; secrets are references.
    pub grant: Value,
}

/// One rule: a contract, the input that it is for, and what answers.
///
/// Of the rules of a contract that fit an input the one with the most selector names answers; [`BindingTable::check`] sees to it that there is only one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredBinding")]
pub struct Binding {
    /// The contract.
    pub contract: ContractTrack,
    /// Selector names with the values that fit; every name must fit. Empty: fits every input.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, Vec<String>>,
    /// What answers, by weight. A run always gets the same one.
    pub choices: Vec<Choice>,
}

/// One of the providers of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// What answers, with everything that a scheduled step needs to know about it.
    pub pin: Arc<Pin>,
    /// Its share of the runs, in parts of the sum over all choices of the rule.
    #[serde(default = "one")]
    pub weight: u32,
}

fn one() -> u32 {
    1
}

/// A rule as it is stored. Tables of older revisions have one `pin` in place of `choices`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredBinding {
    contract: ContractTrack,
    #[serde(default)]
    when: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pin: Option<Arc<Pin>>,
    #[serde(default)]
    choices: Vec<Choice>,
}

impl TryFrom<StoredBinding> for Binding {
    type Error = String;

    fn try_from(StoredBinding { contract, when, pin, choices }: StoredBinding) -> Result<Self, String> {
        match (pin, choices.is_empty()) {
            (Some(pin), true) => Ok(Self { contract, when, choices: vec![Choice { pin, weight: 1 }] }),
            (None, false) => Ok(Self { contract, when, choices }),
            (Some(_), false) => Err(format!("the rule of {contract} has both `pin` and `choices`: expected one of them")),
            (None, true) => Err(format!("the rule of {contract} has no `choices`: expected at least one")),
        }
    }
}

impl Binding {
    /// A rule for every input with one provider.
    pub fn to(contract: ContractTrack, pin: Arc<Pin>) -> Self {
        Self { contract, when: BTreeMap::new(), choices: vec![Choice { pin, weight: 1 }] }
    }

    /// The sum of the weights of the choices.
    pub(crate) fn sum(&self) -> u64 {
        self.choices.iter().map(|choice| u64::from(choice.weight)).sum()
    }

    /// The position of the choice of a run, and the number in `0..sum of weights` that picked it. `None` when no choice has a weight.
    pub(crate) fn pick(&self, run: &RunId) -> Option<(usize, u64)> {
        let sum = self.sum();
        if self.choices.len() == 1 && sum > 0 {
            return Some((0, 0));
        }
        let number = share(run, &self.contract).checked_rem(sum)?;
        let mut rest = number;
        let position = self.choices.iter().position(|choice| {
            let weight = u64::from(choice.weight);
            let here = rest < weight;
            rest = rest.saturating_sub(weight);
            here
        });
        position.map(|position| (position, number))
    }
}

/// A number that depends on the run and the contract alone, so that a run keeps its choice.
fn share(run: &RunId, contract: &ContractTrack) -> u64 {
    let mut hasher = blake3::Hasher::new_derive_key("jackfield 2026 binding choice");
    hasher.update(run.as_str().as_bytes());
    hasher.update(&[0]);
    hasher.update(contract.interface().as_bytes());
    hasher.update(&contract.major().to_le_bytes());
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}

impl BindingTable {
    /// The table of a revision, as it was stored.
    pub async fn read(blobs: &dyn Blobs, revision: &Revision) -> Result<Option<Self>, ReadError> {
        let Some(bytes) = blobs.get(revision.as_str()).await? else { return Ok(None) };
        let unreadable = |error| ReadError::Unavailable(format!("binding-table revision {revision} cannot be read: {error}"));
        serde_json::from_slice(&bytes).map(Some).map_err(unreadable)
    }

    /// The bytes that are stored; their blake3 hash is the revision.
    pub fn bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// Stores the table and returns its revision.
    pub async fn store(&self, blobs: &dyn Blobs) -> Result<Revision, ReadError> {
        let bytes = self.bytes().map_err(|error| ReadError::Unavailable(format!("the binding table has no JSON form: {error}")))?;
        let hash = blobs.put(bytes).await?;
        Revision::new(&hash).map_err(|error| ReadError::Unavailable(error.to_string()))
    }

    /// What answers a contract for an input with these selector values. A pure function of the table and the arguments, so that any process binds alike.
    pub fn resolve(&self, contract: &ContractTrack, selectors: &[(&str, String)], run: &RunId) -> Result<&Arc<Pin>, Failure> {
        let rule = self.rule_for(contract, selectors).ok_or_else(|| self.unbound(contract, selectors))?;
        let (position, _) = rule.pick(run).ok_or_else(|| self.unbound(contract, selectors))?;
        Ok(&rule.choices[position].pin)
    }

    /// The rule that decides about an input with these selector values, whichever of its choices a run gets: the first of those that ask for most.
    pub fn rule_for(&self, contract: &ContractTrack, selectors: &[(&str, String)]) -> Option<&Binding> {
        let fitting = self.rules.iter().filter(|rule| rule.contract == *contract && fit(rule, selectors).is_ok());
        fitting.reduce(|best, rule| if rule.when.len() > best.when.len() { rule } else { best })
    }

    /// Whether any rule of the contract looks at the input.
    pub(crate) fn selects(&self, contract: &ContractTrack) -> bool {
        self.rules.iter().any(|rule| !rule.when.is_empty() && rule.contract == *contract)
    }

    pub(super) fn unbound(&self, contract: &ContractTrack, selectors: &[(&str, String)]) -> Failure {
        let message = if self.rules.iter().any(|rule| rule.contract == *contract) {
            let given: Vec<String> = selectors.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            format!("no rule for contract {contract} in the run's binding table fits the input ({})", given.join(", "))
        } else {
            format!("nothing is bound to contract {contract} in the run's binding table")
        };
        Failure::new(FailureClass::Held, "plugin.contract", message)
    }
}
