//! A plugin under a configuration: whether it is trusted, and whether everything it needs is granted. References to secrets are not followed.

use std::collections::BTreeMap;

use engine::port::{Clock as _, SystemClock};
use package::{Ask, Instant, Package, Question, TrustList};
use serde::Serialize;
use serde_json::Value;

use super::upgrade::{is_needed, to_grant};
use crate::config::Config;

/// What a configuration says about a plugin.
#[derive(Debug, Serialize)]
pub(super) struct Configuration {
    /// Why it is not trusted, if it is not.
    not_trusted: Option<String>,
    /// What it needs and is not granted, each with the line that grants it.
    not_granted: Vec<Ask>,
    /// The setting that does not fit.
    wrong_setting: Option<String>,
}

impl Configuration {
    pub(super) fn of(config: &Config, package: &Package) -> anyhow::Result<Self> {
        let trust = TrustList::new(config.trust.clone())?;
        let question = Question { package, now: Some(Instant::of(SystemClock.now())), newest: None };
        let manifest = &package.manifest;
        let nothing = Value::Null;
        let grant = config.plugins.get(&manifest.name).map_or(&nothing, |plugin| &plugin.grant);
        let texts = grant["config"].as_object().into_iter().flatten();
        let given: BTreeMap<String, String> = texts.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
        Ok(Self {
            not_trusted: trust.admit(&question).err().map(|refusal| format!("it is not trusted ({}): {refusal}", refusal.code())),
            not_granted: manifest.asks().into_iter().filter(|ask| is_needed(ask, manifest) && !is_granted(ask, grant)).collect(),
            wrong_setting: manifest.check_given(&given).err().map(|error| error.to_string()),
        })
    }

    pub(super) fn is_refused(&self) -> bool {
        let Self { not_trusted, not_granted, wrong_setting } = self;
        not_trusted.is_some() || !not_granted.is_empty() || wrong_setting.is_some()
    }

    pub(super) fn text(&self, name: &str) -> Vec<String> {
        let Self { not_trusted, not_granted, wrong_setting } = self;
        let mut lines = vec!["\nUnder the configuration:".to_owned()];
        lines.extend(not_trusted.iter().chain(wrong_setting).map(|problem| format!("  {problem}")));
        lines.extend(not_granted.iter().map(|ask| format!("  {} is not granted", ask.capability)));
        if !self.is_refused() {
            lines.push("  it is trusted, and what it needs is granted".to_owned());
        }
        if !not_granted.is_empty() {
            lines.push(to_grant(name, not_granted));
        }
        lines
    }
}

/// Whether there is a grant for it; whether the grant can work is found out at the start.
fn is_granted(ask: &Ask, grant: &Value) -> bool {
    let granted = match ask.capability.split_once('.') {
        Some((kind, name)) => &grant[kind][name],
        None => &grant[ask.capability.as_str()],
    };
    match granted {
        Value::Null => false,
        Value::Bool(granted) => *granted,
        Value::Array(entries) => !entries.is_empty(),
        Value::Object(_) | Value::String(_) | Value::Number(_) => true,
    }
}
