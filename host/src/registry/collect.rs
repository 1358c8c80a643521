//! Removal of what nobody needs: plugins and tables that no run, no receipt, no binding and no way back refers to.

use std::collections::{BTreeMap, HashSet};

use engine::{
    BindingTable,
    port::{
        Holds,
        registry::{InstalledPlugin, Registry as _, RegistryChange, RegistryState, Removal, RevisionRow},
    },
};
use pipeline::{Digest, Revision};
use serde::Serialize;
use serde_json::json;
use tracing::warn;

use super::{Registry, RegistryError, activate::LOOK_BACK, deed, named};

/// What is kept, and why, and what is not needed.
#[derive(Debug, Serialize)]
pub(crate) struct Collection {
    /// Whether what is not needed was removed.
    removed: bool,
    /// Every installed plugin.
    plugins: Vec<PluginFate>,
    /// Every table.
    revisions: Vec<RevisionFate>,
}

#[derive(Debug, Serialize)]
struct PluginFate {
    plugin: InstalledPlugin,
    /// Why it is kept; empty: it is not needed.
    kept: Vec<String>,
}

#[derive(Debug, Serialize)]
struct RevisionFate {
    revision: Revision,
    /// Its numbers: an old table can have been made current again.
    numbers: Vec<u64>,
    /// Why it is kept; empty: it is not needed.
    kept: Vec<String>,
}

/// Who needs what.
struct Needs {
    revisions: BTreeMap<Revision, Vec<String>>,
    plugins: BTreeMap<Digest, Vec<String>>,
}

impl Registry {
    /// Lists what is kept and why, and removes the rest if that is wanted.
    pub(crate) async fn collect(&self, remove: bool, by: &str, note: &str) -> Result<Collection, RegistryError> {
        let _turn = self.changing.lock().await;
        let state = self.state().await?;
        let rows = self.store.revisions(LOOK_BACK).await?;
        let needs = self.needs(&state, &rows).await?;
        let mut collection = Collection {
            removed: false,
            plugins: state.plugins.iter().map(|plugin| PluginFate { plugin: plugin.clone(), kept: needs.of_plugin(&state, plugin) }).collect(),
            revisions: revisions(&rows, &needs),
        };
        if remove {
            let removal = collection.removal();
            if removal != Removal::default() {
                let mut deed = deed(by, "gc", &format!("{} plugins, {} tables", removal.plugins.len(), removal.revisions.len()), note);
                deed.before = json!({"plugins": removal.plugins, "revisions": removal.revisions});
                self.commit(RegistryChange { remove: removal, ..self.begin(&state, deed) }, None).await?;
                collection.removed = true;
            }
            self.tidy().await;
        }
        Ok(collection)
    }

    /// Removes one plugin that nobody needs.
    pub(crate) async fn remove(&self, spec: &str, by: &str, note: &str) -> Result<InstalledPlugin, RegistryError> {
        let _turn = self.changing.lock().await;
        let state = self.state().await?;
        let plugin = self.find(&state, spec)?.clone();
        let needs = self.needs(&state, &self.store.revisions(LOOK_BACK).await?).await?;
        if let Some(kept) = needs.plugins.get(&plugin.digest) {
            return Err(RegistryError::Refused(format!("{} is needed: {}", named(&plugin), kept.join("; "))));
        }
        let mut deed = deed(by, "remove", &named(&plugin), note);
        deed.before = json!(plugin);
        let remove = Removal { plugins: vec![plugin.digest.clone()], revisions: Vec::new() };
        self.commit(RegistryChange { remove, ..self.begin(&state, deed) }, None).await?;
        Ok(plugin)
    }

    /// A run that goes on may schedule any step by its table, so every plugin of a table that is needed is needed.
    async fn needs(&self, state: &RegistryState, rows: &[RevisionRow]) -> Result<Needs, RegistryError> {
        let mut needs = Needs { revisions: BTreeMap::new(), plugins: BTreeMap::new() };
        let (current, _) = self.driver.current();
        let number = |revision: &Revision| rows.iter().find(|row| row.revision == *revision).map(|row| row.number);
        let called = |revision: &Revision| number(revision).map_or_else(|| format!("table {revision}"), |number| format!("revision {number}"));
        needs.revision(&current, "it is current".to_owned());
        for target in self.targets() {
            needs.revision(&target, "runs are being moved to it".to_owned());
        }
        if let Some((back, _)) = self.table_before(rows).await? {
            needs.revision(&back.revision, "`plugin rollback` goes back to it".to_owned());
        }
        if let Some(last) = rows.iter().find(|row| row.revision != current) {
            needs.revision(&last.revision, "it was current just before".to_owned());
        }
        for held in self.store.held().await? {
            match held.digest {
                None => needs.revision(&held.revision, format!("{} runs need it", held.count)),
                Some(digest) => {
                    needs.revision(&held.revision, format!("plugin {} is needed under it", super::short(&digest)));
                    let why =
                        format!("{} steps under {} need it, of runs that go on or that could be taken back", held.count, called(&held.revision));
                    needs.plugin(&digest, why);
                }
            }
        }
        let tables: Vec<(Revision, String)> = needs.revisions.iter().map(|(revision, why)| (revision.clone(), why.join(", "))).collect();
        for (revision, why) in tables {
            let Some(table) = BindingTable::read(&*self.store, &revision).await? else { continue };
            for digest in table.plugins.keys() {
                needs.plugin(digest, format!("bound by {}: {why}", called(&revision)));
            }
        }
        for rollout in state.rollouts.values() {
            for digest in rollout.baseline.iter().chain([&rollout.canary]) {
                needs.plugin(digest, "a canary is under way".to_owned());
            }
        }
        Ok(needs)
    }

    /// Takes off the shelf what no run needs now; what should be called for nevertheless is brought in again.
    pub(super) async fn tidy(&self) {
        match self.store.held().await {
            Ok(held) => {
                let mut revisions: HashSet<Revision> = held.into_iter().map(|held| held.revision).collect();
                revisions.insert(self.driver.current().0);
                self.shelf.keep(&revisions);
            }
            Err(error) => warn!("the shelf could not be tidied: {error}"),
        }
    }
}

impl Needs {
    fn revision(&mut self, revision: &Revision, why: String) {
        self.revisions.entry(revision.clone()).or_default().push(why);
    }

    fn plugin(&mut self, digest: &Digest, why: String) {
        self.plugins.entry(digest.clone()).or_default().push(why);
    }

    /// The newest of a name was probably installed to be activated soon.
    fn of_plugin(&self, state: &RegistryState, plugin: &InstalledPlugin) -> Vec<String> {
        let mut kept = self.plugins.get(&plugin.digest).cloned().unwrap_or_default();
        let newest = state.plugins.iter().filter(|other| other.name == plugin.name).max_by_key(|other| other.at);
        if kept.is_empty() && newest.is_some_and(|newest| newest.digest == plugin.digest) && !state.quarantine.contains_key(&plugin.digest) {
            kept.push(format!("nothing of the name `{}` was installed after it (`plugin remove` takes it away)", plugin.name));
        }
        kept
    }
}

impl Collection {
    fn removal(&self) -> Removal {
        let plugins = self.plugins.iter().filter(|fate| fate.kept.is_empty()).map(|fate| fate.plugin.digest.clone());
        let revisions = self.revisions.iter().filter(|fate| fate.kept.is_empty()).map(|fate| fate.revision.clone());
        Removal { plugins: plugins.collect(), revisions: revisions.collect() }
    }
}

fn revisions(rows: &[RevisionRow], needs: &Needs) -> Vec<RevisionFate> {
    let mut fates: Vec<RevisionFate> = Vec::new();
    for row in rows {
        match fates.iter_mut().find(|fate| fate.revision == row.revision) {
            Some(fate) => fate.numbers.push(row.number),
            None => fates.push(RevisionFate {
                revision: row.revision.clone(),
                numbers: vec![row.number],
                kept: needs.revisions.get(&row.revision).cloned().unwrap_or_default(),
            }),
        }
    }
    fates
}
