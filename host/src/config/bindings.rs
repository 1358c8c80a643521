//! `[bindings]`: which plugin answers a contract, for which input, in which shares.
//!
//! ```toml
//! [bindings]
//! policy = "pin-step"
//! "jackfield:order/billing@1" = "billing-rest"
//! "jackfield:order/inventory@1" = [
//!     { plugin = "inventory-pool" },
//!     { when = { region = ["north", "east"] }, weights = { "inventory-pool" = 70, "inventory-tmf639@1.2.0" = 30 } },
//! ]
//! "jackfield:cpe/profile@1" = "native:embedded-profile"
//! ```
//!
//! `native:NAME` is an implementation inside the host.

use std::collections::BTreeMap;

use engine::PinPolicy;
use pipeline::ContractTrack;
use serde::Deserialize;
use serde_json::Value;

use super::with_nearest;

/// What stands before the name of an implementation inside the host.
pub(crate) const NATIVE: &str = "native:";

/// The key that is no contract.
const POLICY: &str = "policy";

/// Bindings as an operator writes them. Plugins are named by NAME, NAME@VERSION or digest.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct BindingSettings {
    /// When the providers of a run are chosen; `None` leaves it as it is.
    pub(crate) policy: Option<PinPolicy>,
    /// The rules of each contract that is named.
    pub(crate) contracts: BTreeMap<ContractTrack, Vec<RuleSetting>>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RuleSetting {
    /// Selector names with the values that fit.
    pub(crate) when: BTreeMap<String, Vec<String>>,
    /// Plugins with their shares.
    pub(crate) shares: Vec<(String, u32)>,
}

/// One rule in the list form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default)]
    when: BTreeMap<String, Wanted>,
    #[serde(default)]
    plugin: Option<String>,
    #[serde(default)]
    weights: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    One(String),
    Several(Vec<String>),
}

impl BindingSettings {
    /// Reads the table `[bindings]`. An error begins with the key.
    pub(crate) fn read(table: &BTreeMap<String, Value>) -> Result<Self, String> {
        let mut settings = Self::default();
        for (key, value) in table {
            if key == POLICY {
                let expected = |_| format!("policy is {value}: expected \"pin-run\" or \"pin-step\"");
                settings.policy = Some(PinPolicy::deserialize(value).map_err(expected)?);
                continue;
            }
            let contract: ContractTrack = key.parse().map_err(|error| format!("{error}"))?;
            let rules = rules(value).map_err(|problem| format!("\"{key}\"{problem}"))?;
            settings.contracts.insert(contract, rules);
        }
        Ok(settings)
    }

    /// Every plugin that is named, with the contract it is named for.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&ContractTrack, &str)> {
        self.providers().filter(|(_, name)| !name.starts_with(NATIVE))
    }

    /// Every implementation inside the host that is named, with the contract it is named for.
    pub(crate) fn natives(&self) -> impl Iterator<Item = (&ContractTrack, &str)> {
        self.providers().filter_map(|(contract, name)| Some((contract, name.strip_prefix(NATIVE)?)))
    }

    fn providers(&self) -> impl Iterator<Item = (&ContractTrack, &str)> {
        let rules = self.contracts.iter().flat_map(|(contract, rules)| rules.iter().map(move |rule| (contract, rule)));
        rules.flat_map(|(contract, rule)| rule.shares.iter().map(move |(name, _)| (contract, name.as_str())))
    }
}

fn rules(value: &Value) -> Result<Vec<RuleSetting>, String> {
    match value {
        Value::String(name) => Ok(vec![RuleSetting { when: BTreeMap::new(), shares: vec![(name.clone(), 1)] }]),
        Value::Array(list) if !list.is_empty() => {
            list.iter().enumerate().map(|(position, rule)| read_rule(rule).map_err(|problem| format!("[{position}]: {problem}"))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(": expected the name of a plugin or a list of rules such as { when = { region = \"north\" }, plugin = \"NAME\" }".to_owned())
        }
    }
}

fn read_rule(value: &Value) -> Result<RuleSetting, String> {
    let Rule { when, plugin, weights } = Rule::deserialize(value).map_err(|error| with_nearest(&error.to_string()))?;
    let shares = match (plugin, weights.is_empty()) {
        (Some(name), true) => vec![(name, 1)],
        (None, false) => weights.into_iter().collect(),
        (Some(_), false) => return Err("both `plugin` and `weights` are given: expected one of them".to_owned()),
        (None, true) => return Err("neither `plugin` nor `weights` is given: expected one of them".to_owned()),
    };
    let when = when.into_iter().map(|(name, wanted)| {
        let values = match wanted {
            Wanted::One(value) => vec![value],
            Wanted::Several(values) => values,
        };
        (name, values)
    });
    Ok(RuleSetting { when: when.collect(), shares })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<BindingSettings, String> {
        BindingSettings::read(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn the_short_form_is_a_rule_for_everything() {
        let settings = read(json!({
            "policy": "pin-step",
            "a:b/c@1": "x",
            "a:b/d@1": [{"plugin": "x"}, {"when": {"region": "north", "plan": ["p", "q"]}, "weights": {"x@1.0.0": 7, "y": 3}}],
        }));
        let settings = settings.unwrap();
        assert_eq!(settings.policy, Some(PinPolicy::PinStep));
        let rules: Vec<_> = settings.contracts.values().flatten().map(|rule| (rule.when.len(), rule.shares.clone())).collect();
        let share = |name: &str, weight| (name.to_owned(), weight);
        assert_eq!(rules, [(0, vec![share("x", 1)]), (0, vec![share("x", 1)]), (2, vec![share("x@1.0.0", 7), share("y", 3)])]);
    }

    #[test]
    fn every_mistake_is_named_with_its_place() {
        for (given, expected) in [
            (json!({"policy": "pin"}), "policy is \"pin\": expected \"pin-run\" or \"pin-step\""),
            (json!({"inventory": "x"}), "contract `inventory` is not valid"),
            (json!({"a:b/c@1": 7}), "\"a:b/c@1\": expected the name of a plugin or a list of rules"),
            (json!({"a:b/c@1": []}), "\"a:b/c@1\": expected the name of a plugin or a list of rules"),
            (json!({"a:b/c@1": [{"plugin": "x"}, {"wen": {}}]}), "\"a:b/c@1\"[1]: unknown field `wen`"),
            (json!({"a:b/c@1": [{"plugn": "x"}]}), "the nearest known key is `plugin`"),
            (json!({"a:b/c@1": [{"plugin": "x", "weights": {"y": 1}}]}), "both `plugin` and `weights` are given"),
            (json!({"a:b/c@1": [{"when": {"region": "north"}}]}), "neither `plugin` nor `weights` is given"),
        ] {
            let found = read(given.clone()).unwrap_err();
            assert!(found.contains(expected), "{given}\n  gave: {found}\n  expected: {expected}");
        }
    }
}
