//! The scenarios: each is a file with an order, the faults that it meets, and what must come of it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace;

/// One scenario.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    /// The file's name without number and extension.
    pub(crate) name: String,
    /// What happens, in one sentence.
    pub(crate) about: String,
    /// The order as it is sent.
    pub(crate) order: Value,
    /// The idempotency key; an order with one is sent twice.
    pub(crate) key: Option<String>,
    /// Switches of back ends, turned before the order is sent.
    pub(crate) faults: Vec<Value>,
    /// What must come of it.
    pub(crate) expect: Value,
    /// What a person decides when the order is held, and what must come of that.
    pub(crate) resolve: Option<Value>,
}

impl Scenario {
    /// Whether it meets faults of back ends or counts what they did, and therefore has to have them to itself.
    pub(crate) fn is_alone(&self) -> bool {
        !self.faults.is_empty() || self.expect.get("created").is_some() || self.expect["fallout"] == "no_inventory"
    }
}

/// All scenarios in the order of their files. `without` leaves a fault switch out, to show that the demo notices.
pub(crate) fn all(without: Option<&str>) -> Result<Vec<Scenario>> {
    let directory = workspace::root().join("host/xtask/demo");
    let entries = std::fs::read_dir(&directory).with_context(|| format!("{} cannot be read", directory.display()))?;
    let mut paths: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    paths.sort();
    let mut scenarios = paths.iter().map(read).collect::<Result<Vec<_>>>()?;
    if let Some(name) = without {
        match scenarios.iter_mut().find(|scenario| scenario.name == name && !scenario.faults.is_empty()) {
            Some(scenario) => scenario.faults.clear(),
            None => bail!("no scenario `{name}` has a fault to leave out"),
        }
    }
    Ok(scenarios)
}

fn read(path: &PathBuf) -> Result<Scenario> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let value: Value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))?;
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    Ok(Scenario {
        name: stem.split_once('-').map_or(stem, |(_, name)| name).to_owned(),
        about: text("about").with_context(|| format!("{} has no `about`", path.display()))?,
        order: value["order"].clone(),
        key: text("key"),
        faults: value["faults"].as_array().cloned().unwrap_or_default(),
        expect: value["expect"].clone(),
        resolve: value.get("resolve").cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_at_least_twelve_scenarios_and_each_expects_something() {
        let scenarios = all(None).unwrap();
        assert!(scenarios.len() >= 12);
        for scenario in scenarios {
            assert!(scenario.expect["state"].is_string() && scenario.order["productOrderItem"].is_array(), "{}", scenario.name);
        }
        assert!(all(Some("single")).is_err(), "a scenario without a fault has none to leave out");
    }
}
