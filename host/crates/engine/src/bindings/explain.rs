//! Why a provider was chosen: the same decision as `resolve`, with its reasons.

use std::sync::Arc;

use pipeline::{ContractTrack, Failure, Pin, RunId};
use serde::Serialize;

use super::table::{Binding, BindingTable};

/// A decision with its reasons.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explained<'a> {
    /// What answers.
    pub pin: &'a Arc<Pin>,
    /// The position of the rule in the table.
    pub rule: usize,
    /// The position of the choice in the rule.
    pub choice: usize,
    /// The number that picked the choice: it depends on the run and the contract alone.
    pub number: u64,
    /// The sum of the weights; the number is below it.
    pub of: u64,
    /// Every rule of the contract, by its position in the table, and how it did.
    pub rules: Vec<(usize, Fit)>,
}

/// How a rule did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "fit")]
pub enum Fit {
    /// It fits and answers.
    Chosen {
        /// The selectors that fitted.
        selectors: Vec<String>,
    },
    /// It fits, and a rule with more selector names fits too.
    LessSpecific {
        /// The selectors that fitted.
        selectors: Vec<String>,
    },
    /// It does not fit.
    Misfit(Misfit),
}

/// The first selector of a rule that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misfit {
    /// The selector.
    pub selector: String,
    /// What the input has; nothing when it has no such value.
    pub given: Option<String>,
    /// What would fit.
    pub wanted: Vec<String>,
}

/// Whether a rule fits an input, and if not, why.
pub(super) fn fit(rule: &Binding, selectors: &[(&str, String)]) -> Result<(), (usize, Option<usize>)> {
    rule.when.iter().enumerate().try_for_each(|(position, (name, wanted))| suits(name, wanted, selectors).map_err(|given| (position, given)))
}

/// Whether one selector of a rule fits an input; if not, the position of what the input has.
pub(crate) fn suits(name: &str, wanted: &[String], selectors: &[(&str, String)]) -> Result<(), Option<usize>> {
    let given = selectors.iter().position(|(given, _)| *given == name);
    if given.is_some_and(|given| wanted.contains(&selectors[given].1)) { Ok(()) } else { Err(given) }
}

impl BindingTable {
    /// [`BindingTable::resolve`] with its reasons.
    pub fn explain(&self, contract: &ContractTrack, selectors: &[(&str, String)], run: &RunId) -> Result<Explained<'_>, Failure> {
        let rules = self.rules.iter().enumerate().filter(|(_, rule)| rule.contract == *contract);
        let mut rules: Vec<(usize, Fit)> = rules.map(|(position, rule)| (position, describe(rule, selectors))).collect();
        let fits = |fit: &Fit| matches!(fit, Fit::LessSpecific { .. });
        let fitting = rules.iter().enumerate().filter(|(_, (_, fit))| fits(fit)).map(|(place, (position, _))| (place, *position));
        let more = |best: (usize, usize), next: (usize, usize)| {
            if self.rules[next.1].when.len() > self.rules[best.1].when.len() { next } else { best }
        };
        let (place, rule) = fitting.reduce(more).ok_or_else(|| self.unbound(contract, selectors))?;
        let selectors = self.rules[rule].when.keys().cloned().collect();
        rules[place].1 = Fit::Chosen { selectors };
        let chosen = &self.rules[rule];
        let (choice, number) = chosen.pick(run).ok_or_else(|| self.unbound(contract, &[]))?;
        Ok(Explained { pin: &chosen.choices[choice].pin, rule, choice, number, of: chosen.sum(), rules })
    }
}

fn describe(rule: &Binding, selectors: &[(&str, String)]) -> Fit {
    match fit(rule, selectors) {
        Ok(()) => Fit::LessSpecific { selectors: rule.when.keys().cloned().collect() },
        Err((position, given)) => {
            let (selector, wanted) = rule.when.iter().nth(position).map(|(name, wanted)| (name.clone(), wanted.clone())).unwrap_or_default();
            Fit::Misfit(Misfit { selector, given: given.map(|given| selectors[given].1.clone()), wanted })
        }
    }
}
