//! What is wrong with a table: found before it becomes current, so that every input has at most one best rule.

use std::collections::BTreeSet;

use pipeline::{ContractTrack, Digest, Provider};

use super::{
    selectors::SelectorNames,
    table::{Binding, BindingTable},
};

/// Why a table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindingProblem {
    /// Two rules fit the same input and neither has more selector names.
    #[error(
        "rules {first} and {second} of {contract} are ambiguous: both fit {overlap} and neither names more selectors: \
         narrow one of them or add a rule for what both fit"
    )]
    Ambiguous {
        /// The contract.
        contract: ContractTrack,
        /// The position of one rule.
        first: usize,
        /// The position of the other.
        second: usize,
        /// An input that both fit.
        overlap: String,
    },
    /// No input can fit a rule.
    #[error("rule {rule} of {contract} is unreachable: {reason}")]
    Unreachable {
        /// The contract.
        contract: ContractTrack,
        /// The position of the rule.
        rule: usize,
        /// Why.
        reason: String,
    },
    /// A selector that no step of the contract has.
    #[error("rule {rule} of {contract} selects by `{selector}`, which no step that calls it has: expected one of {known:?}")]
    UnknownSelector {
        /// The contract.
        contract: ContractTrack,
        /// The position of the rule.
        rule: usize,
        /// The selector.
        selector: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// A rule that chooses nothing.
    #[error("rule {rule} of {contract} has no choices: expected at least one")]
    Empty {
        /// The contract.
        contract: ContractTrack,
        /// The position of the rule.
        rule: usize,
    },
    /// A choice that no run gets.
    #[error("choice {choice} of rule {rule} of {contract} has weight 0: expected at least 1, or no such choice")]
    NoWeight {
        /// The contract.
        contract: ContractTrack,
        /// The position of the rule.
        rule: usize,
        /// The position of the choice.
        choice: usize,
    },
    /// A pin that answers another contract.
    #[error("choice {choice} of rule {rule} of {contract} answers {answers}")]
    OtherContract {
        /// The contract.
        contract: ContractTrack,
        /// The position of the rule.
        rule: usize,
        /// The position of the choice.
        choice: usize,
        /// What the pin answers.
        answers: String,
    },
    /// A plugin that the table does not list, so that nobody knows its bytes and its grant.
    #[error("rule {rule} of {contract} names plugin {digest}, which is not among the table's plugins")]
    MissingPlugin {
        /// The contract.
        contract: ContractTrack,
        /// The position of the rule.
        rule: usize,
        /// The plugin.
        digest: Digest,
    },
}

impl BindingTable {
    /// Everything that is wrong with the table. `selectors` says what the steps of the host's pipelines can be told apart by.
    pub fn check(&self, selectors: &SelectorNames) -> Result<(), Vec<BindingProblem>> {
        let mut problems = Vec::new();
        for (position, rule) in self.rules.iter().enumerate() {
            self.check_when(position, rule, selectors, &mut problems);
            self.check_choices(position, rule, &mut problems);
            let others = self.rules.iter().enumerate().skip(position + 1);
            problems.extend(others.filter_map(|other| self.ambiguity((position, rule), other, selectors)));
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    fn check_when(&self, position: usize, rule: &Binding, selectors: &SelectorNames, problems: &mut Vec<BindingProblem>) {
        let (contract, known) = (&rule.contract, selectors.names(&rule.contract));
        let unknown = rule.when.keys().filter(|name| !known.contains(name.as_str()));
        let before = problems.len();
        problems.extend(unknown.map(|selector| BindingProblem::UnknownSelector {
            contract: contract.clone(),
            rule: position,
            selector: selector.clone(),
            known: known.iter().copied().collect(),
        }));
        let unreachable = |reason: String| BindingProblem::Unreachable { contract: contract.clone(), rule: position, reason };
        if problems.len() == before && !selectors.together(contract, rule.when.keys()) {
            problems.push(unreachable("no step has all of its selectors".to_owned()));
        }
        let empty = rule.when.iter().filter(|(_, wanted)| wanted.is_empty());
        problems.extend(empty.map(|(name, _)| unreachable(format!("no value of `{name}` fits it"))));
    }

    fn check_choices(&self, position: usize, rule: &Binding, problems: &mut Vec<BindingProblem>) {
        let contract = &rule.contract;
        if rule.choices.is_empty() {
            problems.push(BindingProblem::Empty { contract: contract.clone(), rule: position });
        }
        for (choice, chosen) in rule.choices.iter().enumerate() {
            if chosen.weight == 0 {
                problems.push(BindingProblem::NoWeight { contract: contract.clone(), rule: position, choice });
            }
            if !contract.admits(&chosen.pin.contract) {
                let answers = chosen.pin.contract.clone();
                problems.push(BindingProblem::OtherContract { contract: contract.clone(), rule: position, choice, answers });
            }
            if let Provider::Plugin { digest, .. } = &chosen.pin.provider
                && !self.plugins.contains_key(digest)
            {
                problems.push(BindingProblem::MissingPlugin { contract: contract.clone(), rule: position, digest: digest.clone() });
            }
        }
    }

    /// Two equally specific rules may overlap only where a more specific one answers.
    fn ambiguity(&self, first: (usize, &Binding), second: (usize, &Binding), selectors: &SelectorNames) -> Option<BindingProblem> {
        let ((first, a), (second, b)) = (first, second);
        if a.contract != b.contract || a.when.len() != b.when.len() {
            return None;
        }
        let overlap = overlap(a, b)?;
        let decided = |rule: &Binding| rule.contract == a.contract && rule.when.len() > a.when.len() && covers(rule, &overlap);
        if !selectors.together(&a.contract, overlap.iter().map(|(name, _)| *name)) || self.rules.iter().any(decided) {
            return None;
        }
        let example: Vec<String> = overlap.iter().map(|(name, values)| format!("{name} = {}", values.first().map_or("", |value| value))).collect();
        let overlap = if example.is_empty() { "every input".to_owned() } else { example.join(", ") };
        Some(BindingProblem::Ambiguous { contract: a.contract.clone(), first, second, overlap })
    }
}

/// What fits both rules: for each name of either the values that both accept. `None`: nothing does.
fn overlap<'a>(a: &'a Binding, b: &'a Binding) -> Option<Vec<(&'a String, Vec<&'a String>)>> {
    let names: BTreeSet<&String> = a.when.keys().chain(b.when.keys()).collect();
    let both = names.into_iter().map(|name| {
        let in_one = |rule: &'a Binding| rule.when.get(name).map(|wanted| wanted.iter().collect::<BTreeSet<_>>());
        let values: Vec<&String> = match (in_one(a), in_one(b)) {
            (Some(a), Some(b)) => a.intersection(&b).copied().collect(),
            (Some(one), None) | (None, Some(one)) => one.into_iter().collect(),
            (None, None) => Vec::new(),
        };
        (name, values)
    });
    let both: Vec<_> = both.collect();
    both.iter().all(|(_, values)| !values.is_empty()).then_some(both)
}

/// Whether a rule fits everything in a set of inputs.
fn covers(rule: &Binding, inputs: &[(&String, Vec<&String>)]) -> bool {
    rule.when.iter().all(|(name, wanted)| {
        let values = inputs.iter().find(|(given, _)| *given == name).map(|(_, values)| values);
        values.is_some_and(|values| values.iter().all(|value| wanted.contains(value)))
    })
}
