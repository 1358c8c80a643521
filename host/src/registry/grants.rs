//! Grants: read with their references followed, and compared with what a manifest asks for.

use std::{collections::BTreeSet, path::Path};

use anyhow::Context;
use engine::port::ReadError;
use package::{Ask, Manifest};
use plugin_runtime::{Grant, HttpRule};
use serde::Deserialize;
use serde_json::Value;
use tracing::warn;

use crate::config::{Config, hidden, resolve, with_nearest, written_out_at};

/// Looks at all grants before anything is opened: a secret that is missing and a key that is not known stop the start.
pub(crate) fn check_grants(config: &Config, directory: &Path) -> anyhow::Result<()> {
    for (name, plugin) in &config.plugins {
        for place in written_out_at(&plugin.grant) {
            warn!(
                "plugins.{name}: {place}: a secret is written out, so it is stored with the grant: expected a reference, `env:NAME` or `file:PATH`"
            );
        }
        follow(&plugin.grant, directory).with_context(|| format!("plugins.{name}"))?;
    }
    Ok(())
}

/// A grant with its secrets, read on a thread that may wait for files. An error names the place.
pub(super) async fn read_grant(grant: &Value, directory: &Path) -> anyhow::Result<Grant> {
    let (grant, directory) = (grant.clone(), directory.to_owned());
    let read = tokio::task::spawn_blocking(move || follow(&grant, &directory)).await;
    read.map_err(|_| ReadError::Unavailable("the host is stopping".to_owned()))?
}

fn follow(grant: &Value, directory: &Path) -> anyhow::Result<Grant> {
    let resolved = resolve(grant, directory)?;
    if resolved.is_null() {
        return Ok(Grant::default());
    }
    // An error of the reader may repeat what it found.
    let told = |error: serde_json::Error| hidden(with_nearest(&error.to_string()), grant);
    let named = |place: String| move |error: serde_json::Error| anyhow::anyhow!("{place}: {}", told(error));
    for (endpoint, rule) in resolved["http"].as_object().into_iter().flatten() {
        HttpRule::deserialize(rule).map_err(named(format!("grant.http.{endpoint}")))?;
    }
    Grant::deserialize(&resolved).map_err(named("grant".to_owned()))
}

/// What a manifest asks for and a grant has not. Settings may stay unset unless they are required.
pub(super) fn missing(manifest: &Manifest, grant: &Value) -> Vec<Ask> {
    let required = |name: &str| manifest.capabilities.config.iter().any(|setting| setting.name == name && setting.required);
    let granted = |ask: &Ask| match ask.capability.split_once('.') {
        Some(("config", name)) => grant["config"].get(name).is_some() || !required(name),
        Some((kind, name)) => grant[kind].get(name).is_some(),
        None => match &grant[&ask.capability] {
            Value::Bool(granted) => *granted,
            Value::Array(granted) => !granted.is_empty(),
            Value::Null => false,
            Value::Number(_) | Value::String(_) | Value::Object(_) => true,
        },
    };
    manifest.asks().into_iter().filter(|ask| !granted(ask)).collect()
}

/// What of another version's grant a manifest asks for: a version that asks for less is given less.
pub(super) fn trimmed(manifest: &Manifest, grant: &Value) -> Value {
    let asked: BTreeSet<String> = manifest.asks().into_iter().map(|ask| ask.capability).collect();
    let mut grant = grant.clone();
    let Value::Object(kinds) = &mut grant else { return grant };
    for kind in ["http", "secrets", "config"] {
        if let Some(Value::Object(names)) = kinds.get_mut(kind) {
            names.retain(|name, _| asked.contains(&format!("{kind}.{name}")));
        }
    }
    for kind in ["keyvalue", "tcp"] {
        if !asked.contains(kind) {
            kinds.remove(kind);
        }
    }
    grant
}

/// The lines that a configuration, or the file of `--grant`, has to have beside what it has.
pub(super) fn lines(name: &str, asks: &[Ask]) -> String {
    let reason = |ask: &Ask| ask.why.as_ref().map_or_else(String::new, |why| format!("  # {why}"));
    let lines: Vec<String> = asks.iter().map(|ask| format!("{}{}", ask.line, reason(ask))).collect();
    format!("[plugins.{name}.grant]\n{}", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_asked_for_and_not_granted_is_found() {
        let manifest = json!({
            "name": "pool", "version": "1.0.0",
            "contracts": [{"contract": "jackfield:order/inventory", "verbs": ["apply"], "idempotent": true}],
            "capabilities": {"http": ["a", {"name": "b", "why": "reads pools"}], "keyvalue": true,
                             "config": ["free", {"name": "needed", "required": true}]},
        });
        let manifest = Manifest::parse(manifest.to_string().as_bytes()).unwrap();
        let check = |grant: Value, expected: &[&str]| {
            let found: Vec<String> = missing(&manifest, &grant).into_iter().map(|ask| ask.capability).collect();
            assert_eq!(found, expected, "{grant}");
        };
        check(Value::Null, &["http.a", "http.b", "keyvalue", "config.needed"]);
        check(json!({"http": {"a": {}}, "keyvalue": false, "config": {"needed": "x"}}), &["http.b", "keyvalue"]);
        check(json!({"http": {"a": {}, "b": {}}, "keyvalue": true, "config": {"needed": "x"}}), &[]);
        let more = json!({"http": {"a": {"url": "x"}, "c": {}}, "tcp": ["127.0.0.1:1"], "keyvalue": true, "config": {"needed": "x", "old": "y"}});
        let fitting = json!({"http": {"a": {"url": "x"}}, "keyvalue": true, "config": {"needed": "x"}});
        assert_eq!((trimmed(&manifest, &more), trimmed(&manifest, &Value::Null)), (fitting, Value::Null));
        let text = lines("pool", &missing(&manifest, &json!({"http": {"a": {}}, "config": {"needed": "x"}})));
        assert_eq!(text, "[plugins.pool.grant]\nhttp.b = { url = \"https://...\", methods = [\"GET\"] }  # reads pools\nkeyvalue = true");
    }
}
