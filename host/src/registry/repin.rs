//! Repinning: items of live runs that are at rest are moved from one version to another, after a look at whether the other understands what they have.

use std::collections::BTreeSet;

use engine::{
    BindingTable, Driver, Repin, RepinError,
    api::EngineError,
    port::{RunState, Timers, registry::RegistryChange},
};
use pipeline::{ContractTrack, Digest, RepinItem, Revision, RunId, Seq};
use plugin_runtime::{Crossing, Plugin};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Registry, RegistryError, activate::refuse_quarantined, deed, named, short};

/// How many runs one command looks at.
const MAX_RUNS: usize = 100_000;
/// How many runs are looked up at a time.
const PAGE: usize = 500;
/// How many runs the audit entry names.
const NAMED: usize = 1000;

/// What a person wants to be moved.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// The version that items leave: NAME@VERSION or a digest.
    from: String,
    /// The version that they get.
    to: String,
    /// One run; without it all live ones.
    #[serde(default)]
    run: Option<String>,
    /// Also what did something: the new version takes back what the old one did.
    #[serde(default)]
    include_done: bool,
    /// Only say what would be done.
    #[serde(default)]
    dry_run: bool,
    /// Why: written into the journal of each run.
    #[serde(default)]
    note: String,
}

/// What became of the runs.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    dry_run: bool,
    /// How many items were (or would be) moved.
    moved: usize,
    /// The runs that have such items.
    runs: Vec<RunOutcome>,
}

/// What became of one run.
#[derive(Debug, Serialize)]
struct RunOutcome {
    run: RunId,
    /// Its items, as `step/number`.
    items: Vec<String>,
    /// Why nothing was moved.
    refused: Option<String>,
}

/// The new version, where it is bound and in what it is called.
struct Target {
    from: Digest,
    plugin: Plugin,
    revision: Revision,
    include_done: bool,
}

impl Registry {
    /// Moves items, or says which would be moved and which cannot be.
    pub(crate) async fn repin(&self, wanted: Wanted, by: &str) -> Result<Outcome, RegistryError> {
        let _turn = self.changing.lock().await;
        let state = self.state().await?;
        let from = match Digest::new(wanted.from.to_ascii_lowercase()) {
            Ok(digest) => digest,
            Err(_) => self.find(&state, &wanted.from)?.digest.clone(),
        };
        let to = self.find(&state, &wanted.to)?.clone();
        if from == to.digest {
            return Err(RegistryError::Invalid(format!("both are {}: nothing to move", named(&to))));
        }
        refuse_quarantined(&state, &to.digest)?;
        let (revision, table) = self.driver.current();
        let target = self.target(&table, revision, from.clone(), &to.digest, wanted.include_done).await?;
        let runs = self.candidates(wanted.run.as_deref()).await?;
        let mut outcome = Outcome { dry_run: wanted.dry_run, moved: 0, runs: Vec::new() };
        for run in runs {
            if let Some(found) = self.repin_run(&run, &target, &wanted, by).await? {
                outcome.moved += if found.refused.is_none() { found.items.len() } else { 0 };
                outcome.runs.push(found);
            }
        }
        if !wanted.dry_run {
            let mut deed = deed(by, "repin", &format!("{} to {}", short(&from), named(&to)), &wanted.note);
            let told: Vec<&RunOutcome> = outcome.runs.iter().take(NAMED).collect();
            deed.after = json!({"moved": outcome.moved, "runs": told, "include_done": wanted.include_done});
            self.commit(RegistryChange { ..self.begin(&state, deed) }, None).await?;
        }
        Ok(outcome)
    }

    /// Its grant is that of the current table, so it has to be there.
    async fn target(&self, table: &BindingTable, revision: Revision, from: Digest, to: &Digest, include_done: bool) -> Result<Target, RegistryError> {
        let unbound = || RegistryError::Refused(format!("plugin {to} is not bound, so nothing says what it may reach: activate it first"));
        let bound = table.plugins.get(to).ok_or_else(unbound)?;
        let plugin = self.shelf.obtain(to, bound).await.map_err(|error| RegistryError::refused(&error))?;
        Ok(Target { from, plugin, revision, include_done })
    }

    /// The run that is named, or every run that goes on.
    async fn candidates(&self, run: Option<&str>) -> Result<Vec<RunId>, RegistryError> {
        if let Some(run) = run {
            return Ok(vec![RunId::new(run).map_err(|error| RegistryError::Invalid(error.to_string()))?]);
        }
        let mut runs = Vec::new();
        for state in [RunState::Held, RunState::Waiting, RunState::Active] {
            let mut after: Option<RunId> = None;
            loop {
                let rows = self.store.in_state(state, after.as_ref(), PAGE).await?;
                runs.extend(rows.iter().map(|row| row.run.clone()));
                after = rows.last().map(|row| row.run.clone());
                if rows.len() < PAGE {
                    break;
                }
                if runs.len() > MAX_RUNS {
                    return Err(RegistryError::Refused(format!("there are more than {MAX_RUNS} live runs: name runs with --run")));
                }
            }
        }
        Ok(runs)
    }

    /// One run; `None` when it has nothing to move.
    async fn repin_run(&self, run: &RunId, target: &Target, wanted: &Wanted, by: &str) -> Result<Option<RunOutcome>, RegistryError> {
        let one = wanted.run.is_some();
        let (head, items) = match self.driver.repinnable(run, &target.from).await {
            Ok(found) => found,
            Err(RepinError::UnknownRun(run)) if one => return Err(RegistryError::NotFound(format!("there is no run {run}"))),
            Err(RepinError::Engine(error)) => return Err(unavailable(&error)),
            Err(error) => return Ok(Some(RunOutcome { run: run.clone(), items: Vec::new(), refused: Some(error.to_string()) })),
        };
        let items: Vec<RepinItem> = items.into_iter().filter(|item| target.include_done || !item.done).collect();
        if items.is_empty() {
            let nothing = "no item of the run is bound to that plugin, or only such as did something (--include-done)".to_owned();
            return Ok(one.then(|| RunOutcome { run: run.clone(), items: Vec::new(), refused: Some(nothing) }));
        }
        let names = items.iter().map(|item| format!("{}/{}", item.item.step, item.item.item)).collect();
        let moves = moves(run, head, &items, target, by, &wanted.note);
        // Everything is looked at before anything is moved, and a dry run says what the real one would.
        let mut refused = items.iter().find_map(|item| misfit(&target.plugin, item).err());
        for repin in &moves {
            refused = match refused {
                None => self.driver.would_repin(repin).await.err().map(|error| error.to_string()),
                known => known,
            };
        }
        if refused.is_none() && !wanted.dry_run {
            refused = move_items(&self.driver, moves).await.err().map(|error| error.to_string());
        }
        Ok(Some(RunOutcome { run: run.clone(), items: names, refused }))
    }
}

/// One for each contract; the head will have gone on by one record after each.
fn moves(run: &RunId, mut head: Seq, items: &[RepinItem], target: &Target, by: &str, note: &str) -> Vec<Repin> {
    let contracts: BTreeSet<&ContractTrack> = items.iter().map(|item| &item.contract).collect();
    let mut moves = Vec::with_capacity(contracts.len());
    for contract in contracts {
        // Whether it answers is looked at beside this.
        let Some(pin) = target.plugin.pin(contract) else { continue };
        moves.push(Repin {
            run: run.clone(),
            from: target.from.clone(),
            to: pin.into(),
            revision: target.revision.clone(),
            expected_head: head,
            include_done: target.include_done,
            by: by.to_owned(),
            note: note.to_owned(),
        });
        head = Seq(head.0 + 1);
    }
    moves
}

async fn move_items(driver: &Driver, moves: Vec<Repin>) -> Result<(), RepinError> {
    for repin in moves {
        driver.repin(repin).await?;
    }
    Ok(())
}

/// Whether the new version understands everything that it would be given: each field is declared by it.
fn misfit(plugin: &Plugin, item: &RepinItem) -> Result<(), String> {
    let place = format!("step {} item {}", item.item.step, item.item.item);
    let contract = item.contract.to_string();
    let told = |what: &str, problem: String| format!("{place}: the {what} does not fit {} {}: {problem}", plugin.name(), plugin.version());
    plugin.fits(&contract, Crossing::Request, &item.request).map_err(|problem| told("request", problem))?;
    match &item.receipt {
        Some(receipt) => {
            plugin.fits(&contract, Crossing::Output, receipt).map_err(|problem| told("output", problem))?;
            plugin.fits(&contract, Crossing::Receipt, receipt).map_err(|problem| told("receipt", problem))
        }
        None => Ok(()),
    }
}

fn unavailable(error: &EngineError) -> RegistryError {
    engine::port::ReadError::Unavailable(error.to_string()).into()
}
