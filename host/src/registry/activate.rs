//! Activation and the way back: a version gets the traffic of its name, or a share of it; a name or the whole table goes back to what was before.

use engine::{
    BindingTable, BoundPlugin,
    port::registry::{InstalledPlugin, Registry as _, RegistryChange, RegistryState, RevisionRow, Rollout},
};
use package::Package;
use pipeline::Digest;
use plugin_runtime::Plugin;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Registry, RegistryError,
    canary::Ending,
    deed, edit,
    grants::{lines, missing, read_grant, trimmed},
    named, stored, with_version,
};
use crate::{config::shown, trust};

/// How many revisions a way back is looked for in.
pub(super) const LOOK_BACK: usize = 10_000;

/// What a person wants to be in service.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Activation {
    /// NAME@VERSION or a digest.
    plugin: String,
    /// What it may reach; secrets are references. Default: what the version has that is bound now, or else the configuration's.
    #[serde(default)]
    grant: Option<Value>,
    /// A trial with a part of the runs.
    #[serde(default)]
    canary: Option<Canary>,
    /// Why.
    #[serde(default)]
    pub(crate) note: String,
}

/// The terms of a trial.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Canary {
    /// The share of the runs, in parts per million.
    pub(crate) share: u32,
    /// How long it is watched, in milliseconds.
    pub(crate) watch_ms: u64,
    /// How many calls a verdict needs.
    pub(crate) min_calls: u64,
    /// The share of calls that may fail, in parts per million.
    pub(crate) max_error_rate: u32,
    /// How long the slowest of a hundred calls may take, in milliseconds.
    #[serde(default)]
    pub(crate) max_p99_ms: Option<u64>,
}

/// What was changed.
#[derive(Debug, Serialize)]
pub(crate) struct Changed {
    /// Whether anything was.
    pub(crate) changed: bool,
    /// The number of the table that is current now.
    pub(crate) revision: Option<u64>,
    /// In a sentence.
    pub(crate) what: String,
    /// The bindings now.
    pub(crate) bindings: Value,
}

impl Registry {
    /// Puts a version into service. Calls in flight end where they are; runs that have begun keep what they began with.
    pub(crate) async fn activate(&self, activation: Activation, by: &str) -> Result<Changed, RegistryError> {
        let Activation { plugin: spec, grant, canary, note } = activation;
        check_terms(canary.as_ref())?;
        let _turn = self.changing.lock().await;
        let state = self.state().await?;
        let installed = self.find(&state, &spec)?.clone();
        refuse_quarantined(&state, &installed.digest)?;
        let regranted = grant.is_some();
        let shown = grant.as_ref().map(shown);
        let (plugin, bound) = self.admitted(&installed, grant).await?;
        let (_, table) = self.driver.current();
        if let Some(rollout) = state.rollouts.get(&installed.name) {
            if canary.is_none() && rollout.canary == installed.digest {
                if regranted {
                    return Err(RegistryError::Refused(
                        "a canary is promoted under the grant that it was tried with: leave the grant out".to_owned(),
                    ));
                }
                return self.promote(&state, &installed, rollout, by, &note).await;
            }
            return Err(RegistryError::Refused(format!(
                "a canary of `{0}` is under way: wait for it, or end it with `jackfield plugin rollback {0}`",
                installed.name
            )));
        }
        let next = with_version(&plugin, bound, |version| match &canary {
            Some(canary) => edit::split(&table, version, canary.share),
            None => edit::put(&table, version),
        });
        let next = next.map_err(RegistryError::Refused)?;
        if canary.is_some() && edit::digests_of(&table, &installed.name).contains(&installed.digest) {
            return Err(RegistryError::Refused(format!("{} is in service already: a canary is a version that is not", named(&installed))));
        }
        let mut deed = deed(by, if canary.is_some() { "canary" } else { "activate" }, &named(&installed), &note);
        deed.before = self.described(&state, &table);
        deed.after = json!({"bindings": self.described(&state, &next), "canary": canary});
        if let Some(grant) = shown {
            deed.after["grant"] = grant;
        }
        let mut change = self.begin(&state, deed);
        if let Some(canary) = &canary {
            let rollout = self.rollout(&table, &installed, canary, by);
            let both: Vec<Digest> = rollout.baseline.iter().chain([&rollout.canary]).cloned().collect();
            self.shelf.meter().forget(&both);
            change.rollouts.push((installed.name.clone(), Some(rollout)));
        }
        let what = match &canary {
            Some(canary) => format!("{} gets {} of the runs", named(&installed), share(canary.share)),
            None => format!("{} is in service", named(&installed)),
        };
        self.rebound(&state, change, next, what).await
    }

    /// The plugin under the grant that it is to have, after every gate.
    pub(super) async fn admitted(&self, installed: &InstalledPlugin, grant: Option<Value>) -> Result<(Plugin, BoundPlugin), RegistryError> {
        let bytes = self.bytes(installed).await?;
        let package = Package::read(&bytes, bytes.len()).map_err(|error| RegistryError::Refused(error.to_string()))?;
        trust::admit(&self.trust, &package, None).map_err(|error| RegistryError::refused(&error))?;
        if let Some(grant) = &grant {
            self.given.check(grant).map_err(|error| RegistryError::Invalid(error.to_string()))?;
            read_grant(grant, &self.directory).await.map_err(|error| RegistryError::Invalid(format!("{error:#}")))?;
        }
        let inherited = || trimmed(&package.manifest, &self.grant_of(&installed.name).unwrap_or(Value::Null));
        let grant = grant.unwrap_or_else(inherited);
        let asks = missing(&package.manifest, &grant);
        if !asks.is_empty() {
            return Err(RegistryError::Refused(format!(
                "{} asks for more than is granted; what is missing, as lines of the configuration (or, without the heading, of the file of --grant):\n{}",
                named(installed),
                lines(&installed.name, &asks)
            )));
        }
        let bound = BoundPlugin { component: installed.component.clone(), grant };
        let plugin = self.shelf.obtain(&installed.digest, &bound).await.map_err(|error| RegistryError::refused(&error))?;
        self.runtime.try_instantiate(&plugin).await.map_err(|error| RegistryError::Refused(format!("{}: {error}", named(installed))))?;
        Ok((plugin, bound))
    }

    fn rollout(&self, table: &BindingTable, installed: &InstalledPlugin, canary: &Canary, by: &str) -> Rollout {
        let Canary { share, watch_ms, min_calls, max_error_rate, max_p99_ms } = canary.clone();
        Rollout {
            canary: installed.digest.clone(),
            baseline: edit::digests_of(table, &installed.name).into_iter().collect(),
            share,
            since: self.now(),
            watch_ms,
            min_calls,
            max_error_rate,
            max_p99_ms,
            by: by.to_owned(),
        }
    }

    async fn promote(
        &self,
        state: &RegistryState,
        installed: &InstalledPlugin,
        rollout: &Rollout,
        by: &str,
        note: &str,
    ) -> Result<Changed, RegistryError> {
        let state = self.end_canary(state, &installed.name, rollout, Ending::Promoted, by, note).await?;
        Ok(self.changed(&state, format!("the canary {} is in service", named(installed))))
    }

    /// Makes a table current, unless it is.
    pub(super) async fn rebound(
        &self,
        state: &RegistryState,
        change: RegistryChange,
        next: BindingTable,
        what: String,
    ) -> Result<Changed, RegistryError> {
        if stored(&next)?.0 == self.driver.current().0 {
            return Ok(Changed { changed: false, ..self.changed(state, format!("{what} already: nothing has changed")) });
        }
        let state = self.commit(change, Some(next)).await?;
        Ok(self.changed(&state, what))
    }

    pub(super) fn changed(&self, state: &RegistryState, what: String) -> Changed {
        let (_, table) = self.driver.current();
        let revision = state.current.as_ref().map(|current| current.number);
        Changed { changed: true, revision, what, bindings: self.described(state, &table) }
    }

    /// Goes back: a name to the version before (or to the one beside a canary), or without a name the whole table to the one before.
    pub(crate) async fn roll_back(&self, name: Option<&str>, by: &str, note: &str) -> Result<Changed, RegistryError> {
        let _turn = self.changing.lock().await;
        let state = self.state().await?;
        match name {
            Some(name) => match state.rollouts.get(name).cloned() {
                Some(rollout) => {
                    let state = self.end_canary(&state, name, &rollout, Ending::TakenBack, by, note).await?;
                    Ok(self.changed(&state, format!("the canary of `{name}` is taken back")))
                }
                None => self.roll_back_name(&state, name, by, note).await,
            },
            None => self.roll_back_table(&state, by, note).await,
        }
    }

    async fn roll_back_name(&self, state: &RegistryState, name: &str, by: &str, note: &str) -> Result<Changed, RegistryError> {
        let (_, table) = self.driver.current();
        let now = edit::digests_of(&table, name);
        if now.is_empty() {
            return Err(RegistryError::NotFound(format!("no binding names plugin `{name}`")));
        }
        for row in self.store.revisions(LOOK_BACK).await? {
            let Some(old) = BindingTable::read(&*self.store, &row.revision).await? else { continue };
            let before = edit::digests_of(&old, name);
            // A table of a trial has two versions of the name that was tried, and of all others the one that was in service.
            if before.is_empty() || before == now || row.trial && before.len() > 1 {
                continue;
            }
            let mut before = before.into_iter();
            let (Some(digest), None) = (before.next(), before.next()) else {
                let number = row.number;
                return Err(RegistryError::Refused(format!("revision {number} has several versions of `{name}`: activate the one that you mean")));
            };
            let plugin = self.serviceable(state, &digest)?;
            let Some(bound) = old.plugins.get(&digest).cloned() else { continue };
            let handle = self.shelf.obtain(&digest, &bound).await.map_err(|error| RegistryError::refused(&error))?;
            let next = with_version(&handle, bound, |version| edit::put(&table, version)).map_err(RegistryError::Refused)?;
            let mut deed = deed(by, "rollback", name, note);
            deed.before = self.described(state, &table);
            deed.after = json!({"bindings": self.described(state, &next)});
            return self.rebound(state, self.begin(state, deed), next, format!("{} is in service", named(plugin))).await;
        }
        Err(RegistryError::Refused(format!("there was no other version of `{name}` before: nothing to go back to")))
    }

    async fn roll_back_table(&self, state: &RegistryState, by: &str, note: &str) -> Result<Changed, RegistryError> {
        let (_, table) = self.driver.current();
        let rows = self.store.revisions(LOOK_BACK).await?;
        let (row, next) = self
            .table_before(&rows)
            .await?
            .ok_or_else(|| RegistryError::Refused("there was no other table before: nothing to go back to".to_owned()))?;
        for digest in next.plugins.keys() {
            self.serviceable(state, digest)?;
        }
        let mut deed = deed(by, "rollback", &format!("revision {}", row.number), note);
        deed.before = self.described(state, &table);
        deed.after = json!({"bindings": self.described(state, &next)});
        let rollouts = state.rollouts.keys().map(|name| (name.clone(), None)).collect();
        let change = RegistryChange { rollouts, ..self.begin(state, deed) };
        let canaries: Vec<String> = row.canaries.keys().map(|name| format!("`{name}`")).collect();
        let without = if canaries.is_empty() { String::new() } else { format!(", without the canary of {}", canaries.join(" and ")) };
        self.rebound(state, change, next, format!("the table of revision {} is current again{without}", row.number)).await
    }

    /// The table that served before the current one. Where canaries were under way it is what served beside them: they had not been decided on.
    pub(super) async fn table_before<'a>(&self, rows: &'a [RevisionRow]) -> Result<Option<(&'a RevisionRow, BindingTable)>, RegistryError> {
        let (current, table) = self.driver.current();
        for row in rows.iter().filter(|row| row.revision != current && (!row.trial || !row.canaries.is_empty())) {
            let Some(old) = BindingTable::read(&*self.store, &row.revision).await? else { continue };
            let settled = row.canaries.iter().fold(old, |old, (name, canary)| edit::without(&old, name, canary));
            if settled != *table {
                return Ok(Some((row, settled)));
            }
        }
        Ok(None)
    }

    /// A plugin that went before may be taken again when it is installed and not quarantined.
    fn serviceable<'a>(&self, state: &'a RegistryState, digest: &Digest) -> Result<&'a InstalledPlugin, RegistryError> {
        refuse_quarantined(state, digest)?;
        state.plugin(digest).ok_or_else(|| RegistryError::Refused(format!("plugin {digest} is not installed any more: install it again first")))
    }
}

pub(super) fn refuse_quarantined(state: &RegistryState, digest: &Digest) -> Result<(), RegistryError> {
    match state.quarantine.get(digest) {
        Some(entry) => Err(RegistryError::Refused(format!("plugin {digest} is quarantined by {}: {}", entry.by, entry.reason))),
        None => Ok(()),
    }
}

fn check_terms(canary: Option<&Canary>) -> Result<(), RegistryError> {
    let Some(canary) = canary else { return Ok(()) };
    let wrong = |what: &str| Err(RegistryError::Invalid(format!("canary: {what}")));
    if !(1..edit::WHOLE).contains(&canary.share) {
        return wrong("the share is not between 0 % and 100 %, both excluded");
    }
    if canary.max_error_rate > edit::WHOLE {
        return wrong("the error rate is more than 100 %");
    }
    if canary.min_calls == 0 {
        return wrong("a verdict needs at least one call");
    }
    Ok(())
}

/// A share as people write it.
fn share(parts: u32) -> String {
    format!("{} %", f64::from(parts) / 1e4)
}
