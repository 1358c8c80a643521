//! What changes from one manifest to the next: above all, what the new one asks for that the old one did not.

use std::collections::BTreeSet;

use semver::Version;
use serde::{Serialize, Serializer};

use crate::{
    ask::Ask,
    manifest::{DeclaredContract, Manifest, Telemetry, VerbName},
};

/// What changes from an old version of a plugin to a new one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Upgrade {
    /// The old version.
    #[serde(serialize_with = "as_text")]
    pub from: Version,
    /// The new version.
    #[serde(serialize_with = "as_text")]
    pub to: Version,
    /// What the new one asks for and the old one did not: a new grant is needed. Each has the line of configuration that grants it.
    pub asks_more: Vec<Ask>,
    /// What the old one asked for and the new one does not: these grants can go.
    pub asks_less: Vec<String>,
    /// Everything else, each in a sentence.
    pub changes: Vec<Changed>,
}

/// A change that needs no grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// What it is about: `jackfield:order/inventory`, `config.pools`, `failure_codes`.
    pub subject: String,
    /// What happened to it.
    pub change: String,
    /// Whether something that worked before may not work any more.
    pub breaking: bool,
}

impl Upgrade {
    /// Compares two manifests of the same plugin.
    pub fn between(old: &Manifest, new: &Manifest) -> Self {
        let (asked, asks) = (old.asks(), new.asks());
        let had = |ask: &Ask| asked.iter().any(|other| other.capability == ask.capability);
        let keeps = |ask: &Ask| asks.iter().any(|other| other.capability == ask.capability);
        let mut changes = Vec::new();
        names(old, new, &mut changes);
        contracts(old, new, &mut changes);
        settings(old, new, &mut changes);
        listed("failure_codes", &old.failure_codes, &new.failure_codes, &mut changes);
        let none = Telemetry::default();
        let (before, after) = (old.telemetry.as_ref().unwrap_or(&none), new.telemetry.as_ref().unwrap_or(&none));
        listed("telemetry.attributes", &before.attributes, &after.attributes, &mut changes);
        listed("telemetry.events", &before.events, &after.events, &mut changes);
        listed("telemetry.spans", &before.spans, &after.spans, &mut changes);
        let metrics = |telemetry: &Telemetry| telemetry.metrics.iter().map(|metric| metric.name.clone()).collect::<Vec<_>>();
        listed("telemetry.metrics", &metrics(before), &metrics(after), &mut changes);
        Self {
            from: old.semver(),
            to: new.semver(),
            asks_more: asks.iter().filter(|ask| !had(ask)).cloned().collect(),
            asks_less: asked.iter().filter(|ask| !keeps(ask)).map(|ask| ask.capability.clone()).collect(),
            changes,
        }
    }

    /// Whether the new version is older than the old one.
    pub fn is_downgrade(&self) -> bool {
        self.to.cmp_precedence(&self.from).is_lt()
    }
}

/// The feature of `semver` that does this would be one more that builds could differ in.
fn as_text<S: Serializer>(version: &Version, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(version)
}

fn names(old: &Manifest, new: &Manifest, changes: &mut Vec<Changed>) {
    if old.name != new.name {
        let change = format!("was `{}` and is `{}`: this is another plugin, with keys of its own", old.name, new.name);
        changes.push(Changed { subject: "name".to_owned(), change, breaking: true });
    }
    if old.vendor != new.vendor {
        let change = format!("was `{}` and is `{}`", old.vendor, new.vendor);
        changes.push(Changed { subject: "vendor".to_owned(), change, breaking: false });
    }
}

fn contracts(old: &Manifest, new: &Manifest, changes: &mut Vec<Changed>) {
    for before in &old.contracts {
        match counterpart(before, new) {
            Some(after) => contract(before, after, changes),
            None => changes.push(Changed { subject: before.contract.clone(), change: "is not declared any more".to_owned(), breaking: true }),
        }
    }
    for after in &new.contracts {
        match counterpart(after, old) {
            // One that stood for several tracks is compared with each of them.
            Some(before) if counterpart(before, new) != Some(after) => contract(before, after, changes),
            Some(_) => {}
            None => changes.push(Changed { subject: after.contract.clone(), change: "is new".to_owned(), breaking: false }),
        }
    }
}

/// What another manifest says about the same contract. An interface without a track stands for every track that has no words of its own.
fn counterpart<'a>(declared: &DeclaredContract, other: &'a Manifest) -> Option<&'a DeclaredContract> {
    let same = |of: &&DeclaredContract| of.interface() == declared.interface();
    let exact = other.contracts.iter().filter(same).find(|of| of.major() == declared.major());
    exact.or_else(|| other.contracts.iter().filter(same).find(|of| of.major().is_none() || declared.major().is_none()))
}

fn contract(old: &DeclaredContract, new: &DeclaredContract, changes: &mut Vec<Changed>) {
    let mut push = |change: String, breaking| changes.push(Changed { subject: new.contract.clone(), change, breaking });
    for verb in [VerbName::Apply, VerbName::Resume, VerbName::Observe, VerbName::Undo] {
        match (old.has(verb), new.has(verb)) {
            (true, false) => push(format!("`{}` does not work any more", verb.function()), true),
            (false, true) => push(format!("`{}` works now", verb.function()), false),
            (true, true) | (false, false) => {}
        }
    }
    match (old.idempotent, new.idempotent) {
        (true, false) => push("`apply` may not be repeated any more".to_owned(), true),
        (false, true) => push("`apply` may be repeated now".to_owned(), false),
        (true, true) | (false, false) => {}
    }
}

fn settings(old: &Manifest, new: &Manifest, changes: &mut Vec<Changed>) {
    for after in &new.capabilities.config {
        let before = old.capabilities.config.iter().find(|before| before.name == after.name);
        let subject = format!("config.{}", after.name);
        if after.required && before.is_none_or(|before| !before.required) {
            changes.push(Changed { subject: subject.clone(), change: "must be set now".to_owned(), breaking: true });
        }
        if let Some(before) = before.filter(|before| before.schema != after.schema) {
            let text = |schema: &Option<serde_json::Value>| schema.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
            let change = format!("its schema changed\n  was: {}\n  is:  {}", text(&before.schema), text(&after.schema));
            // Whether a given value still fits is checked with the value.
            changes.push(Changed { subject, change, breaking: false });
        }
    }
}

fn listed(subject: &str, old: &[String], new: &[String], changes: &mut Vec<Changed>) {
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (old.iter().collect(), new.iter().collect());
    let names = |names: Vec<&&String>| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    for (these, verb) in [(new.difference(&old).collect::<Vec<_>>(), "gained"), (old.difference(&new).collect(), "lost")] {
        if !these.is_empty() {
            changes.push(Changed { subject: subject.to_owned(), change: format!("{verb} {}", names(these)), breaking: false });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn manifest(change: Value) -> Manifest {
        let mut manifest = json!({
            "name": "pool", "version": "1.0.0",
            "contracts": [{"contract": "jackfield:order/inventory", "verbs": ["apply", "undo"], "idempotent": true}],
            "capabilities": {"http": ["element"], "config": ["pools"]},
        });
        for (key, value) in change.as_object().unwrap() {
            manifest[key] = value.clone();
        }
        Manifest::parse(manifest.to_string().as_bytes()).unwrap()
    }

    fn changes(old: Value, new: Value) -> Vec<String> {
        let upgrade = Upgrade::between(&manifest(old), &manifest(new));
        let line = |change: &Changed| format!("{} {}{}", change.subject, change.change, if change.breaking { " (breaking)" } else { "" });
        upgrade.changes.iter().map(line).collect()
    }

    #[test]
    fn what_is_asked_for_more_comes_with_the_lines_that_grant_it() {
        let more = json!({"version": "1.1.0", "capabilities": {
            "http": ["element", {"name": "vault", "why": "fetches keys"}], "keyvalue": {"why": "keeps leases"}, "tcp": true, "secrets": ["pin"],
        }});
        let upgrade = Upgrade::between(&manifest(json!({})), &manifest(more));
        let lines: Vec<_> = upgrade.asks_more.iter().map(|ask| (ask.line.as_str(), ask.why.as_deref())).collect();
        assert_eq!(
            lines,
            [
                ("http.vault = { url = \"https://...\", methods = [\"GET\"] }", Some("fetches keys")),
                ("tcp = [\"ADDRESS:PORT\"]", None),
                ("keyvalue = true", Some("keeps leases")),
                ("secrets.pin = \"env:...\"", None),
            ]
        );
        assert_eq!((upgrade.asks_less, upgrade.to.to_string()), (vec!["config.pools".to_owned()], "1.1.0".to_owned()));
        assert!(!Upgrade::between(&manifest(json!({})), &manifest(json!({}))).is_downgrade());
    }

    #[test]
    fn every_other_change_is_told() {
        let contract = |name: &str, verbs: Value, idempotent: bool| json!([{"contract": name, "verbs": verbs, "idempotent": idempotent}]);
        assert_eq!(changes(json!({}), json!({})), [""; 0]);
        assert_eq!(
            changes(json!({}), json!({"contracts": contract("jackfield:order/inventory", json!(["apply", "observe"]), false)})),
            [
                "jackfield:order/inventory `observe` works now",
                "jackfield:order/inventory `undo` does not work any more (breaking)",
                "jackfield:order/inventory `apply` may not be repeated any more (breaking)",
            ]
        );
        assert_eq!(
            changes(json!({}), json!({"contracts": contract("jackfield:order/billing", json!(["apply"]), true)})),
            ["jackfield:order/inventory is not declared any more (breaking)", "jackfield:order/billing is new"]
        );
        // The same track, with and without its number; another track is another contract.
        let (bare, first, second) = ("jackfield:order/inventory", "jackfield:order/inventory@1", "jackfield:order/inventory@2");
        let both = json!({"contracts": [
            {"contract": first, "verbs": ["apply", "undo"], "idempotent": true}, {"contract": second, "verbs": ["apply"], "idempotent": true},
        ]});
        let declares = |name: &str, verbs: Value| json!({"contracts": contract(name, verbs, true)});
        for (old, new) in [(bare, first), (first, bare), (first, first)] {
            let (whole, less) = (json!(["apply", "undo"]), json!(["apply"]));
            assert_eq!(changes(declares(old, whole.clone()), declares(new, whole.clone())), [""; 0], "{old} {new}");
            assert_eq!(changes(declares(old, whole), declares(new, less)), [format!("{new} `undo` does not work any more (breaking)")]);
        }
        assert_eq!(
            changes(declares(first, json!(["apply"])), declares(second, json!(["apply"]))),
            [format!("{first} is not declared any more (breaking)"), format!("{second} is new")]
        );
        assert_eq!(changes(declares(first, json!(["apply", "undo"])), both.clone()), [format!("{second} is new")]);
        let second_lost = [format!("{second} `undo` does not work any more (breaking)")];
        assert_eq!(changes(declares(bare, json!(["apply", "undo"])), both.clone()), second_lost, "it stood for both");
        assert_eq!(changes(both, declares(bare, json!(["apply"]))), [format!("{bare} `undo` does not work any more (breaking)")]);
        assert_eq!(
            changes(json!({"failure_codes": ["a", "b"]}), json!({"failure_codes": ["b", "c"], "name": "other"})),
            [
                "name was `pool` and is `other`: this is another plugin, with keys of its own (breaking)",
                "failure_codes gained c",
                "failure_codes lost a"
            ]
        );
        let config = json!({"capabilities": {"config": [{"name": "pools", "schema": {"type": "object"}, "required": true}]}});
        assert_eq!(
            changes(json!({}), config),
            ["config.pools must be set now (breaking)", "config.pools its schema changed\n  was: none\n  is:  {\"type\":\"object\"}"]
        );
        assert_eq!(changes(json!({}), json!({"telemetry": {"events": ["acme.x"]}})), ["telemetry.events gained acme.x"]);
    }
}
