//! Two versions of a plugin, `old` and `new`, with what happens to their calls as data; and the world in which one takes the other's place.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use engine::{
    BindingTable, BoundPlugin, Driver, Options, Pack, PinPolicy, Ports,
    api::{Decision, Engine, RunView},
    port::{Answer, Call, CallReport, Holds, Observed, PendingAnswer, Runner, Signal, Verb},
    testing::{self, MemoryStore, SimClock},
};
use pipeline::{Attributes, Definition, Digest, Failure, FailureClass, Outcome, Pin, Provider, Resolution, Revision, RunId, Wake};
use serde_json::json;
use tokio::sync::Notify;

use super::World;

/// How a call ends.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Fails(FailureClass, &'static str),
    /// It pends until it is called back.
    Pends,
    /// It does what was asked, but only when it is told to.
    Gated(Arc<Notify>),
}

/// The runner: both versions do what they are asked unless it is written down otherwise.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// What was called since the log was last cleared: function, step, version, revision.
    pub(crate) log: Mutex<Vec<String>>,
    /// What the next calls of a step's function do.
    pub(crate) script: Mutex<HashMap<(&'static str, &'static str), VecDeque<End>>>,
    /// Versions whose calls are all held, and the error type.
    pub(crate) held: Mutex<BTreeMap<&'static str, &'static str>>,
    /// The last callback address that was given out.
    pub(crate) callback: Mutex<String>,
    revisions: Mutex<Vec<Revision>>,
}

#[async_trait::async_trait]
impl Runner for Versions {
    async fn call(&self, call: Call) -> CallReport {
        let version = if call.pin.provider.digest() == Some(&digest("old")) { "old" } else { "new" };
        let revision = self.revisions.lock().unwrap().iter().position(|known| *known == call.revision).map_or(0, |position| position + 1);
        let (function, step) = (call.verb.function(), call.attempt.item.step.to_string());
        self.log.lock().unwrap().push(format!("{function} {step} {version}@{revision}"));
        if let Some(address) = &call.callback {
            address.url.clone_into(&mut self.callback.lock().unwrap());
        }
        let failed = |class, error_type: &str| Err(Failure::new(class, error_type, error_type));
        let held = self.held.lock().unwrap().get(version).copied();
        let next = self.script.lock().unwrap().iter_mut().find(|((s, f), _)| *s == step && *f == function).and_then(|(_, ends)| ends.pop_front());
        let answer = match (held, next) {
            (Some(error_type), _) => failed(FailureClass::Held, error_type),
            (None, Some(End::Fails(class, error_type))) => failed(class, error_type),
            (None, Some(End::Pends)) => Ok(Answer::Pending(PendingAnswer {
                operation: "job".to_owned(),
                checkpoint: "checkpoint".to_owned(),
                poll_after: None,
                give_up_after: Duration::from_secs(100_000_000),
            })),
            (None, Some(End::Gated(gate))) => {
                gate.notified().await;
                Ok(obey(&call.verb))
            }
            (None, None) => Ok(obey(&call.verb)),
        };
        CallReport { answer, sent: true, attributes: Attributes::new(), writes: Vec::new() }
    }
}

fn obey(verb: &Verb) -> Answer {
    match verb {
        Verb::Apply | Verb::Resume { signal: Signal::Timer | Signal::Callback(_), .. } => Answer::Done(json!("receipt")),
        Verb::Observe => Answer::Observed(Observed::Ours(json!("receipt"))),
        Verb::Undo { .. } | Verb::Resume { signal: Signal::Cancel, .. } => Answer::Undone,
    }
}

pub(crate) fn digest(version: &str) -> Digest {
    Digest::new(if version == "old" { "a" } else { "b" }.repeat(64)).unwrap()
}

pub(crate) fn pin(version: &str) -> Pin {
    let provider = Provider::Plugin { name: "plugin".to_owned(), version: "1.0.0".to_owned(), digest: digest(version) };
    Pin { provider, ..testing::pin("plugin") }
}

fn table(version: &str, policy: PinPolicy) -> BindingTable {
    let plugins = ["old", "new"].map(|version| (digest(version), BoundPlugin { component: "0".repeat(64), grant: json!(version) }));
    BindingTable { policy, plugins: plugins.into(), ..testing::table([("jackfield:test/effect@1", pin(version))]) }
}

/// A world whose current table binds everything to `old`.
pub(crate) struct Swap {
    pub(crate) world: World,
    pub(crate) versions: Arc<Versions>,
    pub(crate) definition: Definition,
    pub(crate) new: Revision,
    new_table: Arc<BindingTable>,
}

impl Swap {
    pub(crate) async fn world(definition: Definition, policy: PinPolicy) -> Self {
        let (store, clock, versions) = (Arc::new(MemoryStore::default()), Arc::new(SimClock::default()), Arc::new(Versions::default()));
        let opening = store.open();
        let ports = Ports {
            journal: store.clone(),
            timers: store.clone(),
            blobs: store.clone(),
            runner: versions.clone(),
            clock: clock.clone(),
            observers: Vec::new(),
        };
        let packs = vec![Pack { definition: Arc::new(definition.clone()), document: None }];
        let driver = Driver::open(ports, &opening, Options { packs, table: table("old", policy), ..Options::default() }).await.unwrap();
        let new_table = Arc::new(table("new", policy));
        let new = new_table.store(&*store).await.unwrap();
        *versions.revisions.lock().unwrap() = vec![driver.current().0, new.clone()];
        Self { world: World { store, clock, driver, appends: Arc::default() }, versions, definition, new, new_table }
    }

    pub(crate) fn script(&self, step: &'static str, function: &'static str, ends: impl IntoIterator<Item = End>) {
        self.versions.script.lock().unwrap().insert((step, function), ends.into_iter().collect());
    }

    /// Makes the table that binds everything to `new` the current one.
    pub(crate) fn swap(&self) {
        self.world.driver.rebind(self.new_table.clone(), self.new.clone());
        self.versions.log.lock().unwrap().clear();
    }

    /// Lets the run go on until it is over or only a person can help.
    pub(crate) async fn rest(&self, run: &RunId) -> RunView {
        let helpless = |view: &RunView| {
            let wakes = view.run.wakes(&self.definition);
            wakes.iter().all(|wake| matches!(wake, Wake::Fallout(_)))
        };
        self.world.until(run, helpless).await
    }

    /// Decides all open fallouts alike.
    pub(crate) async fn resolve(&self, run: &RunId, resolution: Resolution) {
        for fallout in self.world.view(run).await.run.open_fallouts() {
            let (by, note) = ("ann".to_owned(), String::new());
            let decision = Decision { run: run.clone(), fallout: Some(fallout.opened.id), resolution: resolution.clone(), by, note };
            // Another decision may have ended the run.
            let _decided = self.world.driver.resolve(decision).await;
        }
    }

    /// What was called since the log was cleared, and where the run is now.
    pub(crate) async fn story(&self, run: &RunId) -> String {
        let view = self.rest(run).await;
        let calls = std::mem::take(&mut *self.versions.log.lock().unwrap()).join(", ");
        let fallouts: Vec<_> = view
            .run
            .open_fallouts()
            .map(|held| format!("{:?} {} {}", held.opened.subject, held.opened.step, held.opened.failure.error_type))
            .collect();
        let state = match view.run.outcome() {
            None => fallouts.join(", "),
            Some(Outcome::Completed) => "completed".to_owned(),
            Some(Outcome::Cancelled) => "cancelled".to_owned(),
            Some(Outcome::Failed { .. }) => "failed".to_owned(),
        };
        format!("{calls}: {state}")
    }

    /// The counts of the store are what its journals come to.
    pub(crate) async fn check_holds(&self, runs: &[RunId]) {
        let mut expected = BTreeMap::new();
        for run in runs {
            let needs = self.world.view(run).await.run.holds(&self.definition);
            needs.into_iter().for_each(|(hold, count)| *expected.entry(hold).or_insert(0) += count);
        }
        let held = self.world.store.held().await.unwrap();
        assert_eq!(held.into_iter().map(|held| ((held.revision, held.digest), held.count)).collect::<BTreeMap<_, _>>(), expected);
    }
}
