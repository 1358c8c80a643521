//! What must hold when everything is over, compared with what a run without a crash left behind.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use serde_json::Value;

use crate::{journal::Runs, ledger::Ledger};

/// What is left behind when everything is over.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Remains {
    /// How each run ended.
    pub(crate) reports: BTreeMap<String, Value>,
    /// Each effect outside: how often it was made and taken back.
    effects: BTreeMap<String, String>,
}

impl Remains {
    pub(crate) fn of(runs: &Runs, ledger: &Ledger) -> Self {
        let reports = runs.reports.iter().map(|(name, (_, report))| (name.clone(), report.clone())).collect();
        let effects =
            ledger.effects.values().map(|effect| (effect.what.clone(), format!("made {}, undone {}", effect.made, effect.undone))).collect();
        Self { reports, effects }
    }
}

/// Everything that is not as it must be.
pub(crate) fn violations(expected: &Remains, runs: &Runs, ledger: &Ledger) -> Vec<String> {
    let mut found = runs.faults.clone();
    found.extend(ledger.odd.iter().cloned());
    found.extend(acknowledged(runs, ledger));
    found.extend(effects(ledger));
    found.extend(callbacks(ledger));
    let remains = Remains::of(runs, ledger);
    found.extend(differences("run", &expected.reports, &remains.reports));
    found.extend(differences("effect", &expected.effects, &remains.effects));
    match ledger.over.as_deref() {
        Some("0") => {}
        Some(stuck) => found.push(format!("{stuck} runs were stuck at the end")),
        None => found.push("no process finished the work".to_owned()),
    }
    found
}

/// A run whose start was acknowledged is there, under the id that was given out.
fn acknowledged(runs: &Runs, ledger: &Ledger) -> Vec<String> {
    let there = |case: &str, run: &str| runs.reports.get(case).is_some_and(|(id, _)| id == run);
    let lost = ledger.acked.iter().filter(|(case, run)| !there(case, run));
    lost.map(|(case, run)| {
        let got = runs.reports.get(case).map_or("no such run", |(id, _)| id.as_str());
        format!("run {case} was acknowledged as {run} and is not there: the journal has {got}")
    })
    .collect()
}

/// At most one effect under each key, and one key for each effect.
fn effects(ledger: &Ledger) -> Vec<String> {
    let mut found = Vec::new();
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, effect) in &ledger.effects {
        if effect.made > 1 || effect.undone > 1 {
            found.push(format!("effect {}: made {} times and undone {} times under key {key}", effect.what, effect.made, effect.undone));
        }
        if let Some(other) = keys.insert(&effect.what, key) {
            found.push(format!("effect {}: made under two keys, {other} and {key}", effect.what));
        }
    }
    found
}

/// A callback is accepted once; after a crash between, nobody may have heard of it.
fn callbacks(ledger: &Ledger) -> Vec<String> {
    let odd = ledger.callbacks.iter().filter(|(_, callback)| callback.accepted > 1 || !callback.settled);
    odd.map(|(key, callback)| format!("the callback of key {key} was left as {callback:?}")).collect()
}

fn differences<T: PartialEq + Display>(what: &str, expected: &BTreeMap<String, T>, got: &BTreeMap<String, T>) -> Vec<String> {
    let text = |value: Option<&T>| value.map_or_else(|| "nothing".to_owned(), T::to_string);
    let names: BTreeSet<&String> = expected.keys().chain(got.keys()).collect();
    let differing = names.into_iter().filter(|name| expected.get(*name) != got.get(*name));
    differing.map(|name| format!("{what} {name}:\n      expected {}\n      got      {}", text(expected.get(name)), text(got.get(name)))).collect()
}
