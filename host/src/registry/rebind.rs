//! Bindings: shown, set, and made from what an operator wrote.

use std::collections::BTreeMap;

use engine::{
    Binding, BindingTable, BoundPlugin, Choice,
    port::registry::{InstalledPlugin, RegistryState},
};
use pipeline::{ContractTrack, Provider};
use plugin_runtime::Plugin;
use serde_json::{Value, json};

use super::{
    Registry, RegistryError,
    activate::{Changed, refuse_quarantined},
    deed, edit,
    native::Natives,
};
use crate::config::{BindingSettings, NATIVE, RuleSetting};

/// A plugin that bindings may name.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) plugin: Plugin,
    pub(super) bound: BoundPlugin,
}

/// A table as people see it: for each contract its rules, with the plugins that answer.
pub(super) fn describe(table: &BindingTable) -> Value {
    let mut contracts: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for rule in &table.rules {
        let choices: Vec<Value> = rule.choices.iter().map(choice).collect();
        let mut shown = json!({"choices": choices});
        if !rule.when.is_empty() {
            shown["when"] = json!(rule.when);
        }
        contracts.entry(rule.contract.to_string()).or_default().push(shown);
    }
    json!({"policy": table.policy, "contracts": contracts})
}

/// A table in a line of the log: `jackfield:order/billing@1 = billing-rest@0.2.0`.
pub(super) fn summary(table: &BindingTable) -> String {
    let name = |choice: &Choice| match &choice.pin.provider {
        Provider::Plugin { name, version, .. } => format!("{name}@{version}"),
        Provider::Native { name } => format!("{NATIVE}{name}"),
    };
    let rule = |rule: &Binding| format!("{} = {}", rule.contract, rule.choices.iter().map(name).collect::<Vec<_>>().join(" | "));
    let mut rules: Vec<String> = table.rules.iter().map(rule).collect();
    rules.sort();
    rules.join(", ")
}

fn choice(choice: &Choice) -> Value {
    match &choice.pin.provider {
        Provider::Plugin { name, version, digest } => json!({"plugin": name, "version": version, "digest": digest, "weight": choice.weight}),
        Provider::Native { name } => json!({"native": name, "weight": choice.weight}),
    }
}

/// A table in which the contracts that are named have the rules that were written for them, and all others those of `base`.
pub(super) fn build(
    base: BindingTable,
    settings: &BindingSettings,
    candidates: &BTreeMap<String, Candidate>,
    natives: &Natives,
) -> Result<BindingTable, String> {
    natives.check(settings)?;
    let mut table = base;
    table.policy = settings.policy.unwrap_or(table.policy);
    table.rules.retain(|rule| !settings.contracts.contains_key(&rule.contract));
    for (contract, rules) in &settings.contracts {
        for rule in rules {
            table.rules.push(binding(contract, rule, candidates, natives)?);
        }
    }
    for (_, name) in settings.named() {
        let candidate = &candidates[name];
        table.plugins.insert(candidate.plugin.digest().clone(), candidate.bound.clone());
    }
    Ok(edit::pruned(table))
}

fn binding(contract: &ContractTrack, rule: &RuleSetting, candidates: &BTreeMap<String, Candidate>, natives: &Natives) -> Result<Binding, String> {
    let choice = |(name, weight): &(String, u32)| {
        if let Some(native) = name.strip_prefix(NATIVE) {
            return Ok(Choice { pin: natives.pin(contract, native)?.into(), weight: *weight });
        }
        let plugin = &candidates[name].plugin;
        let pin = plugin.pin(contract).ok_or_else(|| {
            let answered: Vec<String> = plugin.contracts().iter().map(|contract| contract.track.to_string()).collect();
            format!("bindings.\"{contract}\" names plugin `{name}`, which does not answer it; it answers {}", answered.join(", "))
        })?;
        Ok(Choice { pin: pin.into(), weight: *weight })
    };
    let choices = rule.shares.iter().map(choice).collect::<Result<_, String>>()?;
    Ok(Binding { contract: contract.clone(), when: rule.when.clone(), choices })
}

impl Registry {
    /// Sets the rules of the contracts that are named, and leaves all others.
    pub(crate) async fn bind(&self, settings: &BTreeMap<String, Value>, by: &str, note: &str) -> Result<Changed, RegistryError> {
        let settings = BindingSettings::read(settings).map_err(|problem| RegistryError::Invalid(format!("bindings: {problem}")))?;
        let _turn = self.changing.lock().await;
        let state = self.state().await?;
        let (_, table) = self.driver.current();
        let mut candidates = BTreeMap::new();
        for (_, name) in settings.named() {
            if !candidates.contains_key(name) {
                candidates.insert(name.to_owned(), self.candidate(&state, &table, name).await?);
            }
        }
        let next = build((*table).clone(), &settings, &candidates, &self.natives).map_err(RegistryError::Refused)?;
        let contracts: Vec<String> = settings.contracts.keys().map(ToString::to_string).collect();
        let mut deed = deed(by, "bind", &contracts.join(", "), note);
        deed.before = self.described(&state, &table);
        deed.after = json!({"bindings": self.described(&state, &next)});
        // A canary whose version is not bound any more, or alone, is over.
        let over = |name: &&String| {
            let rollout = &state.rollouts[*name];
            let digests = edit::digests_of(&next, name);
            !digests.contains(&rollout.canary) || digests.len() < 2
        };
        let mut change = self.begin(&state, deed);
        change.rollouts = state.rollouts.keys().filter(over).map(|name| (name.clone(), None)).collect();
        self.rebound(&state, change, next, "the bindings are set".to_owned()).await
    }

    /// The plugin of a name: the version that is bound, or the newest one installed; or the one that is named with its version or digest.
    async fn candidate(&self, state: &RegistryState, table: &BindingTable, name: &str) -> Result<Candidate, RegistryError> {
        let installed = match state.plugins.iter().filter(|plugin| plugin.name == name).max_by(|a, b| by_version(a, b)) {
            Some(newest) => {
                let bound = edit::digests_of(table, name);
                match bound.iter().collect::<Vec<_>>().as_slice() {
                    [] => newest,
                    [one] => state.plugin(one).unwrap_or(newest),
                    _ => return Err(RegistryError::Refused(format!("several versions of `{name}` are bound: name one as NAME@VERSION"))),
                }
            }
            None => self.find(state, name)?,
        };
        refuse_quarantined(state, &installed.digest)?;
        match table.plugins.get(&installed.digest) {
            Some(bound) => {
                let plugin = self.shelf.obtain(&installed.digest, bound).await.map_err(|error| RegistryError::refused(&error))?;
                Ok(Candidate { plugin, bound: bound.clone() })
            }
            None => {
                let (plugin, bound) = self.admitted(installed, None).await?;
                Ok(Candidate { plugin, bound })
            }
        }
    }
}

fn by_version(a: &InstalledPlugin, b: &InstalledPlugin) -> std::cmp::Ordering {
    let version = |plugin: &InstalledPlugin| package::Version::parse(&plugin.version).ok();
    (version(a), a.at).cmp(&(version(b), b.at))
}
