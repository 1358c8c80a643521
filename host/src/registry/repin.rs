//! Repinning: items of live runs that are at rest are moved from one version to another, after a look at whether the other understands what they have.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, Weak},
};

use engine::{
    Driver, Repin, RepinError,
    api::EngineError,
    port::{ReadError, RunState, Timers, registry::InstalledPlugin},
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
    /// Why runs were not looked at any more, or why the audit trail does not tell of what was moved.
    stopped: Option<String>,
}

/// What became of one run.
#[derive(Debug, Serialize)]
struct RunOutcome {
    run: RunId,
    /// Its items, as `step/number`.
    items: Vec<String>,
    /// How many of them were (or would be) moved. Each contract is moved by itself, so some can be although others were refused.
    moved: usize,
    /// Why not all of them were.
    refused: Option<String>,
}

/// Why not everything of a run is moved.
struct Trouble {
    why: String,
    /// Whether other runs would meet it as well.
    of_all: bool,
}

/// The new version, where it is bound and in what it is called.
struct Target {
    from: Digest,
    to: InstalledPlugin,
    plugin: Plugin,
    /// Kept from removal as long as this lives.
    revision: Arc<Revision>,
}

impl Registry {
    /// Moves items, or says which would be moved and which cannot be. Changes of the registry wait only for the look before and for the audit entry, however
    /// many runs there are.
    pub(crate) async fn repin(&self, wanted: Wanted, by: &str) -> Result<Outcome, RegistryError> {
        let target = self.target(&wanted).await?;
        let runs = self.candidates(wanted.run.as_deref()).await?;
        let mut outcome = Outcome { dry_run: wanted.dry_run, moved: 0, runs: Vec::new(), stopped: None };
        for run in runs {
            if let Some(reason) = self.shelf.quarantined(&target.to.digest) {
                outcome.stopped = Some(format!("plugin {} is quarantined: {reason}", target.to.digest));
                break;
            }
            let Some((found, stopped)) = self.repin_run(&run, &target, &wanted, by).await? else { continue };
            outcome.moved += found.moved;
            outcome.runs.push(found);
            outcome.stopped = stopped;
            if outcome.stopped.is_some() {
                break;
            }
        }
        if !wanted.dry_run
            && let Err(error) = self.tell(&outcome, &target, &wanted, by).await
        {
            let untold = format!("the audit trail does not tell of it: {error}");
            outcome.stopped = Some(outcome.stopped.map_or_else(|| untold.clone(), |why| format!("{why}; {untold}")));
        }
        Ok(outcome)
    }

    /// Where items are to go. The grant is that of the current table, so the version has to be there.
    async fn target(&self, wanted: &Wanted) -> Result<Target, RegistryError> {
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
        let unbound = || RegistryError::Refused(format!("plugin {} is not bound, so nothing says what it may reach: activate it first", to.digest));
        let bound = table.plugins.get(&to.digest).ok_or_else(unbound)?;
        let plugin = self.shelf.obtain(&to.digest, bound).await.map_err(|error| RegistryError::refused(&error))?;
        let revision = Arc::new(revision);
        self.targets.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(&revision));
        Ok(Target { from, to, plugin, revision })
    }

    /// The tables that runs are being moved to: another one may have become current since.
    pub(super) fn targets(&self) -> Vec<Arc<Revision>> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.retain(|target| target.strong_count() > 0);
        targets.iter().filter_map(Weak::upgrade).collect()
    }

    /// Writes the audit entry: whatever came in between, what was moved is told.
    async fn tell(&self, outcome: &Outcome, target: &Target, wanted: &Wanted, by: &str) -> Result<(), RegistryError> {
        let mut deed = deed(by, "repin", &format!("{} to {}", short(&target.from), named(&target.to)), &wanted.note);
        let told: Vec<&RunOutcome> = outcome.runs.iter().take(NAMED).collect();
        deed.after = json!({"moved": outcome.moved, "runs": told, "include_done": wanted.include_done, "stopped": outcome.stopped});
        self.keep(deed).await
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

    /// One run, and why no other is to be looked at after it; `None` when it has nothing to move.
    async fn repin_run(
        &self,
        run: &RunId,
        target: &Target,
        wanted: &Wanted,
        by: &str,
    ) -> Result<Option<(RunOutcome, Option<String>)>, RegistryError> {
        let one = wanted.run.is_some();
        let found = |items: Vec<String>, moved: usize, trouble: Option<Trouble>| {
            let stopped = trouble.as_ref().filter(|trouble| trouble.of_all).map(|trouble| trouble.why.clone());
            let outcome = RunOutcome { run: run.clone(), items, moved, refused: trouble.map(|trouble| trouble.why) };
            Ok(Some((outcome, stopped)))
        };
        let (head, items) = match self.driver.repinnable(run, &target.from).await {
            Ok(found) => found,
            Err(RepinError::UnknownRun(run)) if one => return Err(RegistryError::NotFound(format!("there is no run {run}"))),
            Err(error) => return found(Vec::new(), 0, Some(error.into())),
        };
        let items: Vec<RepinItem> = items.into_iter().filter(|item| wanted.include_done || !item.done).collect();
        if items.is_empty() {
            let nothing = "no item of the run is bound to that plugin, or only such as did something (--include-done)".to_owned();
            return if one { found(Vec::new(), 0, Some(Trouble::of_run(nothing))) } else { Ok(None) };
        }
        let names = items.iter().map(|item| format!("{}/{}", item.item.step, item.item.item)).collect();
        let moves = moves(run, head, &items, target, wanted, by);
        match self.would_move(&items, &moves, target).await {
            Err(trouble) => found(names, 0, Some(trouble)),
            Ok(()) if wanted.dry_run => found(names, items.len(), None),
            Ok(()) => {
                let (moved, trouble) = move_items(&self.driver, moves).await;
                found(names, moved, trouble)
            }
        }
    }

    /// Looks at everything before anything is moved, so that a dry run says what the real one would.
    async fn would_move(&self, items: &[RepinItem], moves: &[Repin], target: &Target) -> Result<(), Trouble> {
        items.iter().try_for_each(|item| misfit(&target.plugin, item)).map_err(Trouble::of_run)?;
        Ok(self.driver.would_repin(moves).await?)
    }
}

impl Trouble {
    fn of_run(why: String) -> Self {
        Self { why, of_all: false }
    }
}

impl From<RepinError> for Trouble {
    fn from(error: RepinError) -> Self {
        Self {
            why: error.to_string(),
            of_all: matches!(error, RepinError::Engine(EngineError::Unavailable(_) | EngineError::Read(ReadError::Unavailable(_)))),
        }
    }
}

/// One for each contract; the head will have gone on by one record after each.
fn moves(run: &RunId, mut head: Seq, items: &[RepinItem], target: &Target, wanted: &Wanted, by: &str) -> Vec<Repin> {
    let contracts: BTreeSet<&ContractTrack> = items.iter().map(|item| &item.contract).collect();
    let mut moves = Vec::with_capacity(contracts.len());
    for contract in contracts {
        // Whether it answers is looked at beside this.
        let Some(pin) = target.plugin.pin(contract) else { continue };
        moves.push(Repin {
            run: run.clone(),
            from: target.from.clone(),
            to: pin.into(),
            revision: Revision::clone(&target.revision),
            expected_head: head,
            include_done: wanted.include_done,
            by: by.to_owned(),
            note: wanted.note.clone(),
        });
        head = Seq(head.0 + 1);
    }
    moves
}

/// Moves contract after contract; how many items were moved, and what came in between.
async fn move_items(driver: &Driver, moves: Vec<Repin>) -> (usize, Option<Trouble>) {
    let mut moved = 0;
    for repin in moves {
        match driver.repin(repin).await {
            Ok(items) => moved += items as usize,
            Err(error) => return (moved, Some(error.into())),
        }
    }
    (moved, None)
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
